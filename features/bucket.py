"""One bucket of the log in memory: the customers whose hash falls there, and their events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features import hashing
from features.kernel import NO_CODE

N_BUCKETS = 16


@dataclass(frozen=True)
class Bucket:
    """The events of some customers, ready for the kernel.

    Attributes
    ----------
    customers : ndarray of str, shape (n,)
        Sorted.
    offsets : ndarray of int64, shape (n + 1,)
        Customer ``i`` has the rows from ``offsets[i]`` up to ``offsets[i + 1]``.
    values : ndarray of int64, shape (n_columns, n_rows), C-contiguous
        Rows sorted by (customer, occurred_at, event_id).
    """

    customers: NDArray[Any]
    offsets: NDArray[np.int64]
    values: NDArray[np.int64]


def buckets_of(customer_ids: Any) -> NDArray[np.int64]:
    """Return the bucket of each customer of an Arrow column, the same on every machine.

    Examples
    --------
    >>> buckets_of(pa.array(["1", "2"])).tolist()
    [0, 8]
    """
    return (hashing.texts(customer_ids) % np.uint64(N_BUCKETS)).astype(np.int64)


def bucket_of(customer_id: str) -> int:
    """Return the bucket of a customer, the same on every machine.

    Examples
    --------
    >>> bucket_of("1"), bucket_of("2")
    (0, 8)
    """
    return int(buckets_of(pa.array([customer_id], pa.string()))[0])


def schema(columns: Sequence[str], coded: Sequence[str]) -> pa.Schema:
    """Return the columns that a bucket's files keep of an event beside its customer.

    Narrow codes, whole numbers with nulls, and last what computing features never reads.
    """
    fields = [
        pa.field(name, pa.int32(), nullable=False)
        if name in coded
        else pa.field(name, pa.int64(), nullable=name not in ("occurred_at", "recorded_at"))
        for name in columns
    ]
    return pa.schema([*fields, pa.field("event_id", pa.string(), nullable=False)])


def conform(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    """Return a table in a schema that may have grown since; a column it lacks is all missing."""
    arrays = []
    for field in wanted:
        if field.name in table.column_names:
            arrays.append(table[field.name].cast(field.type))
        elif field.type == pa.int32():
            arrays.append(pa.array(np.full(table.num_rows, NO_CODE, dtype=np.int32)))
        else:
            arrays.append(pa.nulls(table.num_rows, field.type))
    return pa.Table.from_arrays(arrays, schema=wanted)
