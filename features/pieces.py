"""A bucket on disk: its base and the small runs that came later, read as one sorted whole."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features import bucket, hashing, part
from features.interleave import Sorted, Whole, gather, interleave
from features.part import Chunk, People


class _Merged(NamedTuple):
    """All customers of a bucket, and for each piece which of them its own are."""

    ids: Any
    numbers: list[NDArray[np.int64]]
    bounds: NDArray[np.int64]


class Pieces:
    """The pieces of one bucket: the base first, then its runs in the order they came.

    A run is cut where the base's blocks are, so that block ``g`` of the whole is made of block
    ``g`` of each piece.

    Parameters
    ----------
    folder : Path
        Of the log.
    entries : sequence of dict
        As the manifest has them.
    schema : pyarrow.Schema
        See `bucket.schema`.
    """

    def __init__(self, folder: Path, entries: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
        self._folder, self._entries, self.schema = folder, entries, schema
        self._coded = [field.name for field in schema if field.type == pa.int32()]
        self._readers = [part.Reader(folder / e["file"], e["blocks"]) for e in entries]
        self._starts = [np.cumsum([0, *(c for c, _ in e["blocks"])]) for e in entries]

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """How many events each block has."""
        if not self._entries:
            return np.empty(0, dtype=np.int64)
        counted = np.array([[rows for _, rows in e["blocks"]] for e in self._entries])
        return np.asarray(counted.sum(axis=0), dtype=np.int64)

    @property
    def ids(self) -> Any:
        """The bucket's customers, sorted."""
        return self._merged.ids if len(self._entries) > 1 else self._base_ids

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """The number of each block's first customer, and last how many there are."""
        if not self._entries:
            return np.zeros(1, dtype=np.int64)
        return self._merged.bounds if len(self._entries) > 1 else self._starts[0]

    @property
    def _base_ids(self) -> Any:
        return self.people[0].ids if self._entries else pa.array([], pa.string())

    @cached_property
    def people(self) -> list[People]:
        """The customers of each piece."""
        return [part.read_people(self._folder / e["people"]["file"]) for e in self._entries]

    @cached_property
    def _merged(self) -> _Merged:
        every = pa.chunked_array([people.ids for people in self.people]).dictionary_encode()
        every = every.unify_dictionaries()
        known = every.chunk(0).dictionary
        order = pc.sort_indices(known).to_numpy()
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        numbers = [ranks[chunk.indices.to_numpy()] for chunk in every.chunks]
        # A customer lies in the same block of every piece that has it.
        labels = np.empty(len(order), dtype=np.int64)
        for places, starts in zip(numbers, self._starts, strict=True):
            labels[places] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        held = np.bincount(labels, minlength=len(self._starts[0]) - 1)
        bounds = np.concatenate([[0], np.cumsum(held)]).astype(np.int64)
        return _Merged(known.take(pa.array(order)), numbers, bounds)

    def offsets_and_values(
        self, block: int, columns: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where each customer's events begin in a block, and columns of the events."""
        if self.rows[block] == self._entries[0]["blocks"][block][1]:
            first, end = self._starts[0][block : block + 2]
            counts = self.people[0].counts[first:end]
            offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            return offsets, self._readers[0].values(block, columns, self._coded)
        wanted = columns if "occurred_at" in columns else (*columns, "occurred_at")
        parts = [reader.values(block, wanted, self._coded) for reader in self._readers]
        times = [values[wanted.index("occurred_at")] for values in parts]
        whole = self._interleaved(block, times)
        values = gather([values[: len(columns)] for values in parts], whole.source)
        return whole.offsets, values

    def table(self, block: int) -> tuple[NDArray[np.int64], pa.Table]:
        """Return where each customer's events begin in a block, and the events with their ids."""
        parts = [bucket.conform(reader.table(block), self.schema) for reader in self._readers]
        whole = self._interleaved(block, [held["occurred_at"].to_numpy() for held in parts])
        return whole.offsets, pa.concat_tables(parts).take(pa.array(whole.source))

    def cut(self, new: Chunk) -> Iterator[Chunk]:
        """Yield new customers and events block by block, cut where the base's blocks are."""
        starts = self._starts[0][1:-1].tolist()
        ids = new.people.ids
        # Python compares texts as their UTF-8 bytes compare.
        ends = [
            bisect_left(ids, self._base_ids[n].as_py(), key=lambda who: who.as_py()) for n in starts
        ]
        yield from (part.cut(new, first, end) for first, end in pairwise([0, *ends, len(ids)]))

    def chunks(self) -> Iterator[Chunk]:
        """Yield the customers and events of each block."""
        known_at = self.known_at()
        for block, (first, end) in enumerate(pairwise(self.bounds.tolist())):
            offsets, events = self.table(block)
            people = People(
                self.ids.slice(first, end - first), np.diff(offsets), known_at[first:end]
            )
            yield Chunk(people, events)

    def known_at(self) -> NDArray[np.int64]:
        """Return when the first event of each customer was recorded."""
        found = np.full(len(self.ids), np.iinfo(np.int64).max, dtype=np.int64)
        for number, people in enumerate(self.people):
            who = self._numbers(number)
            found[who] = np.minimum(found[who], people.known_at)
        return found

    def _numbers(self, piece: int) -> NDArray[np.int64]:
        if len(self._entries) == 1:
            return np.arange(len(self._base_ids))
        return self._merged.numbers[piece]

    def _interleaved(self, block: int, occurred_at: Sequence[NDArray[np.int64]]) -> Whole:
        first, end = self.bounds[block : block + 2]
        sorted_pieces = []
        for piece, times in enumerate(occurred_at):
            mine = slice(*self._starts[piece][block : block + 2])
            numbers = self._numbers(piece)[mine] - first
            sorted_pieces.append(Sorted(numbers, self.people[piece].counts[mine], times))

        def event_ids() -> list[Any]:
            tables = [reader.table(block, ["event_id"]) for reader in self._readers]
            return [chunk for held in tables for chunk in held["event_id"].chunks]

        return interleave(sorted_pieces, int(end - first), event_ids)

    def with_ids(self, hashes: NDArray[np.uint64]) -> pa.Table:
        """Return the events, with `customer_id`, whose ids have one of some hashes."""
        tables = []
        for reader, people in zip(self._readers, self.people, strict=True):
            for block in reader.filled:
                ids = reader.table(block, ["event_id"])["event_id"]
                rows = pa.array(np.flatnonzero(np.isin(hashing.texts(ids), hashes)))
                if len(rows):
                    held = reader.table(block).take(rows)
                    who = people.ids.take(held[part.CUSTOMER].combine_chunks())
                    events = bucket.conform(held, self.schema)
                    tables.append(events.add_column(0, "customer_id", who))
        return pa.concat_tables(tables)

    def everything(self) -> pa.Table:
        """Return all events with their ids, in order, and first whose they are."""
        tables = []
        for people, events in self.chunks():
            numbers = np.repeat(np.arange(len(people.ids), dtype=np.int32), people.counts)
            who = pa.DictionaryArray.from_arrays(pa.array(numbers), people.ids)
            tables.append(events.add_column(0, "customer_id", who))
        if not tables:
            who = pa.field("customer_id", pa.dictionary(pa.int32(), pa.string()))
            return self.schema.insert(0, who).empty_table()
        return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
