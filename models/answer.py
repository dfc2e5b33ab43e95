"""A label that a company's own table states, row by row, instead of one folded from events."""

from __future__ import annotations

from dataclasses import dataclass

ANSWER = "answer"
"""Context column of the answer's spine: 1 for yes, 0 for no, int64."""
DECIDED_AT = "decided_at"
"""Context column: when it was decided, int64 microseconds UTC, `features.kernel.NULL` unknown."""


@dataclass(frozen=True)
class Answer:
    """An answer that somebody wrote down: "converted", "won", "left".

    The log holds it as a spine of the answer's name, whose context has `ANSWER` and `DECIDED_AT`.
    Rows that nobody worked, that were closed by a machine or that are still open are not in the
    spine: not worked is not lost.

    Parameters
    ----------
    name : str
        Of the spine and of the label.

    Examples
    --------
    >>> Answer("lead_score").forward, sorted(Answer("lead_score").needs)
    (True, [])
    """

    name: str

    @property
    def forward(self) -> bool:
        """It lies ahead of its row's moment, as every label does."""
        return True

    @property
    def needs(self) -> frozenset[str]:
        """Names of the context values a caller must give: none, the row is the customer's."""
        return frozenset()
