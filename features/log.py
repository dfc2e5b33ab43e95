"""The event log: what customers did, in buckets, as one manifest lists it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features import blocks, bucket, manifest, spines
from features.blocks import Block, BlockRef
from features.bucket import Bucket
from features.company import Company
from features.contract import EVENT_COLUMNS, event_schema, text_columns
from features.customers import FIRST_SEEN, every_state
from features.dictionary import Dictionary
from features.errors import BadInputError, UnknownCustomerError, UnknownSpineError
from features.pieces import Pieces
from features.spine import Spine


class Kind(NamedTuple):
    """How many events of a kind there are, and when the first and last of them occurred."""

    rows: int
    first: int
    last: int


class EventLog:
    """An immutable view of one manifest; a later ingest does not change it.

    Attributes
    ----------
    home : Path
        ``NEXTBEST_HOME``.
    source : Source
    columns : tuple of str
        The integer columns of every bucket, in order.
    dictionaries : dict of str to Dictionary
        For each column of codes.
    n_buckets : int
    sequence : int
        Grows with each ingest that changes something.
    exported : int or None
        The last sequence number of the ledger that the log holds; None before the first export.
    fingerprint : str
        sha256 of the data: equal fingerprints, equal answers. Merging runs leaves it as it is.
    """

    def __init__(self, home: Path, content: dict[str, Any]) -> None:
        self.home = home
        self._folder = manifest.log_folder(home)
        self._content = content
        self.source = manifest.source_of(content)
        self.properties: dict[str, str] = dict(content["properties"])
        self.columns: tuple[str, ...] = (*EVENT_COLUMNS, *self.properties)
        self.n_buckets = len(content["buckets"])
        self.sequence = int(content["sequence"])
        self.exported: int | None = content["exported"]
        self.fingerprint = manifest.fingerprint(content)
        self.company: Company | None = Company.found(content)

    @classmethod
    def open(cls, home: Path) -> EventLog:
        """Return the log in `home`.

        Raises
        ------
        NoLogError
            Nothing has been ingested into `home`.
        """
        return cls(home, manifest.require(home))

    @property
    def content(self) -> dict[str, Any]:
        """What names its files: ``EventLog(home, content)`` is this log, in any process."""
        return self._content

    @cached_property
    def dictionaries(self) -> dict[str, Dictionary]:
        """The dictionary of each column of codes."""
        entries = self._content["dictionaries"]
        return {
            name: Dictionary.load(self._path(entries[name]))
            for name in text_columns(self.properties)
        }

    def bucket_of(self, customer_id: str) -> int:
        """Return the bucket that holds a customer's events."""
        return bucket.bucket_of(customer_id)

    def read(self, number: int, columns: Sequence[str] | None = None) -> Bucket:
        """Return the events of a bucket; `columns` in the order given, all of them by default.

        Raises
        ------
        BadInputError
            The log has no such column.
        """
        wanted = self._wanted(columns)
        held = self._buckets[number]
        read = [held.offsets_and_values(block, wanted) for block in range(len(held.rows))]
        counts = [np.diff(offsets) for offsets, _ in read]
        nothing = np.empty((len(wanted), 0), dtype=np.int64)
        return Bucket(
            np.array(held.ids.to_pylist(), dtype=object),
            np.concatenate([[0], np.cumsum(np.concatenate([[], *counts]))]).astype(np.int64),
            np.concatenate([nothing, *(values for _, values in read)], axis=1),
        )

    @cached_property
    def blocks(self) -> tuple[BlockRef, ...]:
        """The log's blocks: bucket by bucket, in each by customer, and no customer in two."""
        return blocks.refs(self._buckets)

    def read_block(self, ref: BlockRef, columns: Sequence[str] | None = None) -> Block:
        """Return the events of a block; `columns` in the order given, all of them by default.

        Several threads may read blocks of one log.

        Raises
        ------
        BadInputError
            The log has no such column.
        """
        held = self._buckets[ref.bucket]
        first, end = held.bounds[ref.block : ref.block + 2]
        offsets, values = held.offsets_and_values(ref.block, self._wanted(columns))
        return Block(held.ids.slice(first, end - first), offsets, values)

    def event_ids(self, ref: BlockRef) -> Any:
        """Return the ids of a block's events, in the order of the events: a StringArray."""
        _, events = self._buckets[ref.bucket].table(ref.block)
        ids = events["event_id"].combine_chunks()
        return pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids

    def buckets_of(self, customer_ids: Any) -> NDArray[np.int64]:
        """Return which bucket each customer of a StringArray belongs to."""
        return bucket.buckets_of(customer_ids)

    def locate(
        self, customer_ids: Any, bucket: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the number of each customer's block, and the customer's place in it.

        Parameters
        ----------
        customer_ids : pyarrow.StringArray of length n
        bucket : int, optional
            Of all of them, where it is known.

        Returns
        -------
        (ndarray of int64, ndarray of int64), each of shape (n,)
            -1 and -1 for a customer without events.
        """
        return blocks.locate(self._buckets, customer_ids, bucket)

    def history(self, customer_id: str) -> pa.Table:
        """Return the events of one customer in the columns of `contract.event_schema`, in order.

        Raises
        ------
        UnknownCustomerError
            The log holds no event of the customer.
        """
        number, place = (int(found[0]) for found in self.locate(pa.array([customer_id])))
        if number < 0:
            raise UnknownCustomerError(
                f"The log holds no event of the customer {customer_id!r}.",
                remedy="Check the id; who has only attributes is in `EventLog.customers`.",
            )
        ref = self.blocks[number]
        offsets, events = self._buckets[ref.bucket].table(ref.block)
        events = events.slice(offsets[place], offsets[place + 1] - offsets[place])
        columns = {"customer_id": pa.array([customer_id] * events.num_rows, pa.string())}
        for name in events.column_names:
            columns[name] = events[name]
            if name in self.dictionaries:
                texts = [self.dictionaries[name].text(code) for code in events[name].to_pylist()]
                columns[name] = pa.array(texts, pa.string())
        wanted = event_schema(self.properties)
        return pa.table({name: columns[name] for name in wanted.names}, schema=wanted)

    def _wanted(self, columns: Sequence[str] | None) -> tuple[str, ...]:
        wanted = self.columns if columns is None else tuple(columns)
        unknown = [name for name in wanted if name not in self.columns]
        if unknown:
            raise BadInputError(
                f"The log has no column {unknown[0]!r}.",
                remedy=f"Choose among: {', '.join(self.columns)}.",
            )
        return wanted

    @cached_property
    def _buckets(self) -> list[Pieces]:
        wanted = bucket.schema(self.columns, text_columns(self.properties))
        return [Pieces(self._folder, parts, wanted) for parts in self._content["buckets"]]

    def table(self, number: int) -> pa.Table:
        """Return a bucket's events as they lie there, with customer_id and event_id, as codes."""
        return self._buckets[number].everything()

    @cached_property
    def customers(self) -> pa.Table:
        """The states of every customer, sorted by (customer_id, known_at).

        Each row is the full state from `known_at` on: one column an attribute, text or float64.
        A customer of whom only events are known has one row without attributes, from when the
        first of them was recorded.
        """
        return every_state(self.stated, self.first_seen)

    @cached_property
    def stated(self) -> pa.Table:
        """`customers` without those of whom only events are known."""
        return pq.read_table(self._path(self._content["customers"]))

    @cached_property
    def first_seen(self) -> pa.Table:
        """When the first event of each customer with events was recorded, in the log's order."""
        held = [pa.table([p.ids, p.known_at()], schema=FIRST_SEEN) for p in self._buckets]
        return pa.concat_tables(held)

    @cached_property
    def campaigns(self) -> dict[str, dict[str, Any]]:
        """What is known of each campaign: type, channel, starts_at, ends_at, cost, offer."""
        rows = pq.read_table(self._path(self._content["campaigns"])).to_pylist()
        return {row.pop("campaign_id"): row for row in rows}

    @property
    def spine_names(self) -> tuple[str, ...]:
        """The names that `spine` knows."""
        return tuple(sorted(self._content["spines"]))

    def spine(self, name: str) -> Spine:
        """Return rows to be judged that the source brought along, in the source's order.

        Raises
        ------
        UnknownSpineError
            The source brought none of this name.
        """
        entry = self._content["spines"].get(name)
        if entry is None:
            known = ", ".join(self.spine_names) or "none"
            raise UnknownSpineError(
                f"The log holds no spine {name!r}.", remedy=f"Choose one of: {known}."
            )
        return spines.load(self._path(entry), entry["entity"])

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """For each kind of event how many there are, and from when to when."""
        found: dict[str, Kind] = {}
        for entry in self._entries():
            for name, (rows, first, last) in entry["kinds"].items():
                so_far = found.get(name, Kind(0, first, last))
                found[name] = Kind(
                    so_far.rows + rows, min(so_far.first, first), max(so_far.last, last)
                )
        return dict(sorted(found.items()))

    @property
    def last_instant(self) -> int:
        """The last moment at which something occurred or was recorded, microseconds UTC.

        Of a source without events it is where the source ends.

        Raises
        ------
        BadInputError
            There is no event, and the source goes on.
        """
        moments = [entry["last_instant"] for entry in self._entries()]
        if not moments and self.source.frozen_at is not None:
            return self.source.frozen_at
        if not moments:
            raise BadInputError(
                "The log holds customers but no event.", remedy="Ingest a source with events."
            )
        return int(max(moments))

    def damaged(self) -> list[str]:
        """Return the names of files that are missing or are not what was written."""
        return manifest.damaged(self._folder, self._content)

    def _entries(self) -> Iterator[manifest.Entry]:
        return chain.from_iterable(self._content["buckets"])

    def _path(self, entry: manifest.Entry) -> Path:
        return self._folder / str(entry["file"])
