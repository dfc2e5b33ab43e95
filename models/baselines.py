"""What a model must beat, fitted to a form that can be published in its place.

Every baseline becomes a :class:`models.linear.Linear` over the encoder's columns: without terms
(the same probability for all), over one column (a rule), or over all (logistic regression).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from models.encoder import Column, Encoder
from models.linear import Linear, Term
from models.outcomes import Floats, Integers, totals
from models.spec import Baseline

STRENGTHS = (0.003, 0.03, 0.3, 3.0)  # inverse of the penalty; the best of these is taken
FREE = 1e4  # a rule has one column and hardly a penalty
FOLDS = 3
ROWS_TO_CHOOSE = 20_000  # of whole customers: more rows do not change which strength is best
RARE = 20  # a level seen in fewer rows has no coefficient of its own
SKEWED = 1.0
DENSE = 100  # columns up to which a dense matrix is the faster one


def fit_baseline(
    baseline: Baseline,
    encoder: Encoder,
    X: Floats,
    y: ArrayLike,
    groups: ArrayLike,
    random_state: int = 0,
) -> Linear:
    """Return a baseline fitted to encoded rows.

    Parameters
    ----------
    baseline : Baseline
        As the model's spec lists it.
    encoder : Encoder
        Whose columns X has.
    X : ndarray of shape (rows, columns)
        Encoded rows; NaN is missing.
    y, groups : array-like of shape (rows,)
        Answers, and the customer of each row.
    random_state : int
        Seed of the folds that choose the penalty of logistic regression.

    Raises
    ------
    MetricError
        If all answers are the same.

    Examples
    --------
    >>> encoder = Encoder([Column("orders", "int")])
    >>> constant = Baseline("constant rate", "constant")
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> round(fit_baseline(constant, encoder, X, [0, 0, 0, 1], list("abcd")).intercept, 4)
    -1.0986
    """
    y_ = np.asarray(y, dtype=np.float64)
    yes, no = totals(float(y_.sum()), float((1 - y_).sum()))
    if baseline.kind == "constant":
        return Linear(float(np.log(yes / no)))
    columns = list(enumerate(encoder.columns))
    if baseline.feature is not None:
        columns = [(i, c) for i, c in columns if c.name == baseline.feature.name]
    design = _design(columns, X)
    if not design.terms:
        return Linear(float(np.log(yes / no)))
    matrix = design.matrix(X)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    strength = FREE if baseline.kind == "rule" else _strength(matrix, y_, codes, random_state)
    fitted = _logistic(strength).fit(matrix, y_)
    return design.linear(float(fitted.intercept_[0]), fitted.coef_[0])


@dataclass(frozen=True)
class _Design:
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


def _design(columns: list[tuple[int, Column]], X: Floats) -> _Design:
    terms: list[Term] = []
    missing: list[int] = []
    for i, column in columns:
        known = X[np.isfinite(X[:, i]), i]
        made = _levels(i, known) if column.dtype == "category" else _number(i, known)
        if made and len(known) < len(X):
            missing.append(len(terms))  # the first term of a category speaks for all its levels
        terms += made
    return _Design(tuple(terms), tuple(missing))


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


def _strength(matrix: Any, y: Floats, codes: Integers, random_state: int) -> float:
    """The strength whose predictions for customers it did not see have the lowest log loss."""
    n_groups = int(codes.max()) + 1
    places = np.random.default_rng(random_state).permutation(n_groups)[codes]
    kept = places < max(FOLDS, n_groups * ROWS_TO_CHOOSE // len(y))
    matrix, y, fold = matrix[kept], y[kept], places[kept] % FOLDS
    losses = dict.fromkeys(STRENGTHS, 0.0)
    for held in range(FOLDS):
        train, test = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        if len(test) == 0 or len(np.unique(y[train])) < 2:
            continue
        for strength in STRENGTHS:
            margin = (
                _logistic(strength).fit(matrix[train], y[train]).decision_function(matrix[test])
            )
            losses[strength] += float((np.logaddexp(0, margin) - y[test] * margin).sum())
    return min(losses, key=lambda strength: losses[strength])


def _logistic(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    # Six Newton steps where lbfgs needs hundreds, because windows of one quantity are correlated.
    return LogisticRegression(C=strength, solver="newton-cholesky")
