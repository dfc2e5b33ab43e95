"""The best single column: what a company would know from looking at one number or one word."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.binning import Bins
from models.encoder import Column
from models.linear import Linear
from models.logistic import FOLDS, FREE, choosing_folds, design_of, held_out_losses, logistic
from models.outcomes import Floats, Integers

SMOOTHING = 20.0  # rows of the base rate that each group starts with
CURVES = 3  # the best columns are tried as a curve too


def best_column(
    columns: list[tuple[int, Column]],
    X: Floats,
    y: Floats,
    groups: Integers,
    random_state: int = 0,
) -> Linear:
    """Return the model of the one column whose held-out log loss is the lowest.

    A category is judged by the smoothed rate of its levels, a number by that of its tenths; the
    best numbers also as a logistic curve. Each row is judged by rates of customers other than
    its own, and so is the choice: a column of many levels gains nothing by having them.

    Parameters
    ----------
    columns : list of (int, Column)
        Candidates, with their places in the encoded row.
    X : ndarray of shape (n, p)
        Encoded rows; NaN is missing.
    y : ndarray of {0, 1}, shape (n,)
    groups : ndarray of int64, shape (n,)
        The customer of each row, as codes from 0.
    random_state : int
        Seed of the folds.

    Examples
    --------
    >>> X = np.column_stack([np.tile([0.0, 1.0], 200), np.repeat([0.0, 1.0], 200)])
    >>> columns = [(0, Column("idle", "int")), (1, Column("telling", "int"))]
    >>> fitted = best_column(columns, X, X[:, 1], np.arange(400))
    >>> {columns[term.column][1].name for term in fitted.terms}
    {'telling'}
    """
    base = float(_logit(y.mean()))
    kept, fold = choosing_folds(groups, len(y), random_state)
    sample, answers = X[kept], y[kept]
    losses = {
        i: _held_out_loss(Bins.of(i, column, sample[:, i]), sample[:, i], answers, fold)
        for i, column in columns
    }
    if not losses:
        return Linear(base)
    by_loss = sorted(losses, key=lambda i: losses[i])
    best, curve, lowest = by_loss[0], False, losses[by_loss[0]]
    by_place = dict(columns)
    for i in by_loss[:CURVES]:
        design = design_of([(i, by_place[i])], sample)
        if by_place[i].dtype == "category" or not design.terms:
            continue
        [loss] = held_out_losses(design.matrix(sample), answers, fold, (FREE,)).values()
        if loss < lowest:
            best, curve, lowest = i, True, loss
    column = by_place[best]
    if curve:
        return logistic([(best, column)], X, y, groups, strength=FREE)
    bins = Bins.of(best, column, X[:, best])
    return Linear(base, bins.terms(_logit(_rates(bins, X[:, best], y)), base))


def _rates(bins: Bins, values: Floats, y: Floats) -> Floats:
    """Share of yes in each group, drawn towards that of all."""
    group, n = bins.groups(values), bins.missing + 1
    return _smoothed(np.bincount(group, y, n), np.bincount(group, minlength=n), y.mean())


def _held_out_loss(bins: Bins, values: Floats, y: Floats, fold: Integers) -> float:
    """Sum of log losses of rates that were counted without the row's own fold."""
    n = bins.missing + 1
    cell = bins.groups(values) * FOLDS + fold
    yes = np.bincount(cell, y, n * FOLDS).reshape(n, FOLDS)
    rows = np.bincount(cell, minlength=n * FOLDS).reshape(n, FOLDS)
    rate = _smoothed(
        yes.sum(axis=1, keepdims=True) - yes, rows.sum(axis=1, keepdims=True) - rows, y.mean()
    )
    return float(-(yes * np.log(rate) + (rows - yes) * np.log1p(-rate)).sum())


def _smoothed(yes: Any, rows: Any, base: float) -> Floats:
    return np.asarray((yes + SMOOTHING * base) / (rows + SMOOTHING))


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)
