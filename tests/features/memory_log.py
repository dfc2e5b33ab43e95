"""A log in memory, made from dictionaries, for tests that make thousands of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
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
        for event in self._events:
            for name in TEXTS:
                self.dictionaries[name].codes([event.get(name)])

    @property
    def blocks(self) -> tuple[BlockRef, ...]:
        return tuple(BlockRef(number, len(self._of(number))) for number in range(3))

    def read_block(self, ref: Any, columns: Sequence[str]) -> Any:
        held = self._of(ref.number)
        customers = sorted({e["customer_id"] for e in held})
        counts = [sum(e["customer_id"] == c for e in held) for c in customers]
        matrix = self._matrix(held)
        chosen = [COLUMNS.index(name) for name in columns]
        return Block(
            pa.array(customers, pa.string()),
            np.cumsum([0, *counts], dtype=np.int64),
            np.ascontiguousarray(matrix[chosen]),
        )

    def locate(self, ids: Any) -> Any:
        block, position = [], []
        for who in ids.to_pylist():
            number = zlib.crc32(who.encode()) % 3
            customers = sorted({e["customer_id"] for e in self._of(number)})
            found = who in customers
            block.append(number if found else -1)
            position.append(customers.index(who) if found else -1)
        return np.array(block, np.int64), np.array(position, np.int64)

    def _of(self, number: int) -> list[Any]:
        return [e for e in self._events if zlib.crc32(e["customer_id"].encode()) % 3 == number]

    def _matrix(self, events: Sequence[Mapping[str, Any]]) -> Any:
        values = np.full((len(COLUMNS), len(events)), NULL, np.int64)
        for row, name in enumerate(COLUMNS):
            for column, event in enumerate(events):
                given = event.get(name)
                if name in TEXTS:
                    values[row, column] = (
                        -1 if given is None else self.dictionaries[name].code(given)
                    )
                elif given is not None:
                    values[row, column] = given
        return values

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
        values = np.vstack([self._matrix(held), np.empty((len(DERIVED), len(held)), np.int64)])
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

    def __init__(self, log: MemoryLog) -> None:
        self.source, self.campaigns = log.source, log.campaigns
        self.dictionaries = log.dictionaries
        self.get = log.history
