"""The stretch of time a feature or a label looks at, and what had to be known by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.clock import parse_duration
from features.errors import DeclarationError, MissingContextError

HOUR = 3_600_000_000
DAY = 24 * HOUR
ALWAYS = -(2**62)
"""An instant before every event, for windows without a start."""


@dataclass(frozen=True)
class Window:
    """``[as_of - last, as_of)`` backward, or ``[as_of, as_of + next)`` forward.

    Attributes
    ----------
    last : str or None
        Length backward, such as ``"90d"``; with `next` and `until` also None: since ever.
        A start that lies 7 days or more back falls on the full UTC hour before it.
    next : str or None
        Length forward, for labels.
    until : str or None
        Name of the context value (microseconds UTC) at which a forward window ends.
    lag : str
        How much later than the end of a forward window an event may be recorded and still count.
    """

    last: str | None = None
    next: str | None = None
    until: str | None = None
    lag: str = "0d"

    def __post_init__(self) -> None:
        given = [part for part in (self.last, self.next, self.until) if part is not None]
        if len(given) > 1:
            raise DeclarationError(
                f"A window was given as {given}.", remedy="Give one of last=, next= and until=."
            )
        for length in (self.last, self.next):
            if length is not None and parse_duration(length) <= 0:
                raise DeclarationError(
                    f"A window of {length!r} is empty.", remedy="Give a length such as '90d'."
                )

    @property
    def forward(self) -> bool:
        """Whether the window looks ahead of ``as_of``: only labels may."""
        return self.next is not None or self.until is not None

    @property
    def label(self) -> str:
        """The window's part of a feature's name: ``"90d"``, ``"ever"``, ``"next_28d"``.

        Examples
        --------
        >>> Window("90d").label, Window().label, Window(next="28d").label
        ('90d', 'ever', 'next_28d')
        """
        if self.next is not None:
            return f"next_{self.next}"
        if self.until is not None:
            return f"until_{self.until.replace('.', '_')}"
        return self.last or "ever"

    def bounds(
        self, as_of: NDArray[np.int64], context: Mapping[str, NDArray[Any]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return (start, end, known before) for each moment, microseconds UTC.

        An event counts when ``start <= occurred_at < end`` and ``recorded_at < known before``.

        Raises
        ------
        MissingContextError
            The window ends at a context value that was not given.
        """
        if not self.forward:
            if self.last is None:
                return np.full_like(as_of, ALWAYS), as_of, as_of
            length = parse_duration(self.last)
            start = as_of - length
            return (start // HOUR * HOUR if length >= 7 * DAY else start), as_of, as_of
        end = self._end(as_of, context)
        return as_of, end, end + parse_duration(self.lag)

    def _end(
        self, as_of: NDArray[np.int64], context: Mapping[str, NDArray[Any]]
    ) -> NDArray[np.int64]:
        if self.next is not None:
            return as_of + parse_duration(self.next)
        if self.until is None or self.until not in context:
            raise MissingContextError(
                f"A label ends at {self.until!r}, which the rows do not carry.",
                remedy=f"Give the rows a context column {self.until!r}.",
            )
        return np.asarray(context[self.until], dtype=np.int64)
