"""New events on their way into their buckets: coded, parted, sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features import hashing, keys
from features.bucket import N_BUCKETS
from features.dictionary import Dictionary
from features.interleave import ordered
from features.keys import Keys
from features.part import Chunk, People
from features.validate import ROW, comparable

FILE = "_file"
"""Column of spilled events: which of the ingest's files a row came from."""
ARRIVAL = "_arrival"
"""Column of spilled events: their number among all that the ingest was given."""


def spill_schema(wanted: pa.Schema) -> pa.Schema:
    """Return the schema of new events on their way into a bucket of schema `wanted`."""
    fields = [pa.field("customer_id", pa.string(), nullable=False), *wanted]
    extra = [pa.field(FILE, pa.int32()), pa.field(ROW, pa.int64()), pa.field(ARRIVAL, pa.int64())]
    return pa.schema([*fields, *extra])


def spilled(
    table: pa.Table, codes: Mapping[str, Dictionary], file: int, arrived: int, wanted: pa.Schema
) -> pa.Table:
    """Return checked events in `spill_schema`; texts not seen before enter their dictionary.

    Parameters
    ----------
    table : pyarrow.Table
        As `validate.events` returns it.
    codes : dict of str to Dictionary
    file : int
        The number of the table's file.
    arrived : int
        How many events came before.
    wanted : pyarrow.Schema
    """
    numbers = {
        FILE: np.full(table.num_rows, file, dtype=np.int32),
        ARRIVAL: np.arange(arrived, arrived + table.num_rows),
    }
    columns: list[Any] = []
    for field in wanted:
        if field.name in numbers:
            columns.append(pa.array(numbers[field.name]))
        elif field.name in codes:
            columns.append(_coded(table[field.name], codes[field.name]))
        else:
            columns.append(table[field.name])
    return pa.Table.from_arrays(columns, schema=wanted)


def _coded(column: pa.ChunkedArray, dictionary: Dictionary) -> pa.Array:
    local = column.combine_chunks().dictionary_encode()
    codes = np.append(dictionary.codes(local.dictionary.to_pylist()), np.int32(-1))
    return pa.array(codes[local.indices.fill_null(len(codes) - 1).to_numpy()].astype(np.int32))


def keys_of(rows: pa.Table, schema: pa.Schema) -> Keys:
    """Return the keys of events that have the columns of a bucket's schema and customer_id."""
    missing = keys.missing_values(schema)
    columns = {name: comparable(rows[name]) for name in missing}
    who, ids = hashing.texts(rows["customer_id"]), hashing.texts(rows["event_id"])
    return keys.keys(ids, who, columns, missing)


def by_bucket(table: pa.Table, buckets: NDArray[np.int64]) -> Sequence[pa.Table]:
    """Return a table's rows bucket by bucket, each in the table's order."""
    order = np.argsort(buckets.astype(np.uint8), kind="stable")
    moved = table.take(pa.array(order))
    ends = np.searchsorted(buckets[order], np.arange(N_BUCKETS + 1))
    return [moved.slice(a, b - a) for a, b in pairwise(ends)]


def chunk_of(rows: pa.Table, schema: pa.Schema) -> Chunk:
    """Return events in no order, at least one, sorted and with their customers beside them."""
    coded = rows["customer_id"].combine_chunks().dictionary_encode()
    order = pc.sort_indices(coded.dictionary).to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    who = ranks[coded.indices.to_numpy()]
    moved = ordered(who, rows["occurred_at"].to_numpy(), rows["event_id"])
    events = rows.select(schema.names).take(pa.array(moved)).combine_chunks()
    counts = np.bincount(who, minlength=len(order))
    starts = np.cumsum(counts) - counts
    known_at: NDArray[np.int64] = np.minimum.reduceat(events["recorded_at"].to_numpy(), starts)
    ids = coded.dictionary.take(pa.array(order))
    return Chunk(People(ids, counts, known_at), events.cast(schema))


def texts_of(event: dict[str, Any], dictionaries: Mapping[str, Dictionary]) -> dict[str, Any]:
    """Return an event with its codes as the texts they stand for."""
    return {
        name: dictionaries[name].text(value) if name in dictionaries else value
        for name, value in event.items()
    }
