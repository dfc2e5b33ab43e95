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
ROWS_TO_CHOOSE = 50_000  # of whole customers: more rows do not change which strength is best
RARE = 20  # a level seen in fewer rows has no coefficient of its own
SKEWED = 1.0


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
    """Terms still without coefficients, and which of them have a column for missing values."""

    terms: tuple[Term, ...]
    missing: tuple[bool, ...]

    def matrix(self, X: Floats) -> Any:
        """Sparse rows: a column for each term and, after it, one for its missing values."""
        from scipy.sparse import csc_array, hstack

        parts: list[Any] = []
        for term, missing in zip(self.terms, self.missing, strict=True):
            if term.kind == "level":
                value = X[:, term.column] == term.level
            else:  # the published arithmetic itself
                value = Linear(0.0, (replace(term, coefficient=1.0),)).margins(X)
            parts.append(csc_array(value[:, None], dtype=np.float64))
            if missing:
                parts.append(csc_array(~np.isfinite(X[:, [term.column]]), dtype=np.float64))
        return hstack(parts, format="csr")

    def linear(self, intercept: float, coefficients: Floats) -> Linear:
        """Return the terms with their coefficients."""
        terms, at = [], 0
        for term, missing in zip(self.terms, self.missing, strict=True):
            own = float(coefficients[at])
            absent = float(coefficients[at + 1]) if missing else 0.0
            terms.append(replace(term, coefficient=own, missing_coefficient=absent))
            at += 2 if missing else 1
        return Linear(intercept, tuple(terms))


def _design(columns: list[tuple[int, Column]], X: Floats) -> _Design:
    terms: list[Term] = []
    missing: list[bool] = []
    for i, column in columns:
        known = X[np.isfinite(X[:, i]), i]
        made = _levels(i, known) if column.dtype == "category" else _number(i, known)
        terms += made
        # One column says "missing" for all levels of a category.
        missing += [place == 0 and len(known) < len(X) for place in range(len(made))]
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

    return LogisticRegression(C=strength, max_iter=2_000, tol=1e-5)
