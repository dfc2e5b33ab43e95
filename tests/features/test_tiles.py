"""Older events as tiles: the same features, whatever was summed up when."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.campaigns import with_campaign
from features.declare import context, events
from features.errors import PastMomentError
from features.jit import PLAIN, compiled
from features.kernel.states import HOUR
from features.one_row import OneRow
from features.plan import compile_plan
from features.spine import Spine
from features.tile_layout import layout_of
from features.tiles import add, cut_before
from features.window import DAY
from tests.contracts.test_point_in_time import FEATURES, same
from tests.features import logs
from tests.features.memory_log import MemoryLog

orders = events("order")
LONG = tuple(f for f in FEATURES if "_12h" not in f.name and "_7d" not in f.name)


class Kept(dict[bytes, bytes]):
    """Tiles in memory."""

    def get(self, names: Any) -> Any:  # type: ignore[override]
        return [dict.get(self, name) for name in names]


class Past(NamedTuple):
    values: Any
    attributes: Any
    cut: int
    tiles: Any


def tiled(store: Any, layout: Any, engine: Any, who: str, moments: list[int]) -> Past:
    """Return a customer whose events became tiles at some moments, one after the other."""
    history = store.get(who)
    values, kept, cut = history.values, Kept(), -(2**62)
    for moment in moments:
        later = cut_before(layout, moment)
        older = (values[0] >= cut) & (values[0] < later)
        if older.any():
            cut = later
            moved = np.ascontiguousarray(values[:, older])
            kept.update(add(layout, engine, moved, kept, cut))
    rest = np.ascontiguousarray(values[:, values[0] >= cut])
    return Past(rest, history.attributes, cut, kept if kept else None)


def row_context(row: dict[str, Any]) -> Any:
    given = {
        name: np.array([row[name]], dtype=object)
        for name in ("category", "store", "placement", "campaign_id")
    }
    nobody = np.array([""], dtype=object)
    spine = Spine("row", nobody, nobody, np.zeros(1, np.int64), given)
    needed = {name for feature in FEATURES for name in feature.reads}
    return with_campaign(spine, logs.CAMPAIGNS, needed).context


def check(engine: Any, held: Any, changes: Any, row: Any, ago: Any, features: Any) -> None:
    log: Any = MemoryLog(held, changes, logs.CAMPAIGNS)
    store = log.store()
    if store.get("a") is None:
        return
    now = max([logs.NOW, *(e["recorded_at"] + 1 for e in held)])
    plan = compile_plan(features, store.columns, store.dictionaries, layout=store.columns)
    layout = layout_of(features, store.columns, store.dictionaries, 100)
    past = tiled(store, layout, engine, "a", sorted(now - days * DAY for days in ago))
    given = row_context(row)
    whole = Past(store.get("a").values, past.attributes, -(2**62), None)
    wanted = OneRow(plan, engine).values(whole, now, given)
    got = OneRow(plan, engine, layout).values(past, now, given)
    for feature, one, two in zip(features, wanted, got, strict=True):
        assert same(one, two) if isinstance(two, float) else one == two, feature.name


@settings(max_examples=150, deadline=None)
@given(
    held=logs.events(most=30), changes=logs.changes, rows=logs.rows,
    ago=st.lists(st.integers(0, 500), min_size=1, max_size=4), short=st.booleans(),
)  # fmt: skip
def test_tiles_change_no_feature(held: Any, changes: Any, rows: Any, ago: Any, short: bool) -> None:
    own = [{**event, "customer_id": "a"} for event in held]
    row = rows[0] if rows else {
        "category": "BEEF", "store": "s1", "placement": "A", "campaign_id": "1"
    }  # fmt: skip
    check(compiled(), own, changes, row, ago, FEATURES if short else LONG)


def crowd(n: int, days: int) -> list[dict[str, Any]]:
    """Return many events of one customer, several an hour."""
    rng = np.random.default_rng(3)
    at = np.sort(logs.NOW - rng.integers(1, days * DAY, n))
    return [
        {
            "event_id": str(number), "customer_id": "a", "kind": str(rng.choice(logs.KINDS)),
            "occurred_at": int(moment), "recorded_at": int(moment) + 1,
            "amount": int(rng.integers(-50, 900)), "quantity": int(rng.integers(1, 9)),
            "category": str(rng.choice(["Type A", "BEEF", "CHEESE"])), "store": "s1",
            "brand": "Private", "campaign_id": "1", "placement": "A",
        }
        for number, moment in enumerate(at.tolist())
    ]  # fmt: skip


ROW = {"category": "BEEF", "store": "s1", "placement": "A", "campaign_id": "1"}


@pytest.mark.parametrize("ago", [[0], [400, 200, 100, 20, 0], [0, 0], [3]])
def test_tiles_of_a_customer_with_many_events_change_no_feature(ago: list[int]) -> None:
    check(compiled(), crowd(3_000, 450), [], ROW, ago, FEATURES)
    check(compiled(), crowd(3_000, 450), [], ROW, ago, LONG)


def test_tiles_are_right_without_the_compiler_too() -> None:
    check(PLAIN, crowd(60, 60), [], ROW, [30, 0], LONG)


def test_days_before_every_window_are_summed_up_and_go() -> None:
    features = [orders.count(last="30d"), orders.count(), orders.max("amount", unit="currency")]
    log: Any = MemoryLog(crowd(2_000, 300), [], {})
    store = log.store()
    layout = layout_of(features, store.columns, store.dictionaries, 100)
    past = tiled(store, layout, compiled(), "a", [logs.NOW - 100 * DAY, logs.NOW])
    days = {
        int(name.split(b":")[3]) for name, held in past.tiles.items() if name[:1] == b"d" and held
    }
    assert min(days) >= (logs.NOW - 34 * DAY) // DAY
    check(compiled(), crowd(2_000, 300), [], ROW, [100, 0], features)


def test_texts_that_no_dictionary_holds_yet_have_room_in_tiles() -> None:
    features = [orders.most_common("store"), orders.distinct("category", last="90d")]
    log: Any = MemoryLog(crowd(50, 30), [], {})
    store = log.store()
    layout = layout_of(features, store.columns, store.dictionaries, 100)
    values, cut = store.get("a").values, cut_before(layout, logs.NOW)
    values = np.ascontiguousarray(values[:, values[0] < cut])
    values[store.columns.index("store")] = 40
    written = add(layout, PLAIN, values, Kept(), cut)
    cells = [np.frombuffer(held, np.int64) for name, held in written.items() if name[:1] == b"c"]
    assert {40} in [set(held.reshape(-1, 3)[:, 1].tolist()) for held in cells]


def test_the_past_is_refused_where_tiles_hold_it() -> None:
    features = [orders.count(last="30d"), orders.count(last="12h")]
    log: Any = MemoryLog(crowd(500, 100), [], {})
    store = log.store()
    plan = compile_plan(features, store.columns, store.dictionaries, layout=store.columns)
    layout = layout_of(features, store.columns, store.dictionaries, 100)
    past = tiled(store, layout, compiled(), "a", [logs.NOW])
    row = OneRow(plan, compiled(), layout)
    row.values(past, logs.NOW, {})
    with pytest.raises(PastMomentError, match="present"):
        row.values(past, past.cut + 11 * HOUR, {})


def test_matches_and_cells_have_tiles_of_their_own() -> None:
    features = [
        orders.most_common("category", category=context("category"), last="90d"),
        orders.distinct("store", last="90d", category=context("category")),
        orders.decayed_sum("amount", half_life="30d", unit="currency"),
    ]
    check(compiled(), crowd(1_000, 200), [], ROW, [50, 0], features)
