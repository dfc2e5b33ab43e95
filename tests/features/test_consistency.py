"""Served features computed again: the log and the ledger as they were tell the same."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest

from features.__main__ import main
from features.catalog import CATALOG
from features.database import DatabaseError
from features.embedded_shelf import EmbeddedShelf
from features.export import export
from features.jit import PLAIN
from features.ledger import Ledger
from features.ledger_entry import Event, Patch
from features.materialise import materialise
from features.online import OnlineFeatures
from features.plan import feature_hash
from features.served import Served, ServedLog, ServedStore
from features.tiling import Background
from tests.databases import postgres
from tests.small_log import write_small_log

START = 1_700_000_000_000_000
DAY = 86_400_000_000
FEATURES = tuple(CATALOG)
CONTEXT = {"campaign_id": "1", "category": "BEEF", "store": "s1", "placement": "A"}
SPRING = {"type": "Type A", "starts_at": START, "ends_at": START + 90 * DAY}


def order(number: int, customer: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number:03d}", "customer_id": customer, "kind": "order",
        "occurred_at": START + number * DAY, "amount": 100 * number, "quantity": 2,
        "channel": "store", "category": "BEEF", "store": "s1", **more,
    }  # fmt: skip


def received(number: int, customer: str) -> Event:
    told = order(number, customer)
    return Event(told.pop("event_id"), told.pop("customer_id"), told)


class Shop:
    """A home with a log, a ledger, a store that follows both, and what was served from it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        states = [{"customer_id": "a", "known_at": START, "age": "19-24", "timezone": "Asia/Seoul"}]
        campaigns = [{"campaign_id": "1", **SPRING}]
        rows = [order(number, "ab"[number % 2]) for number in range(12)]
        self.log = write_small_log(home, rows, states, campaigns)
        self.now = START + 20 * DAY
        self.ledger = Ledger.open(home, clock=lambda latest: self.now)
        shelf = EmbeddedShelf(Background(home, FEATURES, lambda home: PLAIN))
        self.store = materialise(self.log, shelf, self.ledger)
        self.online = OnlineFeatures(self.store, FEATURES, engine=PLAIN)
        self.served = ServedStore.open(home)

    def close(self) -> None:
        for held in (self.served, self.store, self.ledger):
            held.close()

    def receive(self, events: Any = (), customers: Any = (), campaigns: Any = ()) -> None:
        self.now += DAY
        assert not self.ledger.append(events, customers, campaigns).refused
        self.store.catch_up(self.ledger)

    def serve(self, customer: str, **wrong: Any) -> None:
        values = self.online.row(customer, self.now + 1, CONTEXT)
        said = {f.name: v for f, v in zip(FEATURES, values, strict=True)} | wrong
        number = sum(1 for _ in self.served.since(0))
        row = Served(f"score-{number}", "churn", "1", customer, self.now + 1, self.store.sequence,
                     feature_hash(FEATURES), CONTEXT, said)  # fmt: skip
        self.served.add([row])


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    monkeypatch.setattr("features.frame.compiled", lambda cache: PLAIN)
    opened = Shop(tmp_path)
    yield opened
    opened.close()


def busy(shop: Shop) -> None:
    """Serve while events, attributes and a campaign arrive, some late, and some come again."""
    for customer in "ab":
        shop.serve(customer)
    shop.receive([received(14, "a"), received(13, "new")])
    for customer in ("a", "new"):
        shop.serve(customer)
    shop.receive([received(12, "a"), received(14, "a")], [Patch("a", {"age": "65+"})])
    shop.receive([], [Patch("b", {"timezone": "America/New_York"})],
                 [Patch("1", {**SPRING, "ends_at": START + 60 * DAY})])  # fmt: skip
    for customer in ("a", "b", "new"):
        shop.serve(customer)


def test_what_was_served_is_computed_again_whatever_came_after(shop, capsys):
    busy(shop)
    shop.receive([received(number, "a") for number in range(30, 36)], [Patch("a", {"age": None})])
    assert main(["consistency"]) == 0
    told = capsys.readouterr().out
    assert f"0 of {7 * len(FEATURES)} values differ" in told
    assert "order_count_90d" in told


