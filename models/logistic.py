"""Logistic regression over encoded columns, its penalty chosen on customers it did not see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.binning import RARE
from models.encoder import Column
from models.linear import Linear, Term
from models.outcomes import Floats, Integers

STRENGTHS = (0.003, 0.03, 0.3, 3.0)  # inverse of the penalty; the best of these is taken
FREE = 1e4  # a rule has one column and hardly a penalty
FOLDS = 3
ROWS_TO_CHOOSE = 20_000  # of whole customers: more rows do not change what is chosen
SKEWED = 1.0
DENSE = 100  # columns up to which a dense matrix is the faster one


def logistic(
    columns: list[tuple[int, Column]],
    X: Floats,
    y: Floats,
    groups: Integers,
    *,
    strength: float | None = None,
    random_state: int = 0,
) -> Linear:
    """Return logistic regression over some columns of encoded rows.

    Parameters
    ----------
    columns : list of (int, Column)
        Which, with their places in the encoded row.
    strength : float, optional
        Inverse of the penalty; without it the best of `STRENGTHS` is found.

    Examples
    --------
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([0.0, 1.0, 0.0, 1.0])
    >>> fitted = logistic([(0, Column("orders", "int"))], X, y, np.arange(4), strength=1.0)
    >>> bool(fitted.margin([4.0]) > fitted.margin([1.0]))
    True
    """
    design = design_of(columns, X)
    if not design.terms:
        return Linear(float(np.log(y.sum() / (len(y) - y.sum()))))
    matrix = design.matrix(X)
    if strength is None:
        strength = _strength(matrix, y, groups, random_state)
    fitted = _logistic(strength).fit(matrix, y)
    return design.linear(float(fitted.intercept_[0]), fitted.coef_[0])


@dataclass(frozen=True)
class Design:
    """Terms still without coefficients, and the places of those that also say "missing"."""

    terms: tuple[Term, ...]
    missing: tuple[int, ...]

    def matrix(self, X: Floats) -> Any:
        """Sparse rows: a column for each term, then one for each that says "missing"."""
        from scipy.sparse import hstack

        parts: list[Any] = []
        for term in self.terms:
            if term.kind == "level":
                value = X[:, term.column] == term.level
            else:  # the published arithmetic itself
                value = Linear(0.0, (replace(term, coefficient=1.0),)).margins(X)
            parts.append(_column(value))
        parts += [_column(~np.isfinite(X[:, self.terms[at].column])) for at in self.missing]
        matrix = hstack(parts, format="csr")
        return matrix.toarray() if matrix.shape[1] <= DENSE else matrix

    def linear(self, intercept: float, coefficients: Floats) -> Linear:
        """Return the terms with their coefficients."""
        own = coefficients[: len(self.terms)].tolist()
        absent = dict(zip(self.missing, coefficients[len(self.terms) :].tolist(), strict=True))
        return Linear(
            intercept,
            tuple(
                replace(term, coefficient=own[at], missing_coefficient=absent.get(at, 0.0))
                for at, term in enumerate(self.terms)
            ),
        )


def _column(values: Any) -> Any:
    """One sparse column; `csc_array(values[:, None])` searches ten times as long."""
    from scipy.sparse import csc_array

    rows = np.flatnonzero(values)
    kept = np.asarray(values[rows], dtype=np.float64)
    return csc_array((kept, rows, np.array([0, len(rows)])), shape=(len(values), 1))


def design_of(columns: list[tuple[int, Column]], X: Floats) -> Design:
    """Return the terms of some columns: a level each, or a number on its own scale."""
    terms: list[Term] = []
    missing: list[int] = []
    for i, column in columns:
        known = X[np.isfinite(X[:, i]), i]
        made = _levels(i, known) if column.dtype == "category" else _number(i, known)
        if made and len(known) < len(X):
            missing.append(len(terms))  # the first term of a category speaks for all its levels
        terms += made
    return Design(tuple(terms), tuple(missing))


def _levels(i: int, known: Floats) -> list[Term]:
    levels, counts = np.unique(known, return_counts=True)
    return [Term(i, kind="level", level=float(level)) for level in levels[counts >= RARE]]


def _number(i: int, known: Floats) -> list[Term]:
    if not len(known) or known.min() == known.max():
        return []
    centred = (known - known.mean()) / known.std()
    skewed = known.min() >= 0 and float((centred**3).mean()) > SKEWED
    values = np.log1p(known) if skewed else known
    return [
        Term(
            i,
            transform="log1p" if skewed else "none",
            mean=float(values.mean()),
            scale=float(values.std()),
        )
    ]


def choosing_folds(groups: Integers, n: int, random_state: int) -> tuple[Any, Integers]:
    """Return which rows to choose by, and the fold of each of those: whole customers.

    Parameters
    ----------
    groups : ndarray of int64, shape (n,)
        The customer of each row, as codes from 0.
    """
    n_groups = int(groups.max()) + 1
    places = np.random.default_rng(random_state).permutation(n_groups)[groups]
    kept = places < max(FOLDS, n_groups * ROWS_TO_CHOOSE // n)
    return kept, places[kept] % FOLDS


def held_out_losses(
    matrix: Any, y: Floats, fold: Integers, strengths: tuple[float, ...]
) -> dict[float, float]:
    """Return the sum of log losses by strength, each row judged without its customer."""
    losses = dict.fromkeys(strengths, 0.0)
    for held in range(FOLDS):
        train, test = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        if len(test) == 0 or len(np.unique(y[train])) < 2:
            continue
        for strength in strengths:
            fitted = _logistic(strength).fit(matrix[train], y[train])
            margin = fitted.decision_function(matrix[test])
            losses[strength] += float((np.logaddexp(0, margin) - y[test] * margin).sum())
    return losses


def _strength(matrix: Any, y: Floats, groups: Integers, random_state: int) -> float:
    """The strength whose predictions for customers it did not see have the lowest log loss."""
    kept, fold = choosing_folds(groups, len(y), random_state)
    losses = held_out_losses(matrix[kept], y[kept], fold, STRENGTHS)
    return min(losses, key=lambda strength: losses[strength])


def _logistic(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    # Six Newton steps where lbfgs needs hundreds, because windows of one quantity are correlated.
    return LogisticRegression(C=strength, solver="newton-cholesky")
