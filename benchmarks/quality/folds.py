"""Folds that are the same for every contender, with all rows of a customer in one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


def folds_of(
    y: NDArray[np.int64], groups: NDArray[np.int64], repeat: int, n_folds: int = FOLDS
) -> NDArray[np.int64]:
    """Return the fold of each row: as many customers and about as many positives in each.

    Parameters
    ----------
    y : ndarray of {0, 1}, shape (n,)
    groups : ndarray of int64, shape (n,)
        Customers.
    repeat : int
        Another repeat shuffles otherwise.

    Examples
    --------
    >>> y, customers = np.array([1, 1, 0, 0, 0, 0]), np.array([7, 7, 8, 9, 10, 11])
    >>> folds = folds_of(y, customers, repeat=0, n_folds=2)
    >>> bool(folds[0] == folds[1]), np.bincount(folds).tolist()
    (True, [4, 2])
    """
    present, codes = np.unique(groups, return_inverse=True)
    has = np.bincount(codes, weights=y)
    shuffled = np.random.default_rng([repeat, len(y)]).permutation(len(present))
    # Customers with as many positives are dealt out in turn, those with most first.
    dealt = shuffled[np.argsort(-has[shuffled], kind="stable")]
    of_customer = np.empty(len(present), dtype=np.int64)
    of_customer[dealt] = np.arange(len(present)) % n_folds
    return of_customer[codes]
