"""A sum of terms: logistic regression, a rule of one column, or a constant.

It takes the same encoded row as the booster, so that a baseline can be published as it is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from features.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Term:
    """What one column adds to the margin.

    A known value adds `coefficient * (t(x) - mean) / scale`, where t(x) is x or its signed
    logarithm for a "number", and 1.0 or 0.0 for a "level" (x is the `level` or not) and a "step"
    (x is at least the `level` or not). A missing value (NaN or infinite) adds
    `missing_coefficient` instead: with 0.0 the mean is imputed.

    Attributes
    ----------
    column : int
        Place in the encoded row.
    transform : {"none", "log1p"}
        "log1p" is sign(x) log(1 + |x|): money and counts may be negative after returns.
    mean, scale : float
        Of t(x) in training; a plain one-hot term has 0.0 and 1.0.
    level : float
        The encoder's code that a "level" term asks for, or where a "step" begins.
    """

    column: int
    kind: Literal["number", "level", "step"] = "number"
    transform: Literal["none", "log1p"] = "none"
    mean: float = 0.0
    scale: float = 1.0
    coefficient: float = 0.0
    missing_coefficient: float = 0.0
    level: float = 0.0


@dataclass(frozen=True)
class Linear:
    """intercept + the sum of the terms; without terms, a constant.

    Examples
    --------
    >>> rule = Linear(-1.0, (Term(column=0, mean=2.0, coefficient=0.5),))
    >>> rule.margins(np.array([[4.0], [np.nan]])).tolist()
    [0.0, -1.0]
    """

    intercept: float
    terms: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        if not np.isfinite(self.intercept):
            raise _refusal(f"the intercept {self.intercept}")
        for term in self.terms:
            numbers = [v for v in asdict(term).values() if not isinstance(v, str)]
            if not np.isfinite(numbers).all() or term.scale <= 0 or term.column < 0:
                raise _refusal(f"a number that is not finite, or a scale of 0, in {term}")
            known = term.kind in ("number", "level", "step") and term.transform in ("none", "log1p")
            if not known:
                raise _refusal(f"a kind or transform it does not know in {term}")

    def margin(self, row: Sequence[float] | Floats) -> float:
        """Return the margin of one encoded row; bit-equal to `margins`."""
        return float(self.margins(np.asarray(row, dtype=np.float64)[None, :])[0])

    def margins(self, X: Floats) -> Floats:
        """Return the margin of each row, float64[n]."""
        start = np.full((len(X), 1), self.intercept)
        # Added one after the other, so that a row gives the same bits alone and in a batch.
        return np.cumsum(np.hstack([start, self._added(X)]), axis=1)[:, -1]

    def contributions(self, X: Floats) -> Floats:
        """Return what each column adds to the margin, float64[n, n_columns + 1].

        The last column is the intercept: the margin of a row at all the means.
        """
        answers = np.zeros((len(X), X.shape[1] + 1))
        for term, added in zip(self.terms, self._added(X).T, strict=True):
            answers[:, term.column] += added
        answers[:, -1] = self.intercept
        return answers

    def scaled(self, weight: float) -> Linear:
        """Return the model whose margin is `weight` times this one's, as a blend needs it."""
        terms = tuple(
            replace(
                term,
                coefficient=weight * term.coefficient,
                missing_coefficient=weight * term.missing_coefficient,
            )
            for term in self.terms
        )
        return Linear(weight * self.intercept, terms)

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes an equal model."""
        return {"intercept": self.intercept, "terms": [asdict(term) for term in self.terms]}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Linear:
        """Return the model that `to_json` described."""
        return cls(plain["intercept"], tuple(Term(**term) for term in plain["terms"]))

    def _added(self, X: Floats) -> Floats:
        """What each term adds, float64[n, n_terms]."""
        t = self._table
        values = np.asarray(X, dtype=np.float64)[:, t["column"].astype(np.intp)]
        missing = ~np.isfinite(values)
        known = np.where(missing, 0.0, values)
        logs = np.copysign(np.log1p(np.abs(known)), known)
        reached = np.where(t["is_step"], known >= t["level"], known == t["level"])
        asked = np.logical_or(t["is_level"], t["is_step"])
        known = np.where(asked, reached, np.where(t["is_log"], logs, known))
        added = t["coefficient"] * ((known - t["mean"]) / t["scale"])
        return np.asarray(np.where(missing, t["missing_coefficient"], added))

    @cached_property
    def _table(self) -> dict[str, Floats]:
        fields = ("column", "mean", "scale", "coefficient", "missing_coefficient", "level")
        table = {f: np.array([getattr(term, f) for term in self.terms], float) for f in fields}
        table["is_log"] = np.array([term.transform == "log1p" for term in self.terms], bool)
        for kind in ("level", "step"):
            table[f"is_{kind}"] = np.array([term.kind == kind for term in self.terms], bool)
        return table


def _refusal(got: str) -> BadInputError:
    return BadInputError(
        f"A linear model got {got}.",
        remedy="Leave out columns that do not vary; see models.linear.Term.",
    )
