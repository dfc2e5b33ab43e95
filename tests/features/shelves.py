"""Both kinds of online store for a test: an empty shelf each, gone afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from features.declare import events
from features.embedded_shelf import EmbeddedShelf
from features.errors import StoreError
from features.feature import Feature
from features.following import FollowingStore
from features.jit import PLAIN
from features.kernel import NULL
from features.ledger import Change
from features.redis_client import connect, talking
from features.redis_shelf import RedisShelf
from features.shelf import Shelf
from features.source import Source
from features.store_meta import META, STATE, Meta, Progress
from features.tiling import Background

REDIS = "redis://127.0.0.1:6379/9"
KINDS = ("embedded", pytest.param("redis", marks=pytest.mark.services))
SHOP = Source("shop", "EUR", "Europe/Berlin", "recorded", 2, None)
COLUMNS = ("occurred_at", "recorded_at", "kind", "amount", "channel", "hour_of_week")
LEVELS = {"kind": ["order", "visit"], "channel": ["store"]}
orders = events("order")
FEATURES: list[Feature] = [
    orders.count(last="90d"),
    orders.sum("amount", unit="currency"),
    orders.count(last="90d", channel="web"),
    orders.most_common("hour_of_week"),
    events("visit").count(),
]
START = 1_700_000_000_000_000


@contextmanager
def shelf_in(kind: str, folder: Path, features: Sequence[Feature] = FEATURES) -> Iterator[Shelf]:
    """Give an empty shelf; in Redis under a prefix that nothing else uses."""
    background = Background(folder, features, lambda home: PLAIN)
    if kind == "embedded":
        yield EmbeddedShelf(background)
        return
    try:
        client = connect(REDIS)
        with talking(client):
            client.ping()
    except StoreError as error:
        if os.environ.get("NEXTBEST_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(str(error))
    prefix = f"t{uuid.uuid4().hex[:12]}"
    try:
        yield RedisShelf(background, REDIS, prefix)
    finally:
        for key in client.scan_iter(f"{prefix}:*", 1000):
            client.delete(key)
        client.close()


def meta(**changed: Any) -> Meta:
    """Return what an empty store of a small company says of itself."""
    said: dict[str, Any] = {
        "source": SHOP, "columns": COLUMNS, "levels": LEVELS, "fingerprint": "f", "catalogue": "c",
    }  # fmt: skip
    return Meta(**{**said, **changed})


def empty_store(shelf: Shelf, name: str = "one", **changed: Any) -> FollowingStore:
    """Return a store of which nothing is known but what it says of itself; it is current."""
    held = meta(**changed)
    shelf.create(name)

    def describe(draft: Any) -> None:
        draft.put(META, held.pack())
        draft.put(STATE, Progress(held.exported).pack())

    shelf.write(name, describe)
    shelf.point(name, None)
    return shelf.generation(name)


class Ledger:
    """Lines in memory, read as those of the real ledger are."""

    def __init__(self, changes: Sequence[Change] = ()) -> None:
        self.changes = list(changes)
        self.asked: list[int] = []

    def add(self, kind: str, content: Mapping[str, Any], at: int | None = None) -> Change:
        """Append a line; it was committed a second after the one before."""
        number = len(self.changes) + 1
        moment = START + number * 1_000_000 if at is None else at
        change = Change(number, kind, moment, dict(content))
        if kind == "event":
            change.content.setdefault("recorded_at", moment)
        self.changes.append(change)
        return change

    def event(self, number: int, customer: str = "jane", **more: Any) -> Change:
        """Append an order that occurred when the ledger began, unless said otherwise."""
        content = {"event_id": f"e{number}", "customer_id": customer, "kind": "order"}
        return self.add("event", {**content, "occurred_at": START, **more})

    def since(self, sequence: int, limit: int = 10_000) -> list[Change]:
        """Return the lines after a number."""
        self.asked.append(sequence)
        later = [change for change in self.changes if change.sequence > sequence]
        return later[:limit]

    def of_customer(self, customer_id: str, up_to: int | None = None) -> list[Change]:
        """Return a customer's lines."""
        return [
            change
            for change in self.changes
            if change.content.get("customer_id") == customer_id
            and (up_to is None or change.sequence <= up_to)
        ]


def told(store: FollowingStore, customer_id: str) -> list[dict[str, Any]]:
    """Return a customer's events in plain words, missing values left out."""
    history = store.get(customer_id)
    assert history is not None
    events = []
    for column in history.values.T.tolist():
        event = {}
        for name, value in zip(store.columns, column, strict=True):
            told_of = store.dictionaries[name].text(value) if name in store.dictionaries else value
            if told_of not in (None, NULL):
                event[name] = told_of
        events.append(event)
    return events


def content(store: FollowingStore) -> dict[bytes, bytes]:
    """Return every value of a store by its key, except what it says of itself."""
    if hasattr(store, "file"):
        with store.file.reading() as txn:
            found = {bytes(key): bytes(value) for key, value in txn.cursor()}
    else:
        base, client = store.base, store._client
        keys = list(client.scan_iter(base + b"*", 1000))
        found = {}
        for key in keys:
            name = key[len(base) :]
            if name.startswith(b"t"):
                found |= {name + tile: value for tile, value in client.hgetall(key).items()}
            else:
                found[name] = client.get(key)
    del found[META]
    return found