def test_an_export_into_the_log_changes_nothing_of_it(shop, capsys):
    busy(shop)
    export(shop.ledger, shop.home)
    assert main(["consistency"]) == 0
    assert " 0 of " in f" {capsys.readouterr().out.splitlines()[-1]}"


def test_a_value_that_was_served_wrongly_is_found_and_named(shop, capsys):
    busy(shop)
    shop.serve("b", order_count_90d=99, days_since_last_order=None)
    assert main(["consistency"]) == 1
    first, second = (line for line in capsys.readouterr().out.splitlines() if "score sc" in line)
    assert "days_since_last_order" in first
    assert "order_count_90d" in second
    assert main(["consistency", "--limit", "0.01"]) == 0


def test_customers_and_their_values_are_shown_only_when_asked_for(shop, capsys):
    shop.receive([received(13, "jane.doe")])
    shop.serve("jane.doe", order_count_90d=98765)
    main(["consistency"])
    told = capsys.readouterr().out
    assert "jane" not in told
    assert "98765" not in told
    main(["consistency", "--show-customers"])
    assert "jane.doe" in capsys.readouterr().out


def test_older_scores_can_be_left_out(shop, capsys):
    shop.serve("b", order_count_90d=99)
    shop.receive([received(13, "a")])
    shop.serve("a")
    assert main(["consistency", "--since", "2023-12-05"]) == 0
    assert f"0 of {len(FEATURES)} values" in capsys.readouterr().out
    assert main(["consistency", "--since", "2030-01-01"]) == 2
    assert "NEXTBEST_LOG_SERVED" in capsys.readouterr().err


def test_nothing_served_is_no_agreement(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    write_small_log(tmp_path, [order(1, "a")])
    assert main(["consistency"]) == 2
    assert "Nothing was served here yet" in capsys.readouterr().err


ROW = {"model": "churn", "version": "1", "customer_id": "a", "as_of": 5, "sequence": 1,
       "catalogue": "f", "context": {}, "values": {"order_count_90d": 4, "x": None}}  # fmt: skip


@pytest.mark.services
def test_postgresql_keeps_the_same_rows():
    with postgres() as (url, prefix):
        store = ServedStore(url, prefix)
        store.add([Served("two", **{**ROW, "as_of": 9}), Served("one", **ROW)])
        assert list(store.since(0)) == [Served("one", **ROW), Served("two", **{**ROW, "as_of": 9})]
        assert [row.score_id for row in store.since(6)] == ["two"]
        store.close()


def test_a_sample_is_written_behind_the_requests_back():
    store = ServedStore("sqlite://")
    sample = ServedLog(store, 0.5, chance=random.Random(3))
    sample.start()
    wanted = sum(sample.wants() for _ in range(1_000))
    for number in range(1_200):
        sample.put(**{**ROW, "as_of": number})
    sample.stop()
    assert 400 < wanted < 600
    assert [row.as_of for row in store.since(0)] == list(range(1_200))
    store.close()


class Stuck:
    """A database that answers when it is told to, and then refuses."""

    def __init__(self) -> None:
        self.told = threading.Event()

    def add(self, rows: Any) -> None:
        self.told.wait(10)
        raise DatabaseError("It does not answer.", remedy="Start it.")


def test_a_database_that_hangs_or_fails_costs_rows_and_no_request():
    stuck, dropped = Stuck(), []
    sample = ServedLog(stuck, 1.0, dropped.append, most_waiting=5)  # type: ignore[arg-type]
    sample.start()
    for _ in range(2_000):
        sample.put(**ROW)
    assert sum(dropped) >= 2_000 - 600
    stuck.told.set()
    sample.stop()
    assert sum(dropped) == 2_000


def test_a_share_of_nothing_keeps_nothing():
    assert not any(ServedLog(Stuck(), 0.0).wants() for _ in range(100))  # type: ignore[arg-type]
