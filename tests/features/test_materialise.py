"""The online store filled from the log: the same as one that followed, whatever flows meanwhile."""

from __future__ import annotations

import threading
import time
from copy import copy
from typing import Any

import pytest

from features.embedded_shelf import EmbeddedShelf
from features.errors import NoLogError, StoreError, StoreReplacedError
from features.jit import PLAIN
from features.materialise import materialise, meta_of, plan_of
from features.record import KEPT_STATES
from features.shelf import shelf_of
from features.store_meta import Progress
from features.tiling import Background
from tests.features.shelves import FEATURES, KINDS, START, Ledger, content, orders, shelf_in, told
from tests.small_log import write_small_log


@pytest.fixture(params=KINDS)
def shelf(request, tmp_path):
    with shelf_in(request.param, tmp_path) as found:
        yield found


def order(number: int, customer: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number:03d}", "customer_id": customer, "kind": "order",
        "occurred_at": START + number // 2, "amount": number, "channel": "store", **more,
    }  # fmt: skip


ROWS = [order(number, "abc"[number % 3]) for number in range(12)]
STATES = [
    {"customer_id": "a", "known_at": START - 5, "timezone": "Asia/Seoul", "visits": 3.0},
    {"customer_id": "a", "known_at": START + 2, "timezone": None, "visits": 4.0},
    {"customer_id": "quiet", "known_at": START, "timezone": None, "visits": 1.0},
]
CAMPAIGN = {"campaign_id": "1", "type": "A", "starts_at": START, "ends_at": START + 9, "cost": 5}


def embedded(home):
    return EmbeddedShelf(Background(home, FEATURES, lambda folder: PLAIN))


def with_features(shelf, features):
    other = copy(shelf)
    other.background = shelf.background._replace(features=features)
    return other


def filled(log, shelf, ledger=None, **more):
    return materialise(log, shelf, ledger, **more)


def test_a_filled_store_holds_what_the_log_holds(shelf, tmp_path):
    log = write_small_log(tmp_path, ROWS, STATES, [CAMPAIGN])
    store = filled(log, shelf)
    assert store.columns == plan_of(log, FEATURES).columns
    assert store.customer_ids() == ["a", "b", "c", "quiet"]
    for customer in "abc":
        mine = sorted(
            (r for r in ROWS if r["customer_id"] == customer), key=lambda r: r["event_id"]
        )
        found = told(store, customer)
        assert [event["amount"] for event in found] == [row["amount"] for row in mine]
        assert {event["channel"] for event in found} == {"store"}
    states = store.get("a").attributes
    assert states[0] == (START - 5, {"timezone": "Asia/Seoul", "visits": 3.0})
    assert states[1] == (START + 2, {"visits": 4.0})
    assert store.get("b").attributes == []
    assert store.get("quiet").values.shape == (len(store.columns), 0)
    assert store.campaigns["1"]["cost"] == 5
    assert store.last_instant == log.last_instant
    assert store.attribute_types == {"timezone": "text", "visits": "number"}
    assert store.properties == log.properties


def test_a_store_filled_from_a_log_equals_one_that_followed_the_same_changes(shelf, tmp_path):
    log = write_small_log(tmp_path / "whole", ROWS, STATES, [CAMPAIGN])
    wanted = filled(log, embedded(tmp_path / "other"))
    first = write_small_log(tmp_path / "start", ROWS[1:2])
    ledger = Ledger()
    for state in STATES:
        known = {
            name: value for name, value in state.items() if name not in ("customer_id", "known_at")
        }
        changed = {"customer_id": state["customer_id"], "attributes": known}
        ledger.add("customer", changed, state["known_at"])
    ledger.add("campaign", CAMPAIGN)
    for row in [*ROWS[:1:-1], ROWS[0]]:
        ledger.add("event", {**row, "recorded_at": row["occurred_at"]})
    store = filled(first, shelf, ledger)
    assert store.customer_ids() == wanted.customer_ids()
    for customer in wanted.customer_ids():
        assert told(store, customer) == told(wanted, customer)
        assert store.get(customer).attributes == wanted.get(customer).attributes
    assert store.campaigns == wanted.campaigns


