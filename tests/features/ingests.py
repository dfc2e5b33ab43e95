"""What the tests of an ingest share: a few events, and the log as it lies there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from features import manifest
from features.contract import text_columns
from features.ingest import Ingested, ingest
from features.log import EventLog
from features.spine import Spine
from tests.small_log import SHOP, batch

DAY = 86_400_000_000
FIRST = [
    {"event_id": "e1", "customer_id": "anna", "kind": "order", "occurred_at": 3 * DAY, "amount": 5},
    {"event_id": "e2", "customer_id": "ben", "kind": "order", "occurred_at": 1 * DAY, "item": "x"},
    {"event_id": "e3", "customer_id": "anna", "kind": "visit", "occurred_at": 2 * DAY},
]
LATER = [
    {"event_id": "e4", "customer_id": "anna", "kind": "return", "occurred_at": DAY, "amount": -5},
    {"event_id": "e5", "customer_id": "carl", "kind": "order", "occurred_at": 9 * DAY},
]
SPINE = Spine(
    "lead",
    np.array(["l2", "l1"], dtype=object),
    np.array(["ben", "anna"], dtype=object),
    np.array([7, 5], dtype=np.int64),
    {
        "campaign_id": np.array(["c1", None], dtype=object),
        "price": np.array([1.5, 2.5]),
        "rank": np.array([1, 2], dtype=np.int64),
    },
)


def load(home: Path, *batches: list[dict[str, Any]], **options: Any) -> Ingested:
    parts = [batch(f"part-{number}.csv", rows) for number, rows in enumerate(batches)]
    return ingest(SHOP, parts, home, **options)


def events_of(log: EventLog) -> list[dict[str, Any]]:
    """Every event of a log in words, bucket by bucket, in the order in which it lies there."""
    found = []
    for number in range(log.n_buckets):
        for row in log.table(number).to_pylist():
            for name in text_columns(log.properties):
                row[name] = log.dictionaries[name].text(row[name])
            found.append(row)
    return found


def state_of(home: Path) -> dict[str, bytes]:
    """The bytes of the manifest and of every file it lists."""
    content = manifest.require(home)
    names = [manifest.NAME, *(entry["file"] for entry in manifest.files(content))]
    return {name: (home / "log" / name).read_bytes() for name in names}
