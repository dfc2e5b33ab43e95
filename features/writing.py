"""Pieces of buckets as they are written: new events, and several pieces made one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features import id_index, manifest, part
from features.dictionary import Dictionary
from features.keys import Keys
from features.part import Chunk, People
from features.pieces import Pieces

MOST_RUNS = 8
RUNS_SHARE = 0.2
"""A bucket has at most so many runs, and at most this share of its base's events in them."""


def merge_from(rows: Sequence[int]) -> int | None:
    """Return the first of some pieces (the base, then its runs) that must be merged with the rest.

    None where they may stay; 1 where the runs are many, but small beside the base.

    Examples
    --------
    >>> merge_from([1000, 100]), merge_from([1000, 100, 101]), merge_from([1000] + [1] * 9)
    (None, 0, 1)
    """
    base, *runs = rows or [0]
    if sum(runs) > RUNS_SHARE * base:
        return 0
    return 1 if len(runs) > MOST_RUNS else None


class Writing:
    """Writes pieces of the buckets of one log.

    Parameters
    ----------
    home : Path
    schema : pyarrow.Schema
        See `bucket.schema`.
    kinds : Dictionary
        Of the column `kind`.
    block_rows : int
        Events a block.
    """

    def __init__(self, home: Path, schema: pa.Schema, kinds: Dictionary, block_rows: int) -> None:
        self._home, self._folder = home, manifest.log_folder(home)
        self._schema, self._kinds, self._block_rows = schema, kinds, block_rows

    def base(self, number: int, chunks: Iterable[Chunk]) -> manifest.Entry:
        """Write the base of a bucket and return its entry in the manifest."""
        return self.piece(number, blocks_of(chunks, self._block_rows))

    def added(
        self, number: int, entries: Sequence[manifest.Entry], new: Chunk
    ) -> list[manifest.Entry]:
        """Write new events of a bucket: its base where it has none, else a run; return all."""
        if not entries:
            return [self.base(number, [new])]
        base = Pieces(self._folder, entries[:1], self._schema)
        return [*entries, self.piece(number, base.cut(new))]

    def merged(
        self, number: int, entries: Sequence[manifest.Entry], first: int | None
    ) -> list[manifest.Entry]:
        """Return a bucket's entries with the pieces from `first` on made one; None: as it is."""
        if first is None or first >= len(entries) - 1:
            return list(entries)
        chunks = Pieces(self._folder, entries[first:], self._schema).chunks()
        if first == 0:
            return [self.base(number, chunks)]
        return [*entries[:first], self.piece(number, chunks)]

    def piece(self, number: int, blocks: Iterable[Chunk]) -> manifest.Entry:
        """Write a piece of a bucket, each chunk as a block, and return its entry."""
        held: list[People] = []
        counted: dict[str, Any] = {"rows": 0, "kinds": {}, "last_instant": 0, "blocks": []}

        def write(path: Path) -> None:
            writer = part.Writer(path, self._schema)
            for people, events in blocks:
                writer.write(people.counts, events)
                held.append(people)
                _count(counted, events, self._kinds)
            writer.close()
            counted["blocks"] += writer.blocks

        entry = manifest.keep(self._home, f"bucket-{number:02d}", ".parquet", write)
        write_people = partial(part.write_people, part.joined(held))
        people = manifest.keep(self._home, f"people-{number:02d}", ".arrow", write_people)
        return entry | counted | {"people": people}


def _count(counted: dict[str, Any], events: pa.Table, kinds: Dictionary) -> None:
    """Add to what the manifest says of a piece: rows, rows and span of each kind, last instant."""
    if not events.num_rows:
        return
    codes, occurred = events["kind"].to_numpy(), events["occurred_at"].to_numpy()
    for code in np.unique(codes):
        times = occurred[codes == code]
        first, last = int(times.min()), int(times.max())
        before = counted["kinds"].setdefault(str(kinds.text(int(code))), [0, first, last])
        before[:] = [before[0] + len(times), min(before[1], first), max(before[2], last)]
    latest = max(int(occurred.max()), int(events["recorded_at"].to_numpy().max()))
    counted["last_instant"] = max(latest, counted["last_instant"]) if counted["rows"] else latest
    counted["rows"] += events.num_rows


def blocks_of(chunks: Iterable[Chunk], block_rows: int) -> Iterator[Chunk]:
    """Yield the same customers in blocks of at most so many events, see `part.cuts`."""
    held: list[Chunk] = []
    rows = 0
    for chunk in chunks:
        held.append(chunk)
        rows += chunk.events.num_rows
        if rows >= block_rows:
            *whole, last = _cut(held, block_rows)
            yield from whole
            held, rows = [last], last.events.num_rows
    if held:
        yield from _cut(held, block_rows)


def _cut(held: Sequence[Chunk], block_rows: int) -> list[Chunk]:
    people = part.joined([chunk.people for chunk in held])
    events = pa.concat_tables([chunk.events for chunk in held])
    return [
        part.cut(Chunk(people, events), first, end)
        for first, end in part.cuts(people.counts, block_rows)
    ]


def keep_index(home: Path, rows: int, parts: Iterator[Keys]) -> manifest.Entry:
    """Write an index of keys that come in ascending ranges, and return its entry."""
    entry = manifest.keep(home, "index", ".u64", lambda path: id_index.write(path, parts))
    return entry | {"rows": rows}


def merged_index(
    home: Path, entries: Sequence[manifest.Entry], first: int | None
) -> list[manifest.Entry]:
    """Return the entries of an index with the parts from `first` on made one; None: as it is."""
    if first is None or first >= len(entries) - 1:
        return list(entries)
    folder = manifest.log_folder(home)
    segments = [id_index.load(folder / entry["file"]) for entry in entries[first:]]
    entry = manifest.keep(home, "index", ".u64", lambda path: id_index.merge(path, segments))
    rows = sum(entry["rows"] for entry in entries[first:])
    return [*entries[:first], entry | {"rows": rows}]
