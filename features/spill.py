"""Checked events on disk, bucket by bucket, until it is known which of them are new."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features import incoming, keys
from features.bucket import N_BUCKETS
from features.keys import Keys


class Spill:
    """The events of one ingest in the order in which they arrived.

    Attributes
    ----------
    rows : int
        How many there are.
    wanted : pyarrow.Schema
        See `incoming.spill_schema`.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.rows = 0
        self.wanted = incoming.spill_schema(schema)
        self._folder, self._schema = folder, schema
        self._open = ExitStack()

    def __enter__(self) -> Self:
        enter = self._open.enter_context
        self._writers = [
            enter(pa.ipc.new_file(self._bucket(number), self.wanted)) for number in range(N_BUCKETS)
        ]
        self._ids = enter((self._folder / "ids").open("wb"))
        self._contents = enter((self._folder / "contents").open("wb"))
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def add(self, rows: pa.Table) -> None:
        """Write more events, in `wanted`."""
        found = incoming.keys_of(rows, self._schema)
        self._ids.write(found.ids.tobytes())
        self._contents.write(found.contents.tobytes())
        parts = incoming.by_bucket(rows, keys.buckets(found))
        for writer, part in zip(self._writers, parts, strict=True):
            writer.write_table(part)
        self.rows += rows.num_rows

    def keys(self) -> Keys:
        """Return the keys of all events, mapped; only once writing has ended."""
        if not self.rows:
            nothing = np.empty(0, dtype=np.uint64)
            return Keys(nothing, nothing)
        ids, contents = (
            np.memmap(self._folder / name, dtype=np.uint64, mode="r") for name in Keys._fields
        )
        return Keys(ids, contents)

    def of_bucket(self, number: int, kept: NDArray[np.bool_]) -> pa.Table:
        """Return the events of a bucket that a mask over all arrivals keeps."""
        rows = self._read(number)
        chosen = kept[rows[incoming.ARRIVAL].to_numpy()]
        return rows if chosen.all() else rows.filter(pa.array(chosen))

    def arrivals(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Return the events of some arrival numbers."""
        found = keys.buckets(self.keys().take(numbers))
        wanted: Any = pa.array(numbers)
        parts = [self._read(int(bucket)) for bucket in np.unique(found)]
        return pa.concat_tables(
            [rows.filter(pc.is_in(rows[incoming.ARRIVAL], value_set=wanted)) for rows in parts]
        )

    def _bucket(self, number: int) -> str:
        return str(self._folder / f"{number}.arrow")

    def _read(self, number: int) -> pa.Table:
        with pa.memory_map(self._bucket(number)) as stream:
            return pa.ipc.open_file(stream).read_all()
