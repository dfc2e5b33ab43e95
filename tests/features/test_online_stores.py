"""Both online stores: they follow the ledger, each change counts once, and all agree."""

from __future__ import annotations

import threading

import pytest

from features.errors import StoreError, StoreReplacedError
from features.local_time import HOURS
from features.store_meta import STATE, Progress
from tests.features.shelves import (
    COLUMNS,
    KINDS,
    LEVELS,
    START,
    Ledger,
    content,
    empty_store,
    meta,
    shelf_in,
    told,
)

HOUR = 3_600_000_000


@pytest.fixture(params=KINDS)
def shelf(request, tmp_path):
    with shelf_in(request.param, tmp_path) as found:
        yield found


def test_an_event_counts_as_soon_as_the_store_has_caught_up(shelf):
    store, ledger = empty_store(shelf), Ledger()
    ledger.event(1, amount=250, channel="store")
    assert store.catch_up(ledger) == 1
    [event] = told(store, "jane")
    assert {"kind": "order", "amount": 250, "channel": "store"}.items() <= event.items()
    assert event["recorded_at"] == START + 1_000_000
    with store.history("jane") as history:
        assert (history.sequence, history.tiles) == (1, None)
    assert store.instant == store.last_instant == START + 1_000_000


def test_nobody_is_known_before_the_first_word(shelf):
    store = empty_store(shelf)
    with store.history("jane") as history:
        assert history is None
    assert store.get("jane") is None
    assert (store.customer_ids(), store.sequence, store.last_instant) == ([], 0, None)
    assert store.instant == 0


def test_catching_up_again_applies_nothing_again(shelf):
    store, ledger = empty_store(shelf), Ledger()
    ledger.event(1)
    store.catch_up(ledger)
    before = content(store)
    assert store.catch_up(ledger) == 1
    assert content(store) == before


def test_a_number_that_is_there_already_asks_the_ledger_nothing(shelf):
    store, ledger = empty_store(shelf), Ledger()
    ledger.event(1)
    store.catch_up(ledger, up_to=1)
    asked = len(ledger.asked)
    assert store.catch_up(ledger, up_to=1) == 1
    assert len(ledger.asked) == asked


def test_more_changes_than_one_transaction_takes_are_all_applied(shelf):
    store, ledger = empty_store(shelf), Ledger()
    for number in range(2_500):
        ledger.event(number, customer=f"c{number % 7}")
    assert store.catch_up(ledger) == 2_500
    assert sum(len(told(store, customer)) for customer in store.customer_ids()) == 2_500


def test_attributes_are_full_states_and_the_last_eight_are_kept(shelf):
    store, ledger = empty_store(shelf), Ledger()
    for number in range(10):
        ledger.add("customer", {"customer_id": "jane", "attributes": {"visits": number}})
        store.catch_up(ledger)
    states = store.get("jane").attributes
    assert [attributes["visits"] for _, attributes in states] == list(range(2, 10))
    assert states[-1][0] == START + 10_000_000


def test_an_hour_is_local_to_the_zone_known_when_the_event_was_recorded(shelf):
    store, ledger = empty_store(shelf), Ledger()
    noon = START // HOUR * HOUR
    ledger.event(1, occurred_at=noon)
    ledger.add("customer", {"customer_id": "jane", "attributes": {"timezone": "Asia/Seoul"}})
    ledger.event(2, occurred_at=noon)
    ledger.add("customer", {"customer_id": "jane", "attributes": {"timezone": "no/where"}})
    ledger.event(3, occurred_at=noon)
    store.catch_up(ledger)
    berlin, seoul, unknown = (event["hour_of_week"] for event in told(store, "jane"))
    assert (seoul - berlin) % 168 == 8
    assert unknown == berlin
    assert HOURS[berlin] == "tue_23"


def test_an_event_dated_ahead_is_where_the_customer_will_be_known_to_live(shelf):
    store, ledger = empty_store(shelf), Ledger()
    ahead = START // HOUR * HOUR + 24 * HOUR
    ledger.event(1, occurred_at=ahead, recorded_at=ahead)
    store.catch_up(ledger)
    ledger.add("customer", {"customer_id": "jane", "attributes": {"timezone": "Asia/Seoul"}})
    store.catch_up(ledger)
    [event] = told(store, "jane")
    assert HOURS[event["hour_of_week"]] == "thu_07"


def test_a_campaign_is_known_at_once_and_its_last_change_counts(shelf):
    store, ledger = empty_store(shelf), Ledger()
    campaign = {"campaign_id": "spring", "type": "mail", "starts_at": 1, "ends_at": 9}
    ledger.add("campaign", campaign)
    ledger.add("campaign", {**campaign, "cost": 50})
    store.catch_up(ledger)
    wanted = {"type": "mail", "starts_at": 1, "ends_at": 9, "cost": 50}
    assert store.campaigns == {"spring": wanted}
    ledger.add("campaign", {**campaign, "campaign_id": "summer"})
    store.catch_up(ledger)
    assert sorted(store.campaigns) == ["spring", "summer"]


