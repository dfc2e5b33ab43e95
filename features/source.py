"""What a log was made from, and what every report made from it must say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Where a log comes from.

    Attributes
    ----------
    name : str
        For people, such as ``"complete-journey"``.
    currency : str
        ISO 4217 code of every amount.
    timezone : str
        IANA name; days and weeks of the source's own dates begin at its midnights.
    consent : str
        ``"recorded"`` where customers carry it, ``"assumed"`` where the source has none.
    clocks : int
        2 where ``recorded_at`` is the source's own, 1 where it was derived from ``occurred_at``.
    frozen_at : int or None
        The instant (microseconds UTC) at which the source ends; None while it goes on.
    statements : tuple of str
        Sentences that every report made from this source repeats.
    """

    name: str
    currency: str
    timezone: str
    consent: str
    clocks: int
    frozen_at: int | None
    statements: tuple[str, ...] = ()