def test_texts_of_filters_are_known_before_an_event_carries_them(shelf, tmp_path):
    log = write_small_log(tmp_path, ROWS)
    store = filled(log, shelf)
    assert store.dictionaries["channel"].levels == ["store", "web"]
    assert store.dictionaries["kind"].levels == ["order", "visit"]
    plan = plan_of(log, FEATURES)
    assert meta_of(log, plan).levels["channel"] == ["store", "web"]
    assert log.dictionaries["channel"].levels == ["store"]


def test_features_of_columns_that_the_log_has_not_are_left_out(tmp_path):
    log = write_small_log(tmp_path, ROWS)
    plan = plan_of(log, [*FEATURES, orders.sum("margin", unit="currency")])
    assert [feature.name for feature in plan.features] == [feature.name for feature in FEATURES]


def test_filling_again_from_the_same_log_changes_nothing_but_catches_up(shelf, tmp_path):
    log, ledger = write_small_log(tmp_path, ROWS), Ledger()
    filled(log, shelf)
    stamp = shelf.stamp()
    ledger.event(900, customer="new", occurred_at=START)
    store = filled(log, shelf, ledger)
    assert shelf.stamp() == stamp
    assert store.customer_ids() == ["a", "b", "c", "new"]
    filled(log, shelf, ledger, anew=True)
    assert shelf.stamp() != stamp


def test_another_catalogue_or_log_fills_a_new_store_and_keeps_the_one_before(shelf, tmp_path):
    log = write_small_log(tmp_path, ROWS)
    first = filled(log, shelf)
    second = materialise(log, with_features(shelf, FEATURES[:2]))
    assert second.columns != first.columns
    before = shelf.stamp()
    grown = write_small_log(tmp_path, [*ROWS, order(99, "a")])
    third = filled(grown, shelf)
    assert len(told(third, "a")) == 5
    with pytest.raises(StoreReplacedError):
        second.get("a")
    assert list(shelf.sweep([before, shelf.stamp()])) == []
    assert list(shelf.sweep([shelf.stamp()])) == [before]
    assert len(told(shelf.open(), "a")) == 5


def test_lines_that_the_log_holds_already_are_not_applied_again(shelf, tmp_path):
    log, ledger = write_small_log(tmp_path, ROWS), Ledger()
    for row in ROWS:
        ledger.add("event", row)
    ledger.event(700, customer="a", occurred_at=START)
    log.exported = len(ROWS)
    store = filled(log, shelf, ledger)
    assert len(told(store, "a")) == 5
    assert min(ledger.asked) == len(ROWS)


def test_an_event_that_is_in_the_log_and_in_the_ledger_counts_once(shelf, tmp_path):
    log, ledger = write_small_log(tmp_path, ROWS), Ledger()
    for row in ROWS:
        ledger.add("event", row)
    assert len(told(filled(log, shelf, ledger), "a")) == 4