def test_another_process_learns_of_campaigns_and_texts_by_reading(shelf):
    writer, ledger = empty_store(shelf), Ledger()
    reader = shelf.open()
    kinds = reader.dictionaries["kind"]
    ledger.add("campaign", {"campaign_id": "spring", "starts_at": 1, "ends_at": 9})
    ledger.event(1, kind="tour", channel="app")
    ledger.event(2, kind="order", channel="boat")
    writer.catch_up(ledger)
    with reader.history("jane") as history:
        assert history.values.shape[1] == 2
    assert list(reader.campaigns) == ["spring"]
    assert [event["kind"] for event in told(reader, "jane")] == ["tour", "order"]
    assert kinds.levels == ["order", "visit", "tour"]
    assert reader.dictionaries["channel"].levels == ["store", "app", "boat"]
    assert reader.last_instant == ledger.changes[-1].at


def test_the_texts_that_a_store_was_filled_with_keep_their_codes(shelf):
    store, ledger = empty_store(shelf), Ledger()
    ledger.event(1, kind="visit")
    store.catch_up(ledger)
    assert {name: held.levels for name, held in store.dictionaries.items()} == LEVELS
    assert store.get("jane").values[COLUMNS.index("kind"), 0] == 1


def test_ids_of_any_length_and_script_are_kept_apart(shelf):
    store, ledger = empty_store(shelf), Ledger()
    ids = ["a", "_state", "campaigns", "나", "x" * 3_000, "x" * 2_999 + "y", "a:b*", "c1"]
    for number, customer in enumerate(ids):
        ledger.event(number, customer=customer, amount=number)
    store.catch_up(ledger)
    assert store.customer_ids() == sorted(ids)
    assert [told(store, customer)[0]["amount"] for customer in ids] == list(range(len(ids)))


def test_many_who_catch_up_at_once_apply_each_change_once(shelf, tmp_path):
    empty_store(shelf)
    ledger = Ledger()
    for number in range(300):
        ledger.event(number, customer=f"c{number % 5}", kind=f"kind {number % 40}")
    lines, ledger.changes = ledger.changes, []
    failed = []

    def follow():
        try:
            store = shelf.open()
            while store.catch_up(ledger) < 300:
                pass
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 300, 10):
        ledger.changes = lines[: start + 10]
    for thread in threads:
        thread.join(60)
    assert not failed
    with shelf_in("embedded", tmp_path / "other") as other:
        alone = empty_store(other)
        alone.catch_up(ledger)
        assert content(shelf.open()) == content(alone)


def test_a_transaction_that_fails_leaves_the_store_as_it_was(shelf):
    store, ledger = empty_store(shelf), Ledger()
    ledger.event(1, kind="tour")
    store.catch_up(ledger)
    before = content(store)
    ledger.event(2, kind="voyage")
    ledger.add("event", {"event_id": "e3", "customer_id": "jane", "occurred_at": "yesterday"})
    with pytest.raises((TypeError, ValueError)):
        store.catch_up(ledger)
    assert content(store) == before
    assert store.dictionaries["kind"].levels == ["order", "visit", "tour"]
    ledger.changes.pop()
    ledger.event(3, kind="cruise")
    store.catch_up(ledger)
    assert store.dictionaries["kind"].levels == ["order", "visit", "tour", "voyage", "cruise"]


def test_a_store_that_was_replaced_says_so_to_readers_and_writers(shelf):
    store, ledger = empty_store(shelf), Ledger()
    store.transact(lambda draft: draft.put(STATE, Progress(0, retired=1).pack()))
    ledger.event(1)
    with pytest.raises(StoreReplacedError, match="Open it anew"):
        store.catch_up(ledger)
    with pytest.raises(StoreReplacedError), store.history("jane"):
        pass


def test_a_store_that_lost_its_last_writes_is_not_written_to(shelf):
    store, ledger = empty_store(shelf), Ledger()
    store.transact(lambda draft: draft.put(STATE, Progress(0).pack()))
    ledger.event(1, kind="tour")
    store.catch_up(ledger)
    store.transact(lambda draft: draft.put(STATE, Progress(0).pack()))
    with pytest.raises(StoreReplacedError, match="older than it was"):
        store.catch_up(ledger)


def test_a_store_of_another_format_says_how_to_fill_it_again(shelf):
    with pytest.raises(StoreError, match="python -m features materialise"):
        empty_store(shelf, format=99)


def test_what_a_store_says_of_itself_comes_back(shelf):
    wanted = {"fingerprint": "x", "properties": {"store": "text"}, "attribute_types": {"a": "text"}}
    assert empty_store(shelf, **wanted).meta == meta(**wanted)
