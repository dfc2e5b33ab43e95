"""Many uncorrelated functions of the features, to look for what a model has not found."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.encoder import Encoder

Floats: TypeAlias = NDArray[np.float64]

LEVELS = 8
"""Of a category, the most frequent; each has a column of its own."""
FEWEST_KNOWN = 20
PRODUCTS = 300
HIGHEST = 6.0
"""Standard deviations a product may reach: one row must not be a column of its own."""


def probes(
    X: Floats, encoder: Encoder, margins: Floats, most: int, random: np.random.Generator
) -> Floats:
    """Return uncorrelated columns of mean square 1, float64[n, at most `most`]; the first is 1.

    They are made of each column's normal scores and their squares, of frequent levels, of what is
    missing, of the margin, and of products of those at random.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Encoded rows.
    margins : ndarray of float64, shape (n,)
        The model's own.
    most : int
        Columns at most; those that vary together most are kept.

    Examples
    --------
    >>> from models.encoder import Column
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(500, 2))
    >>> encoder = Encoder([Column("a", "float"), Column("b", "float")])
    >>> Z = probes(X, encoder, X[:, 0], 8, random)
    >>> Z.shape, bool(np.allclose(Z.T @ Z / 500, np.eye(8)))
    ((500, 8), True)
    """
    scores = normal_scores(margins)
    made = [scores, scores**2, scores**3]
    for place, column in enumerate(encoder.columns):
        values = X[:, place]
        known = np.isfinite(values)
        if known.sum() < FEWEST_KNOWN:
            continue
        if column.dtype == "category":
            levels, rows = np.unique(values[known], return_counts=True)
            kept = levels[np.argsort(-rows, kind="stable")[:LEVELS]]
            made += [(values == level).astype(np.float64) for level in kept]
        else:
            own = np.zeros(len(values))
            own[known] = normal_scores(values[known])
            made += [own, own**2]
        made.append((~known).astype(np.float64))
    one = np.ones((len(X), 1))
    single = _standardised(np.column_stack(made))
    if single.shape[1] == 0:
        return one
    first, second = random.integers(0, single.shape[1], size=(2, PRODUCTS))
    products = np.clip(single[:, first] * single[:, second], -HIGHEST, HIGHEST)
    plain = _uncorrelated(single, max(1, int(0.6 * most)))
    rest = _standardised(products)
    rest -= plain @ (plain.T @ rest / len(X))
    return np.hstack([one, plain, _uncorrelated(rest, most - 1 - plain.shape[1])])[:, :most]


def normal_scores(values: Floats) -> Floats:
    """Return the standard normal quantile of each value's mean rank.

    Examples
    --------
    >>> normal_scores(np.array([5.0, 1.0, 1.0])).round(2).tolist()
    [0.97, -0.43, -0.43]
    """
    from scipy.special import ndtri

    _, place, rows = np.unique(values, return_inverse=True, return_counts=True)
    scores: Floats = ndtri((np.cumsum(rows) - rows / 2.0) / len(values))[place]
    return scores


def _standardised(columns: Floats) -> Floats:
    centred = columns - columns.mean(axis=0)
    spread = centred.std(axis=0)
    varies = spread > 1e-9
    return np.asarray(centred[:, varies] / spread[varies])


def _uncorrelated(columns: Floats, most: int) -> Floats:
    """The first principal components, each of mean square 1."""
    if most <= 0 or columns.shape[1] == 0:
        return np.empty((len(columns), 0))
    values, vectors = np.linalg.eigh(columns.T @ columns / len(columns))
    order = np.argsort(-values)[:most]
    order = order[values[order] > 1e-6 * values.max()]
    return np.asarray(columns @ (vectors[:, order] / np.sqrt(values[order])))
