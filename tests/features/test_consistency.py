"""Served features computed again: the log and the ledger as they were tell the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from features.__main__ import main
from features.catalog import CATALOG
from features.embedded_shelf import EmbeddedShelf
from features.export import export
from features.jit import PLAIN
from features.ledger import Ledger
from features.ledger_entry import Event, Patch
from features.materialise import materialise
from features.online import OnlineFeatures
from features.plan import feature_hash
from features.served import Block, Row, ServedStore, Shape
from features.tiling import Background
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
        number = 1 + sum(1 for _ in self.served.since(0))
        row = Row(f"{number:026x}", customer, self.now + 1, self.store.sequence, True, CONTEXT,
                  list(said.values()), {})  # fmt: skip
        shape = Shape("churn", "1", feature_hash(FEATURES), tuple(said))
        self.served.add(f"{0:012x}", [Block(number, shape, [row])])


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
    first, second = (line for line in capsys.readouterr().out.splitlines() if "score 00" in line)
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
