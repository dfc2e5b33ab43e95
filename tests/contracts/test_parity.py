"""The contract: offline, in LMDB and in Redis every feature is what the oracle says it is.

An example is one customer's history with its rows; hypothesis draws dozens of them at a time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.errors import FeatureOverflowError
from features.feature import Feature, walk
from features.frame import frame
from features.jit import PLAIN, Compiled, compiled
from features.ledger import Ledger
from features.ledger_entry import Event, Patch
from features.online import OnlineFeatures
from features.plan import feature_hash
from features.source import Source
from features.spine import Spine
from features.tiling import MOST_EVENTS, Background
from tests.features import logs, oracle
from tests.features.algebra import FEATURES, LABELS, orders, same
from tests.features.crowds import Crowd, Customer, all_of, crowds, described
from tests.features.memory_log import MemoryLog
from tests.features.shelves import KINDS, empty_store, shelf_in
from tests.small_log import write_small_log

DEEP = 10 if os.environ.get("NEXTBEST_DEEP") == "1" else 1
CUSTOMERS = 50
CONTEXT = ("category", "store", "placement", "campaign_id")
PARITY = settings(
    max_examples=44 * DEEP,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # what fails is shown as one customer
    suppress_health_check=list(HealthCheck),
)


def spine_of(rows: Sequence[dict[str, Any]]) -> Spine:
    def column(name: str) -> Any:
        return np.array([row[name] for row in rows], dtype=object)

    ids = np.array([str(number) for number in range(len(rows))], dtype=object)
    as_of = np.array([row["as_of"] for row in rows], np.int64)
    return Spine("row", ids, column("customer_id"), as_of, {name: column(name) for name in CONTEXT})


def judge(
    features: Sequence[Feature], got: Sequence[Any], wanted: Sequence[Any], *said: Any
) -> None:
    for feature, one, two in zip(features, got, wanted, strict=True):
        assert same(one, two), f"{feature.name}: got {one}, the oracle says {two}; {said}"


def wanted_of(features: Sequence[Feature], one: Customer) -> list[list[Any]]:
    rows = [(row["as_of"], described(row)) for row in one.rows]
    return oracle.values(features, one.events, one.changes, rows)


def check_offline(engine: Compiled, crowd: Crowd) -> None:
    features = (*FEATURES, *LABELS)
    events, changes, rows = (all_of(crowd, what) for what in ("events", "changes", "rows"))
    log: Any = MemoryLog(events, changes, logs.CAMPAIGNS)
    table = frame(log, spine_of(rows), features, engine=engine, threads=1)
    columns = [table[feature.name].tolist() for feature in features]
    found = iter(zip(*columns, strict=True))
    for one in crowd:
        for row, wanted in zip(one.rows, wanted_of(features, one), strict=True):
            judge(features, next(found), wanted, row, one)


@PARITY
@given(crowd=crowds(CUSTOMERS))
def test_offline_every_feature_and_label_is_the_oracles(crowd: Crowd) -> None:
    check_offline(compiled(), crowd)


@settings(PARITY, max_examples=2 * DEEP)
@given(crowd=crowds(CUSTOMERS))
def test_the_kernel_uncompiled_gives_the_oracles_values_too(crowd: Crowd) -> None:
    check_offline(PLAIN, crowd)


class Delivery:
    """What a crowd's ledger says after its events arrived in any order, some of them twice.

    Its clock is never more than `behind` (microseconds) before the latest event that arrives.
    """

    def __init__(self, crowd: Crowd, seed: int, behind: int) -> None:
        self.chance = random.Random(seed)
        first = logs.NOW - 400 * logs.DAY
        instants = iter(range(first, logs.NOW, self.chance.choice((1, logs.HOUR, 2 * logs.DAY))))
        self.ledger = Ledger("sqlite://", lambda latest: max(next(instants), latest - behind))
        self.sent = [self._event(event) for event in all_of(crowd, "events")]
        self.sent += self.chance.sample(self.sent, len(self.sent) // 10)
        self.patches = [self._patch(change) for change in all_of(crowd, "changes")]
        self.chance.shuffle(self.sent)
        self.chance.shuffle(self.patches)

    def _event(self, event: dict[str, Any]) -> Event:
        said = {k: v for k, v in event.items() if v is not None and k not in WITHOUT}
        return Event(event["event_id"], event["customer_id"], said)

    def _patch(self, change: dict[str, Any]) -> Patch:
        said = {k: v for k, v in change.items() if k not in ("customer_id", "known_at")}
        return Patch(change["customer_id"], said)

    def batches(self) -> Iterator[None]:
        """Commit batch after batch, of any size; other things happen in between."""
        campaigns = [Patch(name, dict(given)) for name, given in logs.CAMPAIGNS.items()]
        self.ledger.append(campaigns=campaigns)
        while self.sent or self.patches:
            n_events, n_patches = self.chance.choice((1, 7, 60, 200)), self.chance.randrange(12)
            told, self.sent = self.sent[:n_events], self.sent[n_events:]
            some, self.patches = self.patches[:n_patches], self.patches[n_patches:]
            receipt = self.ledger.append(told, some)
            assert not receipt.refused
            yield

    def as_received(self, crowd: Crowd) -> Crowd:
        """Return the crowd as the ledger knows it: it gave every line its second clock."""
        events: dict[str, list[Any]] = {one.customer_id: [] for one in crowd}
        changes: dict[str, list[Any]] = {one.customer_id: [] for one in crowd}
        for line in self.ledger.since(0, 10**6, ("event", "customer")):
            who = line.content["customer_id"]
            if line.kind == "event":
                events[who].append(line.content)
            else:
                known = {"customer_id": who, "known_at": line.at, **line.content["attributes"]}
                changes[who].append(known)
        return Crowd(
            Customer(one.customer_id, events[one.customer_id], changes[one.customer_id], one.rows)
            for one in crowd
        )


SOURCE = Source("memory", "USD", "UTC", "assumed", 2, None)
WITHOUT = ("event_id", "customer_id", "recorded_at")
PROPERTIES = ("store", "placement", "brand", "discount", "coupon_discount")
COLUMNS = (
    "occurred_at", "recorded_at", "kind", "amount", "quantity", "channel", "item", "category",
    "campaign_id", *PROPERTIES, "hour_of_week", "daypart",
)  # fmt: skip
CODED = ("channel", "item", "category", "campaign_id", "store", "placement", "brand")


@contextmanager
def store_in(engine: Compiled, kind: str, folder: Path, most_events: int) -> Iterator[Any]:
    """Give an empty store whose records may hold so many events before some become tiles."""
    # As where a store is filled: every text that a feature compares with has its code already.
    levels: dict[str, list[str]] = {"kind": list(logs.KINDS), **{name: [] for name in CODED}}
    for leaf in {leaf for feature in FEATURES for leaf in walk(feature)}:
        for name, text in getattr(leaf, "filters", ()):
            if isinstance(text, str) and name in CODED and text not in levels[name]:
                levels[name].append(text)
    with shelf_in(kind, folder, FEATURES) as shelf:
        shelf.background = Background(folder, FEATURES, lambda home: engine, most_events)
        store = empty_store(
            shelf, source=SOURCE, columns=COLUMNS, levels=levels, catalogue=feature_hash(FEATURES)
        )
        yield store
        store.close()


def check_online(
    engine: Compiled, kind: str, folder: Path, crowd: Crowd, seed: int, most_events: int
) -> None:
    # The API takes no event that lies more than a day ahead; without tiles it may lie anywhere.
    delivery = Delivery(crowd, seed, logs.DAY if most_events < MOST_EVENTS else 800 * logs.DAY)
    with ExitStack() as held:
        held.callback(delivery.ledger.close)
        store = held.enter_context(store_in(engine, kind, folder, most_events))
        for _ in delivery.batches():
            if delivery.chance.random() < 0.5:
                store.catch_up(delivery.ledger)
        store.catch_up(delivery.ledger)
        online = OnlineFeatures(store, FEATURES, engine=engine)
        for one in delivery.as_received(crowd):
            if not one.events and not one.changes:
                continue
            for row, wanted in zip(one.rows, wanted_of(FEATURES, one), strict=True):
                given = {name: row[name] for name in CONTEXT}
                got = online.row(one.customer_id, row["as_of"], given)
                judge(FEATURES, got, wanted, row, one)


@pytest.mark.parametrize("kind", KINDS)
def test_online_every_feature_is_the_oracles(kind: str, tmp_path: Path) -> None:
    """Whatever the order of arrival and the split into batches, and whatever arrives twice."""

    @PARITY
    @given(crowd=crowds(CUSTOMERS), seed=st.integers(0, 2**32))
    def check(crowd: Crowd, seed: int) -> None:
        check_online(compiled(), kind, Path(mkdtemp(dir=tmp_path)), crowd, seed, MOST_EVENTS)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_online_what_became_tiles_changes_no_feature_of_the_present(
    kind: str, tmp_path: Path
) -> None:
    """Late events among them, for which a customer is made anew from the log and the ledger."""
    write_strangers(tmp_path / "log")

    @settings(PARITY, max_examples=PARITY.max_examples // 4)
    @given(crowd=crowds(CUSTOMERS), seed=st.integers(0, 2**32))
    def check(crowd: Crowd, seed: int) -> None:
        folder = Path(mkdtemp(dir=tmp_path))
        copytree(tmp_path / "log", folder, dirs_exist_ok=True)
        check_online(compiled(), kind, folder, present(crowd), seed, 3)

    check()


def write_strangers(home: Path) -> None:
    """Write the log of which a customer is made anew: the crowd's events are in the ledger only."""
    at = {"occurred_at": logs.NOW - logs.DAY, "recorded_at": logs.NOW - logs.DAY}
    stranger = {"customer_id": "stranger", "kind": "order", **at}
    write_small_log(home, [stranger], source=SOURCE)


