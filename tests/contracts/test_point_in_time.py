"""The contract: a feature is what was known before its moment, and labels look ahead of it."""

from __future__ import annotations

from typing import Any

import pytest

from features.feature import Feature
from features.frame import frame
from features.jit import compiled
from tests.contracts.test_parity import spine_of
from tests.features import logs
from tests.features.algebra import FEATURES, LABELS, missing, same
from tests.features.crowds import described
from tests.features.memory_log import MemoryLog
from tests.features.oracle import value


def expected(feature: Feature, row: dict[str, Any], held: Any, changes: Any) -> Any:
    """Return what the oracle says of one row, of everybody's events and changes."""
    own = [event for event in held if event["customer_id"] == row["customer_id"]]
    known = [change for change in changes if change["customer_id"] == row["customer_id"]]
    return value(feature, own, known, row["as_of"], described(row))


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
        "event_id": str(number), "customer_id": "a",
        "kind": kind or logs.KINDS[number % len(logs.KINDS)],
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
