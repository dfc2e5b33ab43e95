"""The contract: a feature is what was known before its moment, and the oracle agrees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from features.catalog import CATALOG
from features.declare import campaign, context, events
from features.feature import Feature
from features.frame import frame
from features.jit import PLAIN, Compiled, compiled
from features.online import OnlineFeatures
from features.spine import Spine
from tests.features import logs
from tests.features.memory_log import MemoryLog
from tests.features.oracle import value

orders = events("order")
# Every fold of the algebra, also those that no group of the catalogue needs at present.
ALGEBRA: tuple[Feature, ...] = (
    orders.min("amount", last="30d", unit="currency"),
    orders.first("amount", last="90d", unit="currency"),
    orders.last("quantity", unit="items"),
    orders.most_common("store", last="90d"),
    orders.most_common("category", category=context("category")),
    orders.days_since_first(last="7d"),
    orders.gap_std(),
    orders.count(last="12h"),
    orders.count(last="90d") + orders.count(last="30d"),
    orders.count(last="90d") - orders.count(last="30d"),
    orders.count(last="90d") * orders.count(last="30d"),
    orders.any(last="90d"),
    orders.std("amount", last="365d", unit="currency"),
    orders.std("quantity", unit="items"),
    orders.last_gap(last="180d"),
    orders.last_gap() / orders.gap_mean().at_least(1.0),
    orders.decayed_count(half_life="7d"),
    orders.decayed_sum("amount", half_life="30d", unit="currency"),
    orders.most_common("hour_of_week", last="90d"),
    orders.distinct("daypart", last="730d"),
    *orders.histogram("daypart", last="90d"),
)
LABELS = (
    orders.none(next="28d"),
    orders.any(next="7d", category=context("category"), store=context("store")),
    events("redemption").any(
        until=campaign("ends_at"), campaign_id=context("campaign_id"), lag="1d"
    ),
)
FEATURES = (*CATALOG, *ALGEBRA)


def spine_of(rows: Sequence[dict[str, Any]]) -> Spine:
    def column(name: str) -> Any:
        return np.array([row[name] for row in rows], dtype=object)

    ids = np.array([str(number) for number in range(len(rows))], dtype=object)
    names = ("category", "store", "placement", "campaign_id")
    as_of = np.array([row["as_of"] for row in rows], np.int64)
    return Spine("row", ids, column("customer_id"), as_of, {name: column(name) for name in names})


def expected(feature: Feature, row: dict[str, Any], held: Any, changes: Any) -> Any:
    own = [event for event in held if event["customer_id"] == row["customer_id"]]
    known = [change for change in changes if change["customer_id"] == row["customer_id"]]
    described = logs.CAMPAIGNS[row["campaign_id"]]
    context = {**row, **{f"campaign.{name}": v for name, v in described.items()}}
    return value(feature, own, known, row["as_of"], context)


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def same(got: Any, wanted: Any) -> bool:
    if wanted is None or missing(got):
        return wanted is None and missing(got)
    if isinstance(wanted, str):
        return bool(got == wanted)
    if isinstance(wanted, bool | int):
        return bool(got == wanted)
    return math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-12)


def check(engine: Compiled, held: Any, changes: Any, rows: Any) -> None:
    log: Any = MemoryLog(held, changes, logs.CAMPAIGNS)
    features = (*FEATURES, *LABELS)
    table = frame(log, spine_of(rows), features, engine=engine, threads=1)
    for number, row in enumerate(rows):
        for feature in features:
            wanted = expected(feature, row, held, changes)
            got = table[feature.name].iloc[number]
            assert same(got, wanted), f"{feature.name}: got {got}, the oracle says {wanted}"


@settings(max_examples=250, deadline=None)
@given(held=logs.events(), changes=logs.changes, rows=logs.rows)
def test_every_feature_and_label_equals_the_oracle(held: Any, changes: Any, rows: Any) -> None:
    check(compiled(), held, changes, rows)


@settings(max_examples=15, deadline=None)
@given(held=logs.events(most=10), changes=logs.changes, rows=logs.rows)
def test_the_kernel_uncompiled_equals_the_oracle_too(held: Any, changes: Any, rows: Any) -> None:
    check(PLAIN, held, changes, rows)


@settings(max_examples=100, deadline=None)
@given(held=logs.events(), changes=logs.changes, rows=logs.rows)
def test_online_equals_offline(held: Any, changes: Any, rows: Any) -> None:
    log: Any = MemoryLog(held, changes, logs.CAMPAIGNS)
    table = frame(log, spine_of(rows), FEATURES, engine=compiled(), threads=1)
    store: Any = log.store()
    online = OnlineFeatures(store, FEATURES, engine=compiled())
    for number, row in enumerate(rows):
        if store.get(row["customer_id"]) is None:
            continue
        names = ("category", "store", "placement", "campaign_id")
        got = online.row(row["customer_id"], row["as_of"], {name: row[name] for name in names})
        for feature, found in zip(FEATURES, got, strict=True):
            wanted = table[feature.name].iloc[number]
            assert (found is None) if missing(wanted) else (found == wanted), feature.name


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@pytest.mark.parametrize("clock", ["occurred_at", "recorded_at"])
def test_the_future_changes_no_feature(feature: Feature, clock: str) -> None:
    past = [_event(number, logs.NOW - (number + 1) * 3 * logs.DAY) for number in range(16)]
    # Neither what happens at the moment or later, nor what is written down then, may count.
    future = [
        _event(100 + number, logs.NOW + number * logs.DAY, kind=kind)
        for number, kind in enumerate(logs.KINDS)
    ]
    if clock == "recorded_at":
        for number, event in enumerate(future):
            event["occurred_at"] = logs.NOW - (number + 1) * logs.DAY
            event["recorded_at"] = logs.NOW
    row = {"customer_id": "a", "as_of": logs.NOW, "category": "BEEF", "store": "s1",
           "placement": "A", "campaign_id": "1"}  # fmt: skip
    changes = [{"customer_id": "a", "known_at": logs.NOW - 1, "age": "65+", "income": None}]
    later = [
        *changes,
        {"customer_id": "a", "known_at": logs.NOW, "age": "19-24", "income": "250K+"},
    ]
    before: Any = MemoryLog(past, changes, logs.CAMPAIGNS)
    after: Any = MemoryLog([*past, *future], later, logs.CAMPAIGNS)
    spine = spine_of([row])
    one = frame(before, spine, [feature], engine=compiled(), threads=1)[feature.name].iloc[0]
    two = frame(after, spine, [feature], engine=compiled(), threads=1)[feature.name].iloc[0]
    assert same(two, None if missing(one) else one)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_no_feature_of_the_catalogue_looks_forward(feature: Feature) -> None:
    assert not feature.forward


def _event(number: int, at: int, kind: str | None = None) -> dict[str, Any]:
    return {
        "event_id": str(number), "customer_id": "a", "kind": kind or logs.KINDS[number % 8],
        "occurred_at": at, "recorded_at": at, "amount": 100 + number, "quantity": number,
        "discount": 5, "coupon_discount": 1, "category": ("BEEF", "Type A")[number % 2],
        "campaign_id": "1", "store": ("s1", "s2")[number % 3 == 0], "brand": "Private",
        "placement": "A", "item": "i1", "channel": None,
    }  # fmt: skip


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.name)
def test_labels_look_forward(label: Feature) -> None:
    assert label.forward


@pytest.mark.parametrize(
    ("occurred", "recorded", "counts"),
    [(0, 0, True), (-1, 0, False), (20 * logs.DAY - 1, 21 * logs.DAY - 1, True),
     (20 * logs.DAY, 20 * logs.DAY, False), (19 * logs.DAY, 21 * logs.DAY, False)],
)  # fmt: skip
def test_a_label_counts_from_its_moment_to_its_end_and_waits_for_late_records(
    occurred: int, recorded: int, counts: bool
) -> None:
    redemption = {**_event(0, logs.NOW + occurred, "redemption"), "campaign_id": "1"}
    redemption["recorded_at"] = logs.NOW + recorded
    row = {"customer_id": "a", "as_of": logs.NOW, "category": "BEEF", "store": "s1",
           "placement": "A", "campaign_id": "1"}  # fmt: skip
    log: Any = MemoryLog([redemption], [], logs.CAMPAIGNS)
    table = frame(log, spine_of([row]), [LABELS[2]], engine=compiled(), threads=1)
    assert bool(table[LABELS[2].name].iloc[0]) is counts
