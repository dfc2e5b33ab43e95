"""What looks wrong with a model's columns: found before training is believed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["severe", "warning"]


@dataclass(frozen=True)
class Finding:
    """One reason to doubt a column, or the model as a whole.

    Attributes
    ----------
    column : str
        The feature's name; empty where it is about the model.
    kind : str
        What was looked for: "single-column AUC", "missingness", "known too late".
    severity : {"severe", "warning"}
        A severe one stops promotion, never training.
    evidence : str
        What was seen, with its numbers, in a sentence.
    remedy : str
        What to do about it.
    value : float
        The number that decided.

    Examples
    --------
    >>> Finding("won_at", "missingness", "severe", "Filled if yes.", "Exclude it.", 0.98).severity
    'severe'
    """

    column: str
    kind: str
    severity: Severity
    evidence: str
    remedy: str
    value: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a report."""
        return asdict(self)
