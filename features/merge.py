"""New events into one bucket: each event_id once, sorted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features import bucket, duplicates
from features.customers import FIRST_SEEN
from features.dictionary import Dictionary
from features.part import People
from features.validate import ROW, comparable

FILE = "_file"
"""Column of spilled events: which of the ingest's files a row came from."""


class Conflict(NamedTuple):
    """An event whose id the log, or an earlier batch, has with other content."""

    file: int
    row: int
    column: str
    event: dict[str, Any]


class Merged(NamedTuple):
    """What became of new events.

    Attributes
    ----------
    table : pyarrow.Table or None
        The bucket's new content, sorted; None where no event is new.
    added, repeated : int
    conflicts : list of Conflict
    """

    table: pa.Table | None
    added: int
    repeated: int
    conflicts: list[Conflict]


def with_customers(wanted: pa.Schema) -> pa.Schema:
    """Return the schema of a bucket's events with their customer first."""
    coded = pa.dictionary(pa.int32(), pa.string())
    return wanted.insert(0, pa.field("customer_id", coded, nullable=False))


def split(table: pa.Table) -> tuple[People, pa.Table]:
    """Return the customers of sorted events, and the events without them."""
    customers = table["customer_id"].combine_chunks()
    starts = np.flatnonzero(np.diff(customers.indices.to_numpy(), prepend=-1))
    earliest: NDArray[np.int64] = np.minimum.reduceat(table["recorded_at"].to_numpy(), starts)
    who = customers.dictionary.take(pa.array(customers.indices.to_numpy()[starts]))
    counts = np.diff(starts, append=table.num_rows)
    return People(who, counts, earliest), table.drop_columns("customer_id")


def spill_schema(wanted: pa.Schema) -> pa.Schema:
    """Return the schema of new events on their way into a bucket."""
    plain = wanted.set(0, pa.field("customer_id", pa.string(), nullable=False))
    return plain.append(pa.field(FILE, pa.int32())).append(pa.field(ROW, pa.int64()))


def merge(old: pa.Table | None, new: pa.Table, wanted: pa.Schema) -> Merged:
    """Return the bucket of the old events and the new ones whose id it has not seen.

    Parameters
    ----------
    old : pyarrow.Table or None
        The bucket so far, in the schema `wanted`.
    new : pyarrow.Table
        In `spill_schema`; the order in which the events arrived.
    wanted : pyarrow.Schema
        See `bucket.schema`.
    """
    rows = new.select(wanted.names)
    n_old = 0
    if old is not None:
        n_old = old.num_rows
        rows = pa.concat_tables([old.cast(rows.schema), rows])
    key = duplicates.codes(rows["event_id"])
    content = {name: comparable(rows[name]) for name in wanted.names if name != "event_id"}
    found = duplicates.find(key, content)
    kept = ~(found.repeated | found.conflicting)
    conflicts = [
        Conflict(
            new[FILE][int(row) - n_old].as_py(),
            new[ROW][int(row) - n_old].as_py(),
            str(found.column[row]),
            rows.slice(int(row), 1).to_pylist()[0],
        )
        for row in np.flatnonzero(found.conflicting)
    ]
    added = int(kept.sum()) - n_old
    table = _sorted(rows.filter(pa.array(kept)), wanted) if added else None
    return Merged(table, added, int(found.repeated.sum()), conflicts)


def _sorted(rows: pa.Table, wanted: pa.Schema) -> pa.Table:
    coded = rows["customer_id"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    ranks = np.empty(len(names), dtype=np.int32)
    ranks[order] = np.arange(len(names), dtype=np.int32)
    customer = pa.array(ranks[coded.indices.to_numpy()])
    table = rows.drop_columns("customer_id").append_column("_customer", customer)
    # In this order Python's, Arrow's and DuckDB's text order are one: by UTF-8 bytes.
    table = table.sort_by(
        [("_customer", "ascending"), ("occurred_at", "ascending"), ("event_id", "ascending")]
    )
    texts = pa.array([names[code] for code in order], pa.string())
    indices = table["_customer"].combine_chunks()
    columns: list[Any] = [pa.DictionaryArray.from_arrays(indices, texts)]
    columns += [table[name].combine_chunks() for name in wanted.names[1:]]
    return pa.Table.from_arrays(columns, schema=wanted)


def counted(table: pa.Table, kinds: Dictionary) -> dict[str, Any]:
    """Return what the manifest says of a bucket: rows, rows and span of each kind, last instant."""
    codes, occurred = table["kind"].to_numpy(), table["occurred_at"].to_numpy()
    spans = {}
    for code in np.unique(codes):
        times = occurred[codes == code]
        spans[str(kinds.text(int(code)))] = [len(times), int(times.min()), int(times.max())]
    last = max(int(occurred.max()), int(table["recorded_at"].to_numpy().max()))
    return {"rows": table.num_rows, "kinds": spans, "last_instant": last}


def first_seen(table: pa.Table) -> pa.Table:
    """Return when the first event of each of a bucket's customers was recorded."""
    customers = table["customer_id"].combine_chunks()
    starts = np.flatnonzero(np.diff(customers.indices.to_numpy(), prepend=-1))
    earliest: NDArray[np.int64] = np.minimum.reduceat(table["recorded_at"].to_numpy(), starts)
    who = customers.dictionary.take(pa.array(customers.indices.to_numpy()[starts]))
    return pa.Table.from_arrays([who, pa.array(earliest)], schema=FIRST_SEEN)


def texts_of(event: dict[str, Any], dictionaries: dict[str, Dictionary]) -> dict[str, Any]:
    """Return an event with its codes as the texts they stand for."""
    return {
        name: dictionaries[name].text(value) if name in dictionaries else value
        for name, value in event.items()
    }


def spilled(
    table: pa.Table, codes: dict[str, Dictionary], file: int, wanted: pa.Schema
) -> pa.Table:
    """Return checked events in `spill_schema`; texts not seen before enter their dictionary."""
    columns: list[Any] = []
    for field in wanted:
        if field.name == FILE:
            columns.append(pa.array(np.full(table.num_rows, file, dtype=np.int32)))
        elif field.name in codes:
            columns.append(_coded(table[field.name], codes[field.name]))
        else:
            columns.append(table[field.name])
    return pa.Table.from_arrays(columns, schema=wanted)


def _coded(column: pa.ChunkedArray, dictionary: Dictionary) -> pa.Array:
    local = column.combine_chunks().dictionary_encode()
    codes = np.append(dictionary.codes(local.dictionary.to_pylist()), np.int32(-1))
    return pa.array(codes[local.indices.fill_null(len(codes) - 1).to_numpy()].astype(np.int32))


def by_bucket(table: pa.Table) -> Sequence[pa.Table]:
    """Return a table's rows bucket by bucket, each in the table's order."""
    local = table["customer_id"].combine_chunks().dictionary_encode()
    numbers = np.array([bucket.bucket_of(who) for who in local.dictionary.to_pylist()], dtype=int)
    numbers = numbers[local.indices.to_numpy()]
    order = np.argsort(numbers, kind="stable")
    moved = table.take(pa.array(order))
    ends = np.searchsorted(numbers[order], np.arange(bucket.N_BUCKETS + 1))
    return [moved.slice(a, b - a) for a, b in pairwise(ends)]
