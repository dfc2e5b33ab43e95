"""The event log: what customers did, in buckets, as one manifest lists it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from features import bucket, manifest, spines
from features.bucket import Bucket
from features.contract import EVENT_COLUMNS, text_columns
from features.customers import every_state
from features.dictionary import Dictionary
from features.errors import BadInputError, UnknownSpineError
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
    fingerprint : str
        sha256 of the data: equal fingerprints, equal answers.
    """

    def __init__(self, home: Path, content: dict[str, Any]) -> None:
        self.home = home
        self.home = home
        self._folder = manifest.log_folder(home)
        self._content = content
        self.source = manifest.source_of(content)
        self.properties: dict[str, str] = dict(content["properties"])
        self.columns: tuple[str, ...] = (*EVENT_COLUMNS, *self.properties)
        self.n_buckets = len(content["buckets"])
        self.sequence = int(content["sequence"])
        self.fingerprint = manifest.fingerprint(content)

    @classmethod
    def open(cls, home: Path) -> EventLog:
        """Return the log in `home`.

        Raises
        ------
        NoLogError
            Nothing has been ingested into `home`.
        """
        return cls(home, manifest.require(home))

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
        wanted = self.columns if columns is None else tuple(columns)
        unknown = [name for name in wanted if name not in self.columns]
        if unknown:
            raise BadInputError(
                f"The log has no column {unknown[0]!r}.",
                remedy=f"Choose among: {', '.join(self.columns)}.",
            )
        entry = self._content["buckets"][number]
        if entry is None:
            return bucket.empty(wanted)
        return bucket.load(self._path(entry), wanted, text_columns(self.properties))

    def table(self, number: int) -> pa.Table:
        """Return a bucket's file as it is, with customer_id and event_id; codes stay codes."""
        entry = self._content["buckets"][number]
        names = tuple(self.columns)
        wanted = bucket.schema(names, text_columns(self.properties))
        if entry is None:
            return wanted.empty_table()
        return bucket.conform(pq.read_table(self._path(entry)), wanted)

    @cached_property
    def customers(self) -> pa.Table:
        """The states of every customer, sorted by (customer_id, known_at).

        Each row is the full state from `known_at` on: one column an attribute, text or float64.
        A customer of whom only events are known has one row without attributes, from when the
        first of them was recorded.
        """
        stated = pq.read_table(self._path(self._content["customers"]))
        seen = pq.read_table(self._path(self._content["first_seen"]))
        return every_state(stated, seen)

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
        for entry in self._content["buckets"]:
            for name, (rows, first, last) in (entry["kinds"] if entry else {}).items():
                so_far = found.get(name, Kind(0, first, last))
                found[name] = Kind(
                    so_far.rows + rows, min(so_far.first, first), max(so_far.last, last)
                )
        return dict(sorted(found.items()))

    @property
    def last_instant(self) -> int:
        """The last moment at which something occurred or was recorded, microseconds UTC.

        Raises
        ------
        BadInputError
            There is no event.
        """
        moments = [entry["last_instant"] for entry in self._content["buckets"] if entry]
        if not moments:
            raise BadInputError(
                "The log holds customers but no event.", remedy="Ingest a source with events."
            )
        return int(max(moments))

    def damaged(self) -> list[str]:
        """Return the names of files that are missing or are not what was written."""
        return manifest.damaged(self._folder, self._content)

    def _path(self, entry: manifest.Entry) -> Path:
        return self._folder / str(entry["file"])
