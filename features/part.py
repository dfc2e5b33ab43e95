"""One sorted piece of a bucket on disk: a Parquet file of events and a file of their customers.

The events' file has one row group a *block*, and a block holds whole customers. The customers'
file says who they are, how many events each has, and when the first of them was recorded, so that
reading events makes no text and searches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.fill import fill
from features.kernel import NO_CODE, NULL
from features.large_pages import spacious

BLOCK_ROWS = 1 << 18
CUSTOMER = "customer"
"""Column of the events' file: the customer's number in the customers' file."""
PEOPLE = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("events", pa.int64(), nullable=False),
        pa.field("known_at", pa.int64(), nullable=False),
    ]
)


class People(NamedTuple):
    """The customers of a piece, sorted by the bytes of their ids.

    Attributes
    ----------
    ids : pyarrow.StringArray
    counts, known_at : ndarray of int64
        How many events each has here, and when the first of them was recorded.
    """

    ids: Any
    counts: NDArray[np.int64]
    known_at: NDArray[np.int64]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each customer's events begin, and where the last one's end."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)

    def slice(self, first: int, end: int) -> People:
        """Return the customers from number `first` up to `end`."""
        chosen = self.ids.slice(first, end - first)
        return People(chosen, self.counts[first:end], self.known_at[first:end])


class Chunk(NamedTuple):
    """Some customers and all their events, in order; the events as `bucket.schema` says."""

    people: People
    events: pa.Table


def cut(chunk: Chunk, first: int, end: int) -> Chunk:
    """Return the customers from number `first` up to `end` with their events."""
    start = int(chunk.people.counts[:first].sum())
    rows = int(chunk.people.counts[first:end].sum())
    return Chunk(chunk.people.slice(first, end), chunk.events.slice(start, rows))


def joined(parts: Sequence[People]) -> People:
    """Return customers one after the other."""
    if len(parts) == 1:
        return parts[0]
    return People(
        pa.concat_arrays([people.ids for people in parts]),
        np.concatenate([people.counts for people in parts]),
        np.concatenate([people.known_at for people in parts]),
    )


def people_of(table: pa.Table) -> People:
    """Return the customers of a table in `PEOPLE`."""
    ids = table["customer_id"].combine_chunks()
    ids = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids
    return People(ids, table["events"].to_numpy(), table["known_at"].to_numpy())


def read_people(path: Path) -> People:
    """Return the customers of a piece; the file stays mapped as long as they are used."""
    with pa.memory_map(str(path)) as stream:
        return people_of(pa.ipc.open_file(stream).read_all())


def write_people(people: People, path: Path) -> None:
    """Write the customers of a piece so that they can be mapped."""
    table = pa.table(list(people), schema=PEOPLE)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, PEOPLE) as writer:
        writer.write_table(table)


class Writer:
    """Writes the events of a piece block by block.

    Attributes
    ----------
    blocks : list of [customers, rows]
        Of each block written so far.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.blocks: list[list[int]] = []
        self._schema = schema.insert(0, pa.field(CUSTOMER, pa.int32(), nullable=False))
        self._customers = 0
        # Measured: of what every engine reads, this is read fastest, and it is small. Ids are read
        # for the rare tie only, so there size counts.
        narrow = [field.name for field in schema if field.type == pa.int32()] + ["quantity"]
        wide = [field.name for field in schema if field.name not in (*narrow, "event_id")]
        self._file = pq.ParquetWriter(
            path,
            self._schema,
            compression=dict.fromkeys(self._schema.names, "lz4") | {"event_id": "zstd"},
            use_dictionary=narrow,
            column_encoding={CUSTOMER: "DELTA_BINARY_PACKED", "event_id": "DELTA_BYTE_ARRAY"}
            | dict.fromkeys(wide, "BYTE_STREAM_SPLIT"),
        )

    def write(self, counts: NDArray[np.int64], events: pa.Table) -> None:
        """Write a block: the events of the next ``len(counts)`` customers, in the schema."""
        numbers = np.arange(self._customers, self._customers + len(counts), dtype=np.int32)
        column = pa.array(np.repeat(numbers, counts))
        self._customers += len(counts)
        self.blocks.append([len(counts), events.num_rows])
        if events.num_rows:
            table = pa.Table.from_arrays([column, *events.columns], schema=self._schema)
            self._file.write_table(table, row_group_size=events.num_rows)

    def close(self) -> None:
        """End the file."""
        self._file.close()


def cuts(counts: NDArray[np.int64], block_rows: int) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of the customers of each block: whole ones, and one at least.

    Examples
    --------
    >>> list(cuts(np.array([2, 2, 9, 1]), 4))
    [(0, 2), (2, 3), (3, 4)]
    """
    ends = np.cumsum(counts)
    first, done = 0, 0
    while first < len(counts):
        end = max(int(np.searchsorted(ends, done + block_rows, side="right")), first + 1)
        yield first, end
        first, done = end, int(ends[end - 1])


class Reader:
    """Reads blocks of a piece; several threads may share it.

    Parameters
    ----------
    path : Path
    blocks : sequence of [customers, rows]
        As the manifest has them; a block without rows has no row group.
    """

    def __init__(self, path: Path, blocks: Sequence[Sequence[int]]) -> None:
        self._path = path
        self._metadata: Any = None
        rows = np.array([count for _, count in blocks], dtype=np.int64)
        self._rows, self._groups = rows, np.cumsum(rows > 0) - 1

    @property
    def filled(self) -> list[int]:
        """The blocks that have events."""
        return [int(block) for block in np.flatnonzero(self._rows)]

    def values(self, block: int, columns: Sequence[str], coded: Sequence[str]) -> NDArray[np.int64]:
        """Return columns of a block's events as a matrix, one row a column."""
        values = spacious(len(columns), int(self._rows[block]))
        if not values.shape[1]:
            return values
        file = self._open()
        present = set(file.schema_arrow.names)
        table = self._read(file, block, [name for name in columns if name in present])
        for row, name in zip(values, columns, strict=True):
            if name in present:
                fill(row, table[name])
            else:
                row.fill(NO_CODE if name in coded else NULL)
        return values

    def table(self, block: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a block's events as they lie in the file; None means all columns."""
        file = self._open()
        if not self._rows[block]:
            return file.schema_arrow.empty_table().select(columns or file.schema_arrow.names)
        return self._read(file, block, columns)

    def _open(self) -> Any:
        # A file is not shared between threads; what its footer says is.
        file = pq.ParquetFile(self._path, metadata=self._metadata, pre_buffer=False)
        self._metadata = file.metadata
        return file

    def _read(self, file: Any, block: int, columns: Sequence[str] | None) -> pa.Table:
        group = int(self._groups[block])
        names = None if columns is None else list(columns)
        with file:
            return file.read_row_group(group, columns=names, use_threads=False)
