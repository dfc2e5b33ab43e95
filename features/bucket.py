"""One part of the log: the events of the customers whose hash falls there, sorted."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.kernel import NO_CODE, NULL

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


def bucket_of(customer_id: str) -> int:
    """Return the bucket of a customer, the same on every machine.

    Examples
    --------
    >>> bucket_of("1"), bucket_of("2")
    (7, 13)
    """
    return zlib.crc32(customer_id.encode("utf-8")) % N_BUCKETS


def schema(columns: Sequence[str], coded: Sequence[str]) -> pa.Schema:
    """Return the schema of a bucket's file: narrow codes, whole numbers with nulls."""
    identity = [
        pa.field("customer_id", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("event_id", pa.string(), nullable=False),
    ]
    return pa.schema(
        identity
        + [
            pa.field(name, pa.int32(), nullable=False)
            if name in coded
            else pa.field(name, pa.int64(), nullable=name not in ("occurred_at", "recorded_at"))
            for name in columns
        ]
    )


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


def load(path: Path, columns: Sequence[str], coded: Sequence[str]) -> Bucket:
    """Return the columns of a bucket's file as the kernel wants them."""
    present = set(pq.read_schema(path).names)
    table = pq.read_table(path, columns=["customer_id", *(c for c in columns if c in present)])
    values = np.empty((len(columns), table.num_rows), dtype=np.int64)
    for row, name in enumerate(columns):
        if name not in present:
            values[row] = NO_CODE if name in coded else NULL
        else:
            column = table[name]
            values[row] = (pc.fill_null(column, NULL) if column.null_count else column).to_numpy()
    customers, offsets = _runs(table["customer_id"])
    return Bucket(customers, offsets, values)


def _runs(column: pa.ChunkedArray) -> tuple[NDArray[Any], NDArray[np.int64]]:
    flat = column.unify_dictionaries().combine_chunks()
    indices = flat.indices.to_numpy()
    starts = np.flatnonzero(np.diff(indices, prepend=-1))
    texts = flat.dictionary.take(pa.array(indices[starts]))
    offsets = np.append(starts, len(indices)).astype(np.int64)
    return np.array(texts.to_pylist(), dtype=object), offsets


def empty(columns: Sequence[str]) -> Bucket:
    """Return the bucket that nobody falls into."""
    nothing = np.empty((len(columns), 0), dtype=np.int64)
    return Bucket(np.empty(0, dtype=object), np.zeros(1, dtype=np.int64), nothing)


def write(table: pa.Table, path: Path) -> None:
    """Write sorted events in a bucket's schema as Parquet."""
    times = {"occurred_at": "DELTA_BINARY_PACKED", "recorded_at": "DELTA_BINARY_PACKED"}
    pq.write_table(
        table,
        path,
        compression="zstd",
        row_group_size=1 << 20,
        use_dictionary=[name for name in table.column_names if name not in (*times, "event_id")],
        column_encoding={**times, "event_id": "DELTA_BYTE_ARRAY"},
    )
