"""Which rows are learned from and which are judged: later in time, where time is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.clock import to_iso
from features.errors import NextbestError
from training.folds import Fold

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
    """Positions of the rows to learn from and of the rows to judge by.

    Attributes
    ----------
    begins, ends : int
        First and last moment of the judged rows, microseconds UTC: their `as_of`, or the dates
        of their answers where `kind` is "decisions".
    train : ndarray of int64
        Rows whose label had matured at `begins`: what a job started then could have known. With
        folds, all rows: what is published learns from all of them.
    test : ndarray of int64
        The judged rows; with folds, all rows.
    kind : {"time", "decisions", "folds"}
        Judged as of the latest moments; by the latest answers; or, where nothing puts the rows
        in time, each row by models that did not see its customer.
    folds : tuple of Fold
        Of every deal; empty where time splits the rows.
    why : str
        Why there are folds.
    """

    begins: int
    ends: int
    train: Positions
    test: Positions
    kind: Literal["time", "decisions", "folds"] = "time"
    folds: tuple[Fold, ...] = ()
    why: str = ""

    @property
    def learned_until(self) -> int:
        """No row that was learned from is of this moment or later, microseconds UTC."""
        return self.ends + 1 if self.kind == "folds" else self.begins

    def words(self) -> str:
        """Return how the rows were judged, in a sentence.

        Examples
        --------
        >>> print(Split(0, 0, np.arange(4), np.arange(4, 6)).words())
        Judged in time: on 2 rows as of 1970-01-01, later than any of the 4 learned from.
        """
        first, last = to_iso(self.begins)[:10], to_iso(self.ends)[:10]
        when = first if first == last else f"{first} to {last}"
        learned, judged = f"{len(self.train):,}", f"{len(self.test):,} rows"
        if self.kind == "time":
            return (
                f"Judged in time: on {judged} as of {when}, later than any of the {learned} "
                "learned from."
            )
        if self.kind == "decisions":
            return (
                f"Judged in time: on the latest decisions, {judged} decided {when}, later than "
                f"any of the {learned} learned from."
            )
        deals = sum(len(fold.test) for fold in self.folds) // len(self.test)
        times = "" if deals == 1 else f", dealt {deals} times"
        return (
            f"Not judged in time, because {self.why}: each of {judged} by models that did not see "
            f"its customer ({len(self.folds) // deals} stratified folds{times}). What is published "
            "learned from all of them."
        )


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
    as_of, matures_at : ndarray of int64, shape (n,)
        For a split by decisions, the dates of the answers twice.
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
