"""What looks wrong with a model's columns: found before training is believed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
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


@dataclass(frozen=True)
class Leaks:
    """From where on a column is taken for a leak; a spec changes it where its field is known.

    Parameters
    ----------
    auc : float
        A column that ranks yes above no in more of the pairs than this is taken for the answer.
        Chance does not bring a leak of 0.9 below it in a sample of some hundred answers.
    filled : float
        The same for whether a stated column is filled, and not for what it holds.
    ceilings : dict of str to float
        Feature name -> its own ceiling instead of `auc`: where the field says otherwise.
    cleared : tuple of str
        Features that someone has looked at: what is found of them is a warning.

    Examples
    --------
    >>> Leaks(ceilings={"days_since_last_order": 0.95}).ceiling("days_since_last_order")
    0.95
    >>> Leaks().severity("won_at", 0.97, 0.9), Leaks(cleared=("won_at",)).severity("won_at", 1, 0.9)
    ('severe', 'warning')
    """

    auc: float = 0.88
    filled: float = 0.7
    ceilings: dict[str, float] = field(default_factory=dict)
    cleared: tuple[str, ...] = ()

    def ceiling(self, name: str) -> float:
        """Return the AUC that a feature may have alone."""
        return self.ceilings.get(name, self.auc)

    def severity(self, name: str, value: float, bound: float) -> Severity:
        """Return how bad a value is that must stay below a bound."""
        return "severe" if value >= bound and name not in self.cleared else "warning"
