"""Which rows are learned from and which are judged later in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import NextbestError

Positions = NDArray[np.int64]


class SplitError(NextbestError):
    """Rows from which no training and evaluation part can be made."""


@dataclass(frozen=True)
class Slicing:
    """How evaluation slices are cut out of time.

    Attributes
    ----------
    width : int
        Microseconds of `as_of` in a slice; 0 is the last moment alone (one row a customer).
    every : int
        Microseconds from one slice's last moment back to that of the slice before.
    positives : int
        A slice is widened back in time until it holds as many; 0 never widens.
    """

    width: int
    every: int
    positives: int = 0


@dataclass(frozen=True)
class Split:
    """Positions of the rows to learn from and of the later rows to judge by.

    Attributes
    ----------
    begins, ends : int
        First and last `as_of` of the judged rows, microseconds UTC.
    train : ndarray of int64
        Rows whose label had matured at `begins`: what a job started then could have known.
    test : ndarray of int64
        The judged rows.
    """

    begins: int
    ends: int
    train: Positions
    test: Positions


def at(begins: int, ends: int, as_of: NDArray[np.int64], matures_at: NDArray[np.int64]) -> Split:
    """Return the split whose judged rows have ``begins <= as_of <= ends``.

    Examples
    --------
    >>> as_of = np.array([0, 7, 14, 21, 28])
    >>> split = at(21, 21, as_of, matures_at=as_of + 14)
    >>> split.train.tolist(), split.test.tolist()
    ([0, 1], [3])
    """
    test = np.flatnonzero((as_of >= begins) & (as_of <= ends))
    train = np.flatnonzero((matures_at <= begins) & (as_of < begins))
    return Split(int(begins), int(ends), train, test)


def rolling(
    as_of: NDArray[np.int64],
    matures_at: NDArray[np.int64],
    y: NDArray[np.int64],
    slicing: Slicing,
    *,
    slices: int,
) -> list[Split]:
    """Return splits by rolling origin, the latest first; their judged rows do not overlap.

    Parameters
    ----------
    as_of, matures_at : ndarray of int64, shape (n,)
        Microseconds UTC; every row is mature.
    y : ndarray of {0, 1}, shape (n,)
    slicing : Slicing
    slices : int
        At most as many; fewer where the rows do not reach back far enough for both classes on
        both sides.

    Raises
    ------
    SplitError
        There is not even one slice with both classes before and in it.

    Source
    ------
    Tashman (2000), Out-of-sample tests of forecasting accuracy, Int. J. of Forecasting 16:
    rolling-origin evaluation.

    Examples
    --------
    >>> as_of = np.repeat(np.arange(0, 70, 7), 2)
    >>> y = np.tile([0, 1], 10)
    >>> [s.begins for s in rolling(as_of, as_of + 14, y, Slicing(0, 14), slices=3)]
    [63, 49, 35]
    """
    moments = np.unique(as_of)
    found: list[Split] = []
    while len(moments) and len(found) < slices:
        ends = int(moments[-1])
        begins = _begins(moments, as_of, y, slicing)
        split = at(begins, ends, as_of, matures_at)
        if not (_both(y[split.train]) and _both(y[split.test])):
            break
        found.append(split)
        moments = moments[moments <= min(ends - slicing.every, begins - 1)]
    if not found:
        raise SplitError(
            f"{len(as_of)} mature rows with {int(y.sum())} positives leave no evaluation slice "
            "with earlier training rows where both have positives and negatives.",
            remedy="Ingest a longer history, or train with a later --as-of.",
        )
    return found


def inner(
    split: Split,
    as_of: NDArray[np.int64],
    matures_at: NDArray[np.int64],
    y: NDArray[np.int64],
    *,
    share: float = 0.2,
) -> Split | None:
    """Split the training rows once more in time, for choices made inside the training period.

    Parameters
    ----------
    split : Split
        Its judged rows stay unseen.
    share : float
        The later part holds at least this share of the training rows, and as few as possible.

    Returns
    -------
    Split or None
        None where no moment leaves both classes on both sides: the period is too short.
    """
    moments, counts = np.unique(as_of[split.train], return_counts=True)
    later = np.cumsum(counts[::-1])[::-1]
    ends = int(moments[-1])
    for begins in moments[later >= share * len(split.train)][::-1]:
        part = at(int(begins), ends, as_of[split.train], matures_at[split.train])
        chosen = Split(part.begins, part.ends, split.train[part.train], split.train[part.test])
        if _both(y[chosen.train]) and _both(y[chosen.test]):
            return chosen
    return None


def _begins(
    moments: Positions, as_of: NDArray[np.int64], y: NDArray[np.int64], slicing: Slicing
) -> int:
    """First moment of the slice that ends with the last of `moments`."""
    ends = moments[-1]
    inside = moments[(moments > ends - slicing.width) | (moments == ends)]
    first = len(moments) - len(inside)
    while first > 0:
        held = (as_of >= moments[first]) & (as_of <= ends)
        if int(y[held].sum()) >= slicing.positives:
            break
        first -= 1
    return int(moments[first])


def _both(y: NDArray[np.int64]) -> bool:
    """Whether there are positives as well as negatives."""
    return 0 < int(y.sum()) < len(y)
