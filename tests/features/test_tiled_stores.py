"""Old events as tiles in both online stores: small records, the same features."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from features.declare import context, events
from features.errors import StoreError
from features.jit import PLAIN
from features.materialise import materialise
from features.one_row import OneRow
from features.plan import compile_plan
from features.record import EVER
from features.tiling import Background
from tests.features.shelves import KINDS, Ledger, content, shelf_in
from tests.small_log import write_small_log

DAY = 86_400_000_000
NOW = 1_700_006_400_000_000
orders = events("order")
FEATURES = [
    orders.count(),
    orders.count(last="30d"),
    orders.sum("amount", last="90d", unit="currency"),
    orders.days_since_last(),
    orders.distinct("channel", last="365d"),
    orders.count(last="90d", channel=context("channel")),
    orders.most_common("hour_of_week", last="365d"),
]
MOST = 40


@pytest.fixture(params=KINDS)
def shelf(request, tmp_path):
    with shelf_in(request.param, tmp_path) as found:
        found.background = Background(tmp_path, FEATURES, lambda home: PLAIN, MOST)
        yield found


def order(number: int, days: float, customer: str = "heavy") -> dict[str, Any]:
    return {
        "event_id": f"e{number:04d}", "customer_id": customer, "kind": "order",
        "occurred_at": int(NOW - days * DAY), "amount": number,
        "channel": ("store", "web", "app")[number % 3],
    }  # fmt: skip


def history(n: int = 150) -> list[dict[str, Any]]:
    drawn = random.Random(4)
    return [order(number, drawn.uniform(2, 500)) for number in range(n)]


def values(store: Any, past: Any, layout: Any = None) -> list[Any]:
    plan = compile_plan(FEATURES, store.columns, store.dictionaries, layout=store.columns)
    given = {"channel": np.array(["web"], dtype=object)}
    return OneRow(plan, PLAIN, layout).values(past, NOW + DAY, given)


def check(store: Any, shelf: Any, tmp_path: Any, ledger: Any) -> None:
    """The features of a customer with tiles are those of one whose events are all at hand."""
    with shelf_in("embedded", tmp_path / f"whole{len(ledger.changes)}") as other:
        other.background = shelf.background._replace(most_events=10**9)
        whole = materialise(shelf.log, other, ledger)
        with whole.history("heavy") as all_events:
            wanted = values(whole, all_events)
    with store.history("heavy") as few:
        assert few.tiles is not None
        assert few.cut % DAY == 0
        assert (few.values[0] >= few.cut).all()
        assert few.values.shape[1] < MOST
        assert values(store, few, store.tiling.layout) == pytest.approx(wanted)


def test_a_heavy_customer_is_filled_in_with_tiles(shelf, tmp_path):
    shelf.log = write_small_log(tmp_path, [*history(), order(900, 5, "light")])
    store = materialise(shelf.log, shelf)
    check(store, shelf, tmp_path, Ledger())
    with store.history("light") as light:
        assert (light.tiles, light.cut) == (None, EVER)


def test_what_arrives_pushes_old_events_into_tiles(shelf, tmp_path):
    shelf.log = write_small_log(tmp_path, history(MOST - 1))
    store, ledger = materialise(shelf.log, shelf), Ledger()
    with store.history("heavy") as before:
        assert before.tiles is None
    for number in range(1_000, 1_030):
        recent = order(number, 4 - (number - 1_000) / 15)
        ledger.add("event", recent, recent["occurred_at"] + 1)
        store.catch_up(ledger)
    check(store, shelf, tmp_path, ledger)


def test_an_event_that_is_older_than_the_tiles_makes_the_customer_anew(shelf, tmp_path):
    shelf.log = write_small_log(
        tmp_path, history(), [{"customer_id": "heavy", "known_at": 5, "timezone": "Asia/Seoul"}]
    )
    store, ledger = materialise(shelf.log, shelf), Ledger()
    for number, days in ((2_000, 1), (2_001, 100), (2_002, 20.5), (2_003, 499.9)):
        late = order(number, days)
        ledger.add("event", {**late, "recorded_at": NOW + number}, NOW + number)
        store.catch_up(ledger)
        check(store, shelf, tmp_path, ledger)
    anew = materialise(shelf.log, shelf, ledger, anew=True)
    check(anew, shelf, tmp_path, ledger)


def test_a_late_event_that_the_log_holds_by_now_counts_once(shelf, tmp_path):
    shelf.log = write_small_log(tmp_path, history())
    store, ledger = materialise(shelf.log, shelf), Ledger()
    late = {**order(3_000, 200), "channel": "boat"}
    ledger.add("event", {**late, "recorded_at": NOW}, NOW)
    # The log has been exported to meanwhile, and has given the new text a code of its own.
    shelf.log = write_small_log(tmp_path, [{**order(3_001, 201, "other"), "channel": "raft"}, late])
    store.catch_up(ledger)
    with store.history("heavy") as held:
        assert values(store, held, store.tiling.layout)[0] == 151
    assert "boat" in store.dictionaries["channel"].levels


def test_another_catalogue_than_the_store_was_filled_for_is_said(shelf, tmp_path):
    log = write_small_log(tmp_path, history())
    materialise(log, shelf)
    shelf.background = shelf.background._replace(features=FEATURES[:2])
    with pytest.raises(StoreError, match="python -m features materialise"):
        _ = shelf.open().tiling.layout


def test_dropping_tiles_leaves_those_of_others(shelf, tmp_path):
    log = write_small_log(tmp_path, history())
    store = materialise(log, shelf)
    others = content(store)
    store.transact(lambda draft: draft.put_tiles("other", {b"x": b"1", b"y": b"2"}))
    store.transact(lambda draft: draft.put_tiles("other", {b"x": b"", b"z": b"3"}))

    def read(draft: Any) -> list[Any]:
        return [found and bytes(found) for found in draft.tiles("other").get([b"x", b"y", b"z"])]

    assert store.transact(read) == [None, b"2", b"3"]
    store.transact(lambda draft: draft.drop_tiles("other"))
    assert content(store) == others
