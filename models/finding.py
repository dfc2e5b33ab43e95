"""What looks wrong with a model's columns: found before training is believed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
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
    cleared : str
        Why someone who has looked says that the column does not know the answer; such a finding
        would be severe and is a warning.

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
    cleared: str = ""

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
    cleared : dict of str to str
        Feature that someone has looked at -> why it does not know the answer. What is found of it
        is a warning that carries this reason.
    in_file : bool
        Whether a company's TOML file clears, and no code; remedies say where.

    Examples
    --------
    >>> Leaks(ceilings={"days_since_last_order": 0.95}).ceiling("days_since_last_order")
    0.95
    >>> leaks = Leaks(cleared={"ends_on": "It is agreed when the contract is signed."})
    >>> found = Finding("ends_on", "known too late", "severe", "It lies ahead.", "Exclude it.", 1.0)
    >>> leaks.judged(found).severity, leaks.judged(found).cleared
    ('warning', 'It is agreed when the contract is signed.')
    """

    auc: float = 0.88
    filled: float = 0.7
    ceilings: dict[str, float] = field(default_factory=dict)
    cleared: dict[str, str] = field(default_factory=dict)
    in_file: bool = False

    def ceiling(self, name: str) -> float:
        """Return the AUC that a feature may have alone."""
        return self.ceilings.get(name, self.auc)

    def judged(self, finding: Finding) -> Finding:
        """Return a finding as it counts: cleared, or with how it may be."""
        reason = self.cleared.get(finding.column, "")
        if finding.severity != "severe":
            return finding
        if reason:
            return replace(finding, severity="warning", cleared=reason)
        how = (
            f'[leaks] cleared = [{{ column = "{finding.column}", reason = "..." }}]'
            if self.in_file
            else f"Leaks(cleared={{{finding.column!r}: '...'}})"
        )
        return replace(finding, remedy=f"{finding.remedy} If it is honest, say why: {how}.")


def severity(value: float, bound: float) -> Severity:
    """Return how bad a value is that must stay below a bound."""
    return "severe" if value >= bound else "warning"