def test_a_rebuild_while_events_flow_loses_none_and_applies_each_once(shelf, tmp_path):
    log, ledger = write_small_log(tmp_path, ROWS), Ledger()
    filled(log, shelf, ledger)
    live = {"store": shelf.open()}
    stop, failed, lock = threading.Event(), [], threading.Lock()
    scored = []

    def receive() -> None:
        """What a server does: commit, catch up, answer; a replaced store is opened anew."""
        number = 1_000
        try:
            while not stop.is_set():
                with lock:
                    number += 1
                    ledger.event(number, customer="abcd"[number % 4], kind=f"k{number % 50}")
                applied = 0
                while not applied:
                    try:
                        live["store"].catch_up(ledger)
                        applied = live["store"].sequence
                    except StoreReplacedError:
                        live["store"] = shelf.open()
                scored.append(applied)
                assert applied == len(ledger.changes)
                time.sleep(0.001)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=receive)
    thread.start()
    rebuilds = 0
    while not failed and (rebuilds < 4 or len(scored) < 50):
        filled(log, shelf, ledger, anew=True)
        rebuilds += 1
    stop.set()
    thread.join(60)
    assert not failed
    store = shelf.open()
    assert store.catch_up(ledger) == len(ledger.changes)
    alone = filled(log, embedded(tmp_path / "alone"), ledger)
    assert content(store) == content(alone)
    ids = [event for customer in store.customer_ids() for event in told(store, customer)]
    assert len(ids) == len(ROWS) + len(ledger.changes)


def test_two_processes_do_not_fill_at_once(shelf, tmp_path):
    log = write_small_log(tmp_path, ROWS)
    with shelf.filling(), pytest.raises(StoreError, match="Another process is filling"):
        filled(log, shelf)
    filled(log, shelf)


def test_only_the_last_states_of_a_customer_are_filled_in(shelf, tmp_path):
    states = [
        {"customer_id": "a", "known_at": START + number, "visits": float(number)}
        for number in range(KEPT_STATES + 3)
    ]
    store = filled(write_small_log(tmp_path, ROWS, states), shelf)
    kept = [attributes["visits"] for _, attributes in store.get("a").attributes]
    assert kept == list(range(3, KEPT_STATES + 3))


def test_of_a_fill_that_fails_nothing_is_left(shelf, tmp_path):
    log = write_small_log(tmp_path, ROWS)
    filled(log, shelf)
    before = shelf.stamp()

    def full(step: str, done: int, total: int | None) -> None:
        if done:
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        filled(log, shelf, anew=True, report=full)
    assert shelf.stamp() == before
    assert list(shelf.sweep([before])) == []
    assert shelf.open().customer_ids() == ["a", "b", "c"]


def test_an_empty_shelf_says_how_to_fill_it(shelf):
    assert shelf.stamp() is None
    with pytest.raises(NoLogError, match="python -m features build"):
        shelf.open()


def test_progress_is_told_in_events(tmp_path):
    told_of = []
    log = write_small_log(tmp_path, ROWS)
    filled(log, embedded(tmp_path), report=lambda *step: told_of.append(step))
    assert told_of[0] == ("filling the online store", 0, 12)
    assert told_of[-1][1:] == (12, 12)


def test_a_store_of_an_older_kind_is_replaced(tmp_path):
    log = write_small_log(tmp_path, ROWS)
    (tmp_path / "online" / "old").mkdir(parents=True)
    (tmp_path / "online" / "old" / "store.json").write_text("{}")
    (tmp_path / "online" / "CURRENT").write_text("old")
    with pytest.raises(StoreError, match="python -m features materialise"):
        embedded(tmp_path).open()
    assert filled(log, embedded(tmp_path)).customer_ids() == ["a", "b", "c"]


def test_a_setting_that_names_no_store_says_what_to_write(tmp_path):
    assert isinstance(shelf_of(tmp_path), EmbeddedShelf)
    with pytest.raises(StoreError, match=r"redis:..127\.0\.0\.1:6379"):
        shelf_of(tmp_path, "lmdb")
    with pytest.raises(StoreError, match=r"redis:..127\.0\.0\.1:6379"):
        shelf_of(tmp_path, "http://127.0.0.1")


def test_a_redis_that_does_not_answer_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/0.*Start it"):
        shelf_of(tmp_path, "redis://:secret@127.0.0.1:1/0").open()


def test_progress_starts_where_the_log_ends(tmp_path):
    log = write_small_log(tmp_path, ROWS)
    assert filled(log, embedded(tmp_path)).progress() == Progress(0, last_instant=log.last_instant)
