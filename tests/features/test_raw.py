"""Raw events and attributes give the features that the same stored would give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.declare import attribute, events
from features.dictionary import Dictionary
from features.jit import PLAIN
from features.materialise import materialise
from features.one_row import OneRow
from features.online import OnlineFeatures
from features.plan import compile_plan
from features.shelf import shelf_of
from features.tiling import Background
from tests.small_log import SHOP, write_small_log

NOW = 1_700_000_000_000_000
DAY = 86_400_000_000
orders = events("order")
FEATURES = (
    orders.count(last="90d"),
    orders.count(last="90d", channel="web"),
    orders.sum("amount", unit="EUR"),
    orders.distinct("item"),
    orders.most_common("item"),
    orders.most_common("hour_of_week"),
    orders.days_since_last(),
    events("visit").count(),
    attribute("age"),
)


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> OnlineFeatures:
    """A store of somebody whose events know few texts."""
    home = tmp_path_factory.mktemp("raw")
    known = [{"customer_id": "a", "kind": "order", "occurred_at": NOW - DAY, "item": "pear"}]
    log = write_small_log(home, known)
    store = materialise(log, shelf_of(home, background=Background(home, FEATURES, lambda _: PLAIN)))
    return OnlineFeatures(store, FEATURES, PLAIN)


moments = st.integers(NOW - 100 * DAY, NOW + DAY)
EVENT = st.fixed_dictionaries(
    {"kind": st.sampled_from(["order", "visit", "unheard of"]), "occurred_at": moments},
    optional={
        "recorded_at": moments,
        "amount": st.integers(-(10**6), 10**6),
        "item": st.sampled_from(["pear", "plum", "fig"]),
        "channel": st.sampled_from(["web", "store"]),
    },
)


def stored(rows: list[dict[str, Any]], attributes: dict[str, Any], columns: Any) -> list[Any]:
    """The slow way: dictionaries made from the events alone, and rows put together by hand."""
    from features.local_time import DERIVED, derive, offsets_of

    levels = {name: Dictionary() for name in ("kind", "channel", "item", "category")}
    levels |= {name: Dictionary() for name in ("campaign_id", "brand", "placement", "store")}
    ordered = sorted(rows, key=lambda row: (row["occurred_at"], row["event_id"]))
    values = np.full((len(columns), len(rows)), -(2**63), np.int64)
    for row, name in enumerate(columns):
        for place, event in enumerate(ordered):
            if name in levels:
                values[row, place] = int(levels[name].codes([event.get(name)])[0])
            elif event.get(name) is not None:
                values[row, place] = event[name]
        if name in DERIVED:
            zone = np.zeros(len(rows), np.int64)
            ahead = offsets_of([attributes.get("timezone", SHOP.timezone)], zone, values[0])
            values[row] = derive(name, values[0], ahead)
    used = {name: held for name, held in levels.items() if name in columns}
    plan = compile_plan(FEATURES, columns, used, 100, columns)

    class Past:
        cut, tiles = -(2**62), None

    past = Past()
    past.values, past.attributes = values, [(0, attributes)]  # type: ignore[attr-defined]
    return OneRow(plan, PLAIN).values(past, NOW, {})  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    sent=st.lists(EVENT, max_size=8),
    attributes=st.sampled_from([{}, {"age": "19-24"}, {"age": "65+", "timezone": "Asia/Seoul"}]),
)
def test_raw_events_give_what_stored_ones_would(
    online: OnlineFeatures, sent: list[dict[str, Any]], attributes: dict[str, Any]
) -> None:
    rows = [
        {"event_id": f"{place:06d}", "recorded_at": NOW - 1} | event
        for place, event in enumerate(sent)
    ]
    found = online.row_of(attributes, rows, NOW, {})
    assert found == stored(rows, attributes, online.store.columns)


def test_texts_of_one_request_are_forgotten_by_the_next(online: OnlineFeatures) -> None:
    before = {name: list(held.levels) for name, held in online.store.dictionaries.items()}
    event = {"event_id": "1", "kind": "order", "occurred_at": 5, "recorded_at": 5, "item": "new"}
    row = online.row_of({}, [event], NOW, {})
    names = [feature.name for feature in FEATURES]
    assert row[names.index(orders.most_common("item").name)] == "new"
    assert before == {name: held.levels for name, held in online.store.dictionaries.items()}
    assert online.row_of({}, [], NOW, {})[0] == 0