def present(crowd: Crowd) -> Crowd:
    """Return a crowd of which nothing happens from NOW on, and all rows come after that."""
    return Crowd(
        one._replace(
            events=[event for event in one.events if event["occurred_at"] < logs.NOW],
            rows=[{**row, "as_of": max(row["as_of"], logs.NOW)} for row in one.rows],
        )
        for one in crowd
    )


LARGE = (orders.sum("amount", unit="points"), orders.mean("amount", unit="points"))


@settings(max_examples=100 * DEEP, deadline=None)
@given(amounts=st.lists(st.integers(-(2**62), 2**62), max_size=6))
def test_a_sum_is_exact_or_refused_and_never_wraps(amounts: list[int]) -> None:
    at = logs.NOW - logs.DAY
    held = [
        {"event_id": str(number), "customer_id": "a", "kind": "order", "occurred_at": at,
         "recorded_at": at, "amount": amount}
        for number, amount in enumerate(amounts)
    ]  # fmt: skip
    row = {"customer_id": "a", "as_of": logs.NOW, **dict.fromkeys(CONTEXT)}
    log: Any = MemoryLog(held, [], {})
    for engine in (compiled(), PLAIN):
        fits = -(2**63) <= sum(amounts) < 2**63
        try:
            table = frame(log, spine_of([row]), LARGE, engine=engine, threads=1)
        except FeatureOverflowError:
            assert not fits
        else:
            assert fits
            wanted = oracle.values(LARGE, held, [], [(logs.NOW, row)])
            judge(LARGE, [table[feature.name].tolist()[0] for feature in LARGE], wanted[0])
