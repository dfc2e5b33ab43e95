"""Whom a spine's rows are about, each once, and where in the log they lie."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.log import EventLog
from features.spine import Spine


class People(NamedTuple):
    """The customers of a spine.

    Attributes
    ----------
    codes : ndarray of int32, shape (n,)
        Whom each row is about.
    blocks, positions : ndarray of int64, shape (n_people,)
        Known once a share has been begun. Without events -1, and a number of their own.
    """

    ids: pa.StringArray
    buckets: NDArray[np.uint16]
    codes: NDArray[np.int32]
    blocks: NDArray[np.int64]
    positions: NDArray[np.int64]

    @classmethod
    def of(cls, log: EventLog, spine: Spine) -> People:
        """Return the customers of a spine, not yet found."""
        people = ids_of(spine)
        ids, codes = people.dictionary, people.indices.to_numpy()
        room = [np.empty(len(ids), np.int64) for _ in range(2)]
        return cls(ids, log.buckets_of(ids).astype(np.uint16), codes, *room)

    def find(self, log: EventLog, bucket: int) -> None:
        """Find the customers of a bucket."""
        own = np.flatnonzero(self.buckets == bucket)
        block, position = log.locate(self.ids.take(pa.array(own)), bucket)
        self.blocks[own] = block
        self.positions[own] = np.where(block < 0, np.arange(len(own)), position)


def ids_of(spine: Spine) -> pa.DictionaryArray:
    """Return whom a spine's rows are about: each id once, and which of them is each row's.

    Examples
    --------
    >>> from features.spine import grid
    >>> found = ids_of(grid(["b", "a"], [5, 7]))
    >>> found.dictionary.to_pylist(), found.indices.to_pylist()
    (['b', 'a'], [0, 1, 0, 1])
    """
    ids = pa.array(spine.customer_id, pa.string()) if spine.ids is None else spine.ids
    if isinstance(ids, pa.DictionaryArray):
        return ids
    return ids.dictionary_encode(null_encoding="encode")
