"""Two words for each event: one for its id, one for all that it says.

Events with equal words are one event. That two of them differ in truth has odds below 2^-100, so
that an event sent again need not be read from the log to be known again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features import hashing
from features.bucket import N_BUCKETS
from features.kernel import NULL

Words = NDArray[np.uint64]
_BUCKET = np.uint64(N_BUCKETS - 1)
_ODD = np.uint64(0x9E3779B97F4A7C15)


class Keys(NamedTuple):
    """What identifies events.

    Attributes
    ----------
    ids : ndarray of uint64
        Hashes of their event ids.
    contents : ndarray of uint64
        Hashes of all else; the lowest bits name the bucket.
    """

    ids: Words
    contents: Words

    def take(self, rows: Any) -> Keys:
        """Return the keys that a mask, slice or index chooses."""
        return Keys(self.ids[rows], self.contents[rows])


def keys(
    ids: Words, customers: Words, columns: Mapping[str, NDArray[Any]], missing: Mapping[str, int]
) -> Keys:
    """Return the keys of events.

    Parameters
    ----------
    ids, customers : ndarray of uint64
        Hashes of their event and customer ids, see `hashing.texts`.
    columns : dict of str to ndarray of int64 or int32
    missing : dict of str to int
        The value of each column that stands for a missing one. A column that is all missing
        changes no key, so that a log may grow by one.
    """
    total = hashing.mixed(customers)
    # Multilinear: two events that differ in one column only never have the same sum.
    for name, values in columns.items():
        words = values.astype(np.int64).view(np.uint64) - np.uint64(missing[name] % 2**64)
        words *= _multiplier(name)
        total += words
    total = hashing.mixed(total)
    return Keys(ids, (total & ~_BUCKET) | (customers % np.uint64(N_BUCKETS)))


def missing_values(schema: pa.Schema) -> dict[str, int]:
    """Return the value that stands for a missing one in each integer column of a schema."""
    return {
        field.name: -1 if field.type == pa.int32() else NULL
        for field in schema
        if pa.types.is_integer(field.type)
    }


def buckets(found: Keys) -> NDArray[np.int64]:
    """Return the bucket of each event."""
    return (found.contents & _BUCKET).astype(np.int64)


def digest(found: Keys) -> list[int]:
    """Return two sums that tell sets of events apart; the sums of a union are the sums' sums."""
    first = hashing.mixed(found.ids + found.contents * _ODD)
    second = hashing.mixed(found.contents ^ hashing.mixed(found.ids))
    return [int(first.sum(dtype=np.uint64)), int(second.sum(dtype=np.uint64))]


def digest_sum(one: list[int], other: list[int]) -> list[int]:
    """Return the digest of two sets of events together.

    Examples
    --------
    >>> digest_sum([2**64 - 1, 1], [2, 2])
    [1, 3]
    """
    return [(a + b) % 2**64 for a, b in zip(one, other, strict=True)]


def _multiplier(name: str) -> np.uint64:
    return np.uint64(int(hashing.texts(pa.array([name]))[0]) | 1)
