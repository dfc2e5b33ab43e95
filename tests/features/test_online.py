from typing import Any

import pandas as pd
import pytest

from features.catalog import CATALOG
from features.declare import attribute, campaign, events
from features.errors import MissingContextError, StoreReplacedError, UnknownCustomerError
from features.frame import frame
from features.jit import compiled
from features.log import EventLog
from features.materialise import materialise
from features.online import OnlineFeatures
from features.shelf import shelf_of
from features.snapshots import snapshot, write_snapshot
from features.spine import grid
from tests.small_log import write_small_log

DAY = 86_400_000_000
NOW = 1_512_363_600_000_000
orders = events("order")


def event(number: int, customer: str, days: int, kind: str = "order") -> dict[str, Any]:
    return {
        "event_id": f"e{number}", "customer_id": customer, "kind": kind,
        "occurred_at": NOW - days * DAY, "recorded_at": NOW - days * DAY, "amount": 100 * number,
        "quantity": 1, "channel": "store", "item": None, "category": "BEEF", "campaign_id": None,
        "store": "s1", "placement": None, "brand": "Private", "discount": 1, "coupon_discount": 0,
    }  # fmt: skip


EVENTS = [event(number, "ab"[number % 2], number + 1) for number in range(20)]
CUSTOMERS = [
    {"customer_id": name, "known_at": NOW - 400 * DAY, "age": age}
    for name, age in (("a", "65+"), ("b", None), ("quiet", "19-24"))
]
CAMPAIGNS = [
    {"campaign_id": "1", "type": "Type A", "channel": "mail", "starts_at": NOW,
     "ends_at": NOW + DAY, "cost": 10, "offer": "x"},
]  # fmt: skip


@pytest.fixture
def log(tmp_path) -> EventLog:
    return write_small_log(tmp_path, EVENTS, CUSTOMERS, CAMPAIGNS)


def test_the_store_gives_the_features_of_the_log(log, tmp_path):
    store = materialise(log, shelf_of(tmp_path))
    features = [feature for feature in CATALOG if not feature.needs]
    offline = frame(log, grid(store.customer_ids(), [NOW]), features)
    online = OnlineFeatures(store, features, engine=compiled())
    assert store.customer_ids() == ["a", "b", "quiet"]
    for row, customer in enumerate(store.customer_ids()):
        for feature, got in zip(features, online.row(customer, NOW, {}), strict=True):
            wanted = offline[feature.name].iloc[row]
            assert got == (None if pd.isna(wanted) else wanted)


def test_a_customer_without_events_is_known_by_attributes(log, tmp_path):
    store = materialise(log, shelf_of(tmp_path))
    online = OnlineFeatures(store, [orders.count(), attribute("age")])
    assert online.row("quiet", NOW, {}) == [0, "19-24"]


def test_an_unknown_customer_is_an_error_that_does_not_repeat_the_id(log, tmp_path):
    store = materialise(log, shelf_of(tmp_path))
    online = OnlineFeatures(store, [orders.count()])
    with pytest.raises(UnknownCustomerError, match="Nothing is stored") as caught:
        online.row("somebody@example.org", NOW, {})
    assert "somebody" not in str(caught.value)


def test_a_missing_context_names_what_to_send(log, tmp_path):
    store = materialise(log, shelf_of(tmp_path))
    online = OnlineFeatures(store, [campaign("type")])
    assert online.row("a", NOW, {"campaign_id": "1"}) == ["Type A"]
    with pytest.raises(MissingContextError, match="campaign_id"):
        online.row("a", NOW, {})


def test_a_store_read_while_another_takes_its_place_says_so(log, tmp_path):
    shelf, count = shelf_of(tmp_path), [orders.count()]
    old = OnlineFeatures(materialise(log, shelf), count)
    assert old.row("a", NOW, {}) == [10]
    grown = write_small_log(tmp_path, [*EVENTS, event(99, "a", 1)], CUSTOMERS, CAMPAIGNS)
    materialise(grown, shelf)
    with pytest.raises(StoreReplacedError):
        old.row("a", NOW, {})
    assert OnlineFeatures(shelf.open(), count).row("a", NOW, {}) == [11]


def test_a_snapshot_holds_every_customer_at_every_moment(log, tmp_path):
    table = snapshot(log, [NOW - 10 * DAY, NOW], [orders.count()])
    assert table["customer_id"].tolist() == ["a", "b", "quiet"] * 2
    assert table["order_count_ever"].tolist() == [5, 5, 0, 10, 10, 0]


def test_a_written_snapshot_is_a_table_named_after_its_moment(log, tmp_path):
    path = write_snapshot(log, tmp_path, NOW)
    table = pd.read_parquet(path)
    assert path.name.startswith("2017-12-04")
    assert len(table) == 3
    assert {feature.name for feature in CATALOG if not feature.reads} <= set(table.columns)
