"""Which rows of a dataset are judged, by what puts them in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.clock import parse_duration
from models.spec import ModelSpec
from training.dataset import Dataset
from training.folds import repeated
from training.split import Slicing, Split, SplitError, inner, rolling

Integers = NDArray[np.int64]

SHARE = 0.2
"""Of the rows by the dates of their answers: as many are judged."""


def slicing_of(spec: ModelSpec) -> Slicing:
    """Return how a model's evaluation slices are cut: `spec.slice` wide, one behind the other.

    Rows with moments of their own reach further back until there are enough positives. A customer
    may have several rows in a slice; intervals are over customers.
    """
    width = parse_duration(spec.slice)
    positives = 0 if spec.spine is None else spec.minimum.positives
    return Slicing(width=width, every=width, positives=positives)


def splits(spec: ModelSpec, data: Dataset) -> list[Split]:
    """Return how the rows are judged, the latest split first; none where time does not tell.

    Parameters
    ----------
    spec : ModelSpec
        Asks for its latest slice and `backtests` earlier ones.
    data : Dataset
        `order` says what puts its rows in time.

    Raises
    ------
    SplitError
        No moment leaves both answers before and after it.
    """
    y, slices = data.y.to_numpy(), 1 + spec.backtests
    as_of, matures_at = (data.rows[name].to_numpy() for name in ("as_of", "matures_at"))
    if data.order == "none":
        return []
    if data.order == "decided_at":
        return decisions(matures_at, y, slices=slices, positives=spec.minimum.positives)
    return rolling(as_of, matures_at, y, slicing_of(spec), slices=slices)


def decisions(
    decided_at: Integers, y: Integers, *, slices: int, share: float = SHARE, positives: int = 0
) -> list[Split]:
    """Return splits by the dates of the answers, the latest first.

    Parameters
    ----------
    decided_at : ndarray of int64, shape (n,)
        When each answer was known, microseconds UTC.
    share : float
        The latest slice holds at least this share of the rows; earlier ones are as long.
    positives : int
        The latest slice reaches back until it holds as many, but not beyond half of the rows.

    Raises
    ------
    SplitError
        There is not even one slice with both answers before and in it.

    Examples
    --------
    >>> decided_at, y = np.arange(10), np.tile([0, 1], 5)
    >>> [(s.begins, s.ends) for s in decisions(decided_at, y, slices=2)]
    [(8, 9), (6, 7)]
    """
    latest = np.argsort(-decided_at, kind="stable")
    enough = 1 + int(np.searchsorted(np.cumsum(y[latest]), positives))
    rows = max(int(np.ceil(share * len(y))), min(enough, len(y) // 2))
    ends, begins = int(decided_at[latest[0]]), int(decided_at[latest[rows - 1]])
    width = ends - begins + 1
    found = rolling(decided_at, decided_at, y, Slicing(width, width), slices=slices)
    return [replace(split, kind="decisions") for split in found]


def in_folds(data: Dataset, random_state: int, why: str) -> Split:
    """Return the split that judges every row by models that did not see its customer.

    Parameters
    ----------
    why : str
        Why time does not split them.

    Raises
    ------
    SplitError
        There is one answer only.
    """
    y, as_of = data.y.to_numpy(), data.rows["as_of"].to_numpy()
    if not _both(y):
        raise SplitError(
            f"All of {len(y):,} rows have the same answer; there are {int(y.sum()):,} positives.",
            remedy="Ingest rows of both answers.",
        )
    every = np.arange(len(y))
    folds = repeated(y, customers_of(data, every), random_state)
    return Split(int(as_of.min()), int(as_of.max()), every, every, "folds", folds, why)


def customers_of(data: Dataset, rows: Integers) -> Integers:
    """Return codes of the customers of some rows, int64."""
    names = data.rows["customer_id"].to_numpy()[rows].astype(str)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def stop_by(data: Dataset, split: Split) -> tuple[Integers, Integers] | None:
    """Return positions in the data, among a split's training rows, to learn from and to stop by.

    Returns
    -------
    (ndarray, ndarray) or None
        The later part to stop by; None where the period is too short or time does not tell, and
        customers left out in turn settle the trees.
    """
    if split.kind == "folds":
        return None
    matures_at = data.rows["matures_at"].to_numpy()
    moments = matures_at if split.kind == "decisions" else data.rows["as_of"].to_numpy()
    part = inner(split, moments, matures_at, data.y.to_numpy())
    return None if part is None else (part.train, part.test)


def _both(y: Integers) -> bool:
    return 0 < int(y.sum()) < len(y)
