"""Blocks: the log cut between customers into parts that fit a cache and a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.bucket import buckets_of
from features.pieces import Pieces


class BlockRef(NamedTuple):
    """Where a block lies, and how much it holds.

    Attributes
    ----------
    number : int
        Its place in `EventLog.blocks`.
    bucket, block : int
        The bucket, and which of its blocks.
    customers, rows : int
        How many customers and events it holds.
    """

    number: int
    bucket: int
    block: int
    customers: int
    rows: int


@dataclass(frozen=True)
class Block:
    """The events of some customers, ready for the kernel.

    Attributes
    ----------
    customers : pyarrow.StringArray of length n
        Sorted by their bytes.
    offsets : ndarray of int64, shape (n + 1,)
        Customer ``i`` has the events from ``offsets[i]`` up to ``offsets[i + 1]``.
    values : ndarray of int64, shape (n_columns, n_events), C-contiguous
        Events sorted by (customer, occurred_at, event_id); codes are -1 and numbers `NULL` where
        missing.
    """

    customers: Any
    offsets: NDArray[np.int64]
    values: NDArray[np.int64]


def refs(buckets: list[Pieces]) -> tuple[BlockRef, ...]:
    """Return the blocks of all buckets, in order."""
    found: list[BlockRef] = []
    for number, pieces in enumerate(buckets):
        held = zip(np.diff(pieces.bounds).tolist(), pieces.rows.tolist(), strict=True)
        for block, (customers, rows) in enumerate(held):
            found.append(BlockRef(len(found), number, block, customers, rows))
    return tuple(found)


def locate(
    buckets: list[Pieces], customer_ids: Any, bucket: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of each customer's block and its place there; -1, -1 where unknown.

    With `bucket`, all of them belong to that one.
    """
    ids = customer_ids.combine_chunks() if hasattr(customer_ids, "chunks") else customer_ids
    if bucket is not None:
        return _locate_in(buckets, bucket, ids)
    block = np.empty(len(ids), dtype=np.int64)
    place = np.empty(len(ids), dtype=np.int64)
    of = buckets_of(ids)
    order = np.argsort(of.astype(np.uint8), kind="stable")
    ends = np.searchsorted(of[order], np.arange(len(buckets) + 1))
    for number in range(len(buckets)):
        rows = order[ends[number] : ends[number + 1]]
        if len(rows):
            block[rows], place[rows] = _locate_in(buckets, number, ids.take(pa.array(rows)))
    return block, place


def _locate_in(
    buckets: list[Pieces], number: int, ids: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    block = np.full(len(ids), -1, dtype=np.int64)
    place = np.full(len(ids), -1, dtype=np.int64)
    pieces = buckets[number]
    if len(pieces.ids):
        before = sum(len(held.rows) for held in buckets[:number])
        found = pc.index_in(ids, value_set=pieces.ids)
        numbers = found.fill_null(-1).to_numpy().astype(np.int64)
        known = numbers >= 0
        blocks = np.searchsorted(pieces.bounds, numbers[known], side="right") - 1
        block[known] = before + blocks
        place[known] = numbers[known] - pieces.bounds[blocks]
    return block, place
