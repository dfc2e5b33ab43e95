"""How much one column tells of the answer: shares of (yes, no) pairs that it puts in order."""

from __future__ import annotations

import numpy as np

from models.binning import Bins
from models.encoder import Column
from training.leaks.columns import FOLDS, Floats, Integers

PRIOR = 5.0
"""Rows of the base rate that a group starts with."""


def rank_auc(values: Floats, y: Floats) -> float:
    """Return the share of (yes, no) pairs that known values put in one order, 0.5 to 1.

    Examples
    --------
    >>> rank_auc(np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.0, 0.0, 0.0, 1.0]))
    1.0
    """
    known = np.isfinite(values)
    _, place, count = np.unique(values[known], return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2
    answer = y[known]
    yes, no = float(answer.sum()), float((1 - answer).sum())
    if not yes or not no:
        return 0.5
    auc = (float(answer @ rank[place]) - yes * (yes + 1) / 2) / (yes * no)
    return max(auc, 1 - auc)


def group_auc(group: Integers, y: Floats, fold: Integers) -> float:
    """Return the same for groups, each row placed by the rate of its group's other folds."""
    n = int(group.max()) + 1
    yes = np.bincount(group * FOLDS + fold, y, n * FOLDS).reshape(n, FOLDS)
    rows = np.bincount(group * FOLDS + fold, minlength=n * FOLDS).reshape(n, FOLDS)
    others = yes.sum(axis=1, keepdims=True) - yes
    rate = (others + PRIOR * y.mean()) / (rows.sum(axis=1, keepdims=True) - rows + PRIOR)
    placed = rate[group, fold]
    # Within a fold: between folds the base rate of the others differs against the answer.
    return float(np.mean([_one_way(placed[fold == f], y[fold == f]) for f in range(FOLDS)]))


def groups_of(values: Floats, *, is_text: bool, parts: int = 20) -> Integers:
    """Return levels or parts of about one size as numbers from 0, missing as one of its own."""
    column = Column("", "category" if is_text else "float")
    return Bins.of(0, column, values, parts).groups(values)


def spread(yes: float, no: float) -> float:
    """Return the standard error of the AUC of a column that tells nothing."""
    return float(np.sqrt((yes + no + 1) / (12 * max(yes, 1) * max(no, 1))))


def _one_way(values: Floats, y: Floats) -> float:
    auc = rank_auc(values, y)
    return auc if np.cov(values, y)[0, 1] >= 0 else 1 - auc
