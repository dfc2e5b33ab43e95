"""The order in which several sorted pieces of one bucket read as one sorted whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_STRETCH = 32


class Sorted(NamedTuple):
    """A piece's events, sorted by (customer, occurred_at, event_id).

    Attributes
    ----------
    numbers : ndarray of int64
        Its customers' numbers in the whole, ascending.
    counts : ndarray of int64
        How many events each of them has here.
    occurred_at : ndarray of int64
    """

    numbers: NDArray[np.int64]
    counts: NDArray[np.int64]
    occurred_at: NDArray[np.int64]


class Whole(NamedTuple):
    """Where each customer's events begin in the whole, and for each of its rows where it is from.

    `source` counts through the rows of the pieces, one piece after the other.
    """

    offsets: NDArray[np.int64]
    source: NDArray[np.int64]


def interleave(
    pieces: Sequence[Sorted], customers: int, event_ids: Callable[[], Sequence[Any]]
) -> Whole:
    """Return the order of the whole.

    Parameters
    ----------
    pieces : sequence of Sorted
    customers : int
        How many the whole has.
    event_ids : callable
        Returns the event ids of each piece. Called only where events of several pieces
        occurred at the same moment, which nothing else can order.

    Examples
    --------
    >>> one = Sorted(np.array([0, 1]), np.array([1, 1]), np.array([5, 5]))
    >>> two = Sorted(np.array([0]), np.array([2]), np.array([3, 7]))
    >>> whole = interleave([one, two], 2, list)
    >>> whole.offsets.tolist(), whole.source.tolist()
    ([0, 3, 4], [2, 0, 3, 1])
    """
    held = np.zeros(customers, dtype=np.int64)
    shares = np.zeros(customers, dtype=np.int64)
    for piece in pieces:
        held[piece.numbers] += piece.counts
        shares[piece.numbers] += 1
    offsets = np.concatenate([[0], np.cumsum(held)]).astype(np.int64)
    source = np.empty(offsets[-1], dtype=np.int64)
    mixed = []
    before = 0
    for piece in pieces:
        size = len(piece.occurred_at)
        starts = np.cumsum(piece.counts) - piece.counts
        to = np.repeat(offsets[piece.numbers] - starts, piece.counts) + np.arange(size)
        alone = np.repeat(shares[piece.numbers] == 1, piece.counts)
        source[to[alone]] = before + np.flatnonzero(alone)
        mixed.append(before + np.flatnonzero(~alone))
        before += size
    rows = np.concatenate(mixed)
    if len(rows):
        who = np.concatenate([np.repeat(piece.numbers, piece.counts) for piece in pieces])[rows]
        when = np.concatenate([piece.occurred_at for piece in pieces])[rows]
        order = np.lexsort((when, who))
        rows, who, when = rows[order], who[order], when[order]
        ends = np.cumsum([len(piece.occurred_at) for piece in pieces])
        if _ties(who, when, np.searchsorted(ends, rows, side="right")):
            rows = _by_id(rows, who, when, pa.chunked_array(event_ids(), pa.string()))
        places = np.arange(len(rows))
        starts = np.maximum.accumulate(np.where(np.diff(who, prepend=-1) != 0, places, 0))
        source[offsets[who] + places - starts] = rows
    return Whole(offsets, source)


def gather(parts: Sequence[NDArray[np.int64]], source: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the whole's columns, each a row, from those of its pieces.

    Examples
    --------
    >>> gather([np.array([[1, 2]]), np.array([[3]])], np.array([0, 2, 1])).tolist()
    [[1, 3, 2]]
    """
    whole = np.empty((len(parts[0]), len(source)), dtype=np.int64)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(source) != 1) + 1, [len(source)]])
    if len(starts) > len(source) // _STRETCH:
        joined = np.concatenate(parts, axis=1)
        for row, values in zip(whole, joined, strict=True):
            np.take(values, source, out=row)
        return whole
    # Few events came later: all between them is copied in stretches, as it stood.
    bounds = np.cumsum([0, *(part.shape[1] for part in parts)])
    for start, end in pairwise(starts.tolist()):
        at = start
        while at < end:
            piece = int(np.searchsorted(bounds, source[at], side="right")) - 1
            first = int(source[at] - bounds[piece])
            held = parts[piece][:, first : first + end - at]
            whole[:, at : at + held.shape[1]] = held
            at += held.shape[1]
    return whole


def ordered(
    who: NDArray[np.int64], when: NDArray[np.int64], event_ids: pa.ChunkedArray
) -> NDArray[np.int64]:
    """Return the order of events in no order: by customer's number, moment and id."""
    order = np.lexsort((when, who))
    return _by_id(order, who[order], when[order], event_ids)


def _same(who: NDArray[np.int64], when: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows are of the customer and moment of the row before."""
    same = (who[1:] == who[:-1]) & (when[1:] == when[:-1])
    return np.concatenate([[False], same])[: len(who)]


def _ties(who: NDArray[np.int64], when: NDArray[np.int64], piece: NDArray[np.int64]) -> bool:
    """Return whether events of several pieces are of one customer and moment."""
    return bool((_same(who, when)[1:] & (piece[1:] != piece[:-1])).any())


def _by_id(
    rows: NDArray[np.int64],
    who: NDArray[np.int64],
    when: NDArray[np.int64],
    event_ids: pa.ChunkedArray,
) -> NDArray[np.int64]:
    """Return sorted rows with those of one customer and moment in the order of their ids."""
    same = _same(who, when)
    group = np.cumsum(~same)
    tied = np.flatnonzero(same | np.append(same[1:], False))
    keys = pa.table({"group": group[tied], "id": event_ids.take(pa.array(rows[tied]))})
    # In this order Python's, Arrow's and DuckDB's text order are one: by UTF-8 bytes.
    order = pc.sort_indices(keys, sort_keys=[("group", "ascending"), ("id", "ascending")])
    moved = rows.copy()
    moved[tied] = rows[tied][order.to_numpy()]
    return moved
