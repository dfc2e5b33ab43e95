"""A log in memory, made from dictionaries, for tests that make thousands of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.attributes import AttributeTable
from features.dictionary import Dictionary
from features.kernel import NULL
from features.online import History
from features.source import Source

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
    n_buckets = 3
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

    def bucket_of(self, customer_id: str) -> int:
        return zlib.crc32(customer_id.encode()) % self.n_buckets

    def read(self, bucket: int) -> Any:
        held = [e for e in self._events if self.bucket_of(e["customer_id"]) == bucket]
        customers = sorted({e["customer_id"] for e in held})
        counts = [sum(e["customer_id"] == c for e in held) for c in customers]
        return _Bucket(
            np.array(customers, dtype=object),
            np.cumsum([0, *counts], dtype=np.int64),
            self._matrix(held),
        )

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

    def get(self, customer_id: str) -> History | None:
        """Return a customer's history, as an online store does."""
        held = [e for e in self._events if e["customer_id"] == customer_id]
        changes = [c for c in self._changes if c["customer_id"] == customer_id]
        if not held and not changes:
            return None
        names = sorted({name for c in self._changes for name in c} - {"customer_id", "known_at"})
        table = AttributeTable.build(
            np.array([customer_id] * len(changes), dtype=object),
            np.array([c["known_at"] for c in changes], np.int64),
            {n: np.array([c.get(n) for c in changes], dtype=object) for n in names},
        )
        if not changes:
            table = AttributeTable(
                np.array([customer_id], object),
                np.array([0, 0], np.int64),
                table.known_at,
                table.columns,
            )
        return History(self._matrix(held), table)

    def customer_ids(self) -> list[str]:
        return sorted({e["customer_id"] for e in self._events})


class _Bucket:
    def __init__(self, customers: Any, offsets: Any, values: Any) -> None:
        self.customers, self.offsets, self.values = customers, offsets, values
