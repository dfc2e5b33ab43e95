"""A log in memory, made from dictionaries, for tests that make thousands of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from features.dictionary import Dictionary
from features.kernel import NULL
from features.local_time import DERIVED, derive, offsets_of
from features.online import History
from features.source import Source


class BlockRef(NamedTuple):
    number: int
    rows: int


class Block(NamedTuple):
    customers: Any
    offsets: Any
    values: Any


TEXTS = ("kind", "channel", "item", "category", "campaign_id", "store", "placement", "brand")
NUMBERS = ("occurred_at", "recorded_at", "amount", "quantity", "discount", "coupon_discount")
COLUMNS = (
    "occurred_at",
    "recorded_at",
    *TEXTS,
    "amount",
    "quantity",
    "discount",
    "coupon_discount",
)


class MemoryLog:
    """What `features.frame` and `features.online` read, held in memory."""

    columns = COLUMNS
    home = Path("nowhere")
    sequence = 1
    fingerprint = "memory"

    def __init__(
        self,
        events: Sequence[Mapping[str, Any]],
        changes: Sequence[Mapping[str, Any]],
        campaigns: Mapping[str, Mapping[str, Any]],
        currency: str = "USD",
    ) -> None:
        self.source = Source("memory", currency, "UTC", "assumed", 2, None)
        self.campaigns = campaigns
        self.dictionaries = {name: Dictionary() for name in TEXTS}
        self._events = sorted(
            events, key=lambda e: (e["customer_id"], e["occurred_at"], e["event_id"])
        )
        self._changes = changes
        self._values = self._encoded()
        names = [event["customer_id"] for event in self._events]
        starts = {name: names.index(name) for name in dict.fromkeys(names)}
        ends = [*starts.values(), len(names)][1:]
        self._ranges = dict(zip(starts, zip(starts.values(), ends, strict=True), strict=True))
        self._in_block = [
            [name for name in starts if zlib.crc32(name.encode()) % 3 == number]
            for number in range(3)
        ]
        self._places = {
            name: (number, place)
            for number, held in enumerate(self._in_block)
            for place, name in enumerate(held)
        }

    @property
    def blocks(self) -> tuple[BlockRef, ...]:
        return tuple(BlockRef(n, len(self._of(held))) for n, held in enumerate(self._in_block))

    def read_block(self, ref: Any, columns: Sequence[str]) -> Any:
        customers = self._in_block[ref.number]
        counts = [self._ranges[name][1] - self._ranges[name][0] for name in customers]
        chosen = [COLUMNS.index(name) for name in columns]
        return Block(
            pa.array(customers, pa.string()),
            np.cumsum([0, *counts], dtype=np.int64),
            np.ascontiguousarray(self._values[chosen][:, self._of(customers)]),
        )

    def buckets_of(self, ids: Any) -> Any:
        """Return the one bucket there is, for each."""
        return np.zeros(len(ids), np.int64)

    def locate(self, ids: Any, bucket: int | None = None) -> Any:
        found = [self._places.get(who, (-1, -1)) for who in ids.to_pylist()]
        return tuple(np.array(found, np.int64).reshape(-1, 2).T)

    def _of(self, customers: Sequence[str]) -> list[int]:
        return [place for name in customers for place in range(*self._ranges[name])]

    def _encoded(self) -> Any:
        values = np.full((len(COLUMNS), len(self._events)), NULL, np.int64)
        for row, name in enumerate(COLUMNS):
            given = [event.get(name) for event in self._events]
            if name in TEXTS:
                values[row] = self.dictionaries[name].codes(given)
            else:
                values[row] = [NULL if value is None else value for value in given]
        return values

    @property
    def stated(self) -> pa.Table:
        return self.customers

    @property
    def customers(self) -> pa.Table:
        names = sorted({name for c in self._changes for name in c} - {"customer_id", "known_at"})
        table: dict[str, Any] = {
            "customer_id": pa.array([c["customer_id"] for c in self._changes], pa.string()),
            "known_at": pa.array([c["known_at"] for c in self._changes], pa.int64()),
        }
        for name in names:
            table[name] = pa.array([c.get(name) for c in self._changes], pa.string())
        return pa.table(table)

    def store(self) -> MemoryStore:
        """Return what an online store made from this log would answer."""
        return MemoryStore(self)

    def history(self, customer_id: str) -> History | None:
        """Return all that is known of a customer, with the columns that no log stores."""
        held = [e for e in self._events if e["customer_id"] == customer_id]
        changes = [c for c in self._changes if c["customer_id"] == customer_id]
        if not held and not changes:
            return None
        ordered = sorted(changes, key=lambda change: change["known_at"])
        own = self._values[:, slice(*self._ranges.get(customer_id, (0, 0)))]
        values = np.vstack([own, np.empty((len(DERIVED), len(held)), np.int64)])
        for number, event in enumerate(held):
            zone = "UTC"
            for change in ordered:
                if change["known_at"] < event["recorded_at"]:
                    zone = change.get("timezone") or "UTC"
            at = np.array([event["occurred_at"]], np.int64)
            ahead = offsets_of([zone], np.zeros(1, np.int64), at)
            for line, name in enumerate(DERIVED):
                values[len(COLUMNS) + line, number] = derive(name, at, ahead)[0]
        return History(values, [(c["known_at"], c) for c in ordered])


class MemoryStore:
    """An online store in memory."""

    columns = (*COLUMNS, *DERIVED)
    sequence = 1
    fingerprint = "memory"
    last_instant = None
    distant = False
    tiling = None

    def __init__(self, log: MemoryLog) -> None:
        self.source, self.campaigns = log.source, log.campaigns
        self.dictionaries = log.dictionaries
        self.get = log.history

    def history(self, customer_id: str) -> Any:
        """Return a context manager, as online stores do."""
        return nullcontext(self.get(customer_id))
