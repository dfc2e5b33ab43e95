"""Which columns go together with others: one that no other knows of makes no kind of customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

ROWS = 2_000
DRAWS = 49
"""Shuffles of a column by itself, which leave the others as they are."""
SURE = 4.0
"""Standard deviations above the mean of the shuffled: of a strongest tie, which has the tail of a
Gumbel distribution, one in three hundred lies there by chance."""
PARTS = 5
"""Groups of a number, of about one size."""
LEAST_SHARE = 0.05
FULL = 0.1
"""Cramér's V above the shuffled from which a column counts in full: a small effect (Cohen)."""


def links(encoded: Floats, is_category: Sequence[bool], random_state: int = 0) -> Floats:
    """Return how far each column counts, 0 to 1: 0 where nothing else goes together with it.

    Every pair of columns, each in groups, is measured by Cramér's V. What a column's strongest tie
    has above that of the same column shuffled, by chance and `SURE`, is taken as a part of `FULL`.
    A part and no verdict, since a column at the border would otherwise come and go with the
    customers drawn.

    Parameters
    ----------
    encoded : ndarray of float64, shape (n, k)
        Numbers, or codes of levels; NaN where missing. At most `ROWS` rows are looked at.
    is_category : sequence of bool
    random_state : int

    Source
    ------
    Cramér (1946), Mathematical Methods of Statistics; Cohen (1988), Statistical Power Analysis.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> kind = random.integers(2, size=500)
    >>> coin = random.integers(2, size=500)
    >>> number = random.normal(10 * kind)
    >>> links(np.column_stack([kind, coin, number]), [True, True, False]).tolist()
    [1.0, 0.0, 1.0]
    """
    random = np.random.default_rng(random_state)
    if len(encoded) > ROWS:
        encoded = encoded[np.sort(random.choice(len(encoded), ROWS, replace=False))]
    groups = [_groups(encoded[:, at], category) for at, category in enumerate(is_category)]
    sizes = [int(group.max()) + 1 for group in groups]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    members = np.zeros((len(encoded), sum(sizes)), dtype=np.float32)
    for start, group in zip(starts, groups, strict=True):
        members[np.arange(len(group)), start + group] = 1.0
    found = np.zeros(len(groups))
    for at, size in enumerate(sizes):
        own = members[:, starts[at] : starts[at] + size]
        shuffled = [own[random.permutation(len(own))] for _ in range(DRAWS)]
        ties = _ties(np.stack([own, *shuffled]), members, starts, np.array(sizes))
        ties[:, at] = 0.0
        strongest = ties.max(axis=1)
        nothing = strongest[1:].mean() + SURE * strongest[1:].std(ddof=1)
        found[at] = np.sqrt(max(0.0, strongest[0] - nothing))
    return np.asarray(np.minimum(1.0, found / FULL))


def _ties(
    owns: NDArray[np.float32], members: NDArray[np.float32], starts: Integers, sizes: Integers
) -> Floats:
    """The squares of Cramér's V of each draw with each column, float64[draws, columns].

    Parameters
    ----------
    owns : ndarray of float32, shape (draws, n, groups)
        One column's membership, in the order of the customers and shuffled.
    members : ndarray of float32, shape (n, all groups)
    """
    draws, n, size = owns.shape
    # One product of large matrices: thousands of small ones take a hundred times as long.
    side_by_side = np.moveaxis(owns, 1, 0).reshape(n, draws * size)
    together = (side_by_side.T @ members).reshape(draws, size, -1).astype(np.float64)
    expected = np.outer(owns[0].sum(axis=0), members.sum(axis=0)) / n
    cells = ((together - expected) ** 2 / np.maximum(expected, 1e-12)).sum(axis=1)
    smaller = np.minimum(sizes, size) - 1
    squares = np.add.reduceat(cells, starts, axis=1) / n
    return np.asarray(np.where(smaller > 0, squares / np.maximum(smaller, 1), 0.0))


def _groups(values: Floats, category: bool) -> Integers:
    """The group of each row as numbers from 0; the rare ones together, the missing apart."""
    known = np.isfinite(values)
    if category:
        found = np.where(known, values, -1).astype(np.int64)
    else:
        # By middle ranks, so that a value which most have is one group, and the others are others.
        _, place, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        middle = np.cumsum(counts) - counts / 2
        found = np.full(len(values), -1)
        found[known] = np.minimum(PARTS - 1, (PARTS * middle / counts.sum()).astype(int))[place]
    levels, place, counts = np.unique(found, return_inverse=True, return_counts=True)
    rare = counts < LEAST_SHARE * len(values)
    place = np.where(rare[place], len(levels), place)
    return np.unique(place, return_inverse=True)[1].astype(np.int64)
