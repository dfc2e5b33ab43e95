"""Venn-Abers: the curve between what each of both answers would make of the next row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.calibrator import Calibrator

Floats = NDArray[np.float64]

POINTS = 200
"""Of the published table; the curve is straight between them."""
MOST_MARGINS = 2_000
"""With more margins, neighbours are taken together: isotonic steps are far wider than that."""


def venn_abers(margins: Floats, y: NDArray[np.int64]) -> Calibrator:
    """Return the inductive Venn-Abers curve as a look-up table, rising and never 0 or 1.

    For a margin, isotonic regression is fitted twice to the rows and one row more at it: once
    with the answer 0, which gives p0, and once with 1, which gives p1. The probability is
    p1 / (1 - p0 + p1), the one with the least regret whichever answer is true.

    Parameters
    ----------
    margins : ndarray of float64, shape (n,)
        Made by an engine that did not see the rows.
    y : ndarray of {0, 1}, shape (n,)

    Source
    ------
    Vovk & Petej, "Venn-Abers predictors" (UAI 2014), sections 3 and 4.

    Examples
    --------
    >>> curve = venn_abers(np.array([-1.0, 0.0, 1.0]), np.array([0, 0, 1]))
    >>> curve.probability([-1.0, 1.0]).round(3).tolist()
    [0.25, 0.667]
    """
    at, yes, rows = _together(margins, y)
    asked = np.unique(np.linspace(0, len(at) - 1, POINTS).round().astype(np.int64))
    p0, p1 = (np.array([_with(at, yes, rows, k, answer) for k in asked]) for answer in (0, 1))
    merged = p1 / (1.0 - p0 + p1)
    # Rising already but for the last bit.
    return Calibrator.venn_abers(at[asked], np.maximum.accumulate(merged))


def _together(margins: Floats, y: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Distinct margins in order, with the positives and the rows at each."""
    at, place = np.unique(margins, return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    yes = np.bincount(place, weights=y).astype(np.float64)
    if len(at) <= MOST_MARGINS:
        return at, yes, rows
    # Groups of about as many rows; each stands at its mean margin.
    group = ((np.cumsum(rows) - rows) * MOST_MARGINS / rows.sum()).astype(np.int64)
    group = np.unique(group, return_inverse=True)[1]
    sizes = np.bincount(group, weights=rows).astype(np.float64)
    return (
        (np.bincount(group, weights=at * rows) / sizes).astype(np.float64),
        np.bincount(group, weights=yes).astype(np.float64),
        sizes,
    )


def _with(at: Floats, yes: Floats, rows: Floats, k: int, answer: int) -> float:
    """Isotonic regression at the k-th margin with one row more there."""
    from sklearn.isotonic import isotonic_regression

    more, one = rows.copy(), yes.copy()
    more[k] += 1.0
    one[k] += answer
    return float(isotonic_regression(one / more, sample_weight=more)[k])
