"""Where a run comes from, and how its dates and horizons are said."""

from __future__ import annotations

from dataclasses import dataclass

from features.clock import to_iso
from features.feature import Condition
from features.source import Source
from models.answer import Answer
from training.bound import Sample


@dataclass(frozen=True)
class Origins:
    """Where a run comes from.

    Attributes
    ----------
    source : Source
    fingerprint : str
        Of the log.
    now, trained_at : int
        The present moment of the data and of the machine, microseconds UTC.
    commit : str
        Of the code.
    random_state : int
    sample : Sample, optional
        Of the rows the log has for the model.
    """

    source: Source
    fingerprint: str
    now: int
    trained_at: int
    commit: str
    random_state: int = 0
    sample: Sample | None = None

    def facts(self) -> list[tuple[str, str]]:
        """Return them for a table of facts."""
        return [
            ("data known until", to_iso(self.now)),
            ("trained at", to_iso(self.trained_at)),
            ("source", self.source.name),
            ("data fingerprint", self.fingerprint),
            ("code", self.commit),
            ("random state", str(self.random_state)),
            *([] if self.sample is None else [("rows of the log", self.sample.words())]),
        ]

    def plain(self) -> dict[str, object]:
        """Return them for a report."""
        return {
            "as_of": to_iso(self.now),
            "trained_at": to_iso(self.trained_at),
            "source": self.source.name,
            "data_fingerprint": self.fingerprint,
            "code_version": self.commit,
            "random_state": self.random_state,
            "sample": None if self.sample is None else self.sample.plain(),
            "statements": list(self.source.statements),
        }


def horizon_words(label: Condition | Answer | None) -> str:
    """Return within what time the answer comes true.

    Examples
    --------
    >>> from features.declare import campaign, events
    >>> horizon_words(events("order").none(next="28d"))
    '28d'
    >>> horizon_words(events("redemption").any(until=campaign("ends_at")))
    'until the campaign ends'
    """
    if label is None:
        return ""
    if isinstance(label, Answer):
        return "when it is decided"
    window = label.count.window
    if window.next is not None:
        return window.next
    subject, _, moment = (window.until or "").partition(".")
    words = {"ends_at": "ends", "starts_at": "starts"}.get(moment, moment)
    return f"until the {subject} {words}".strip()


def within_words(label: Condition | Answer | None) -> str:
    """Return the horizon as part of a sentence.

    Examples
    --------
    >>> from features.declare import events
    >>> within_words(events("order").none(next="28d")), within_words(Answer("won"))
    ('within 28 days', 'when it is decided')
    """
    horizon = horizon_words(label)
    number = horizon.removesuffix("d")
    return f"within {number} days" if number.isdigit() else horizon


def from_to(begins: int, ends: int) -> str:
    """Return days, or the one day, from microseconds UTC.

    Examples
    --------
    >>> from_to(0, 1), from_to(0, 86_400_000_000)
    ('1970-01-01', '1970-01-01 to 1970-01-02')
    """
    first, last = to_iso(begins)[:10], to_iso(ends)[:10]
    return first if first == last else f"{first} to {last}"
