"""Rows swept together: nothing depends on how many of them, or of their events, find room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from features.compute import Rows
from features.declare import context, events
from features.jit import PLAIN, compiled
from features.kernel.lines import N_LISTS
from features.plan import compile_plan
from tests.features import logs
from tests.features.memory_log import MemoryLog

orders = events("order")
ASKED = (
    orders.count(last="90d"),
    orders.count(last="30d", category=context("category")),
    orders.sum("amount", unit="currency"),
    orders.std("amount", last="365d", unit="currency"),
    orders.max("amount", last="90d", unit="currency"),
    orders.last("amount", unit="currency"),
    orders.days_since_first(),
    orders.last_gap(last="90d"),
    orders.gap_std(),
    orders.distinct("category", last="30d"),
    orders.most_common("category"),
    orders.decayed_sum("amount", half_life="7d", unit="currency"),
    orders.none(next="28d"),
)


def events_of(customer: int, number: int, chance: np.random.Generator) -> list[dict[str, Any]]:
    at = logs.NOW - chance.integers(-30 * logs.DAY, 200 * logs.DAY, number)
    late = chance.choice([0, logs.DAY], number)
    return [
        {
            "event_id": f"{n:05d}", "customer_id": f"c{customer:03d}", "kind": "order",
            "occurred_at": moment, "recorded_at": moment + wait,
            "amount": None if n % 5 == 0 else n * 7919 % 1000 - 300, "category": "abc"[n % 3],
        }
        for n, (moment, wait) in enumerate(zip(at.tolist(), late.tolist(), strict=True))
    ]  # fmt: skip


@pytest.mark.parametrize("engine", [PLAIN, compiled()], ids=["plain", "compiled"])
def test_a_row_may_meet_more_events_than_there_is_room_for(engine):
    chance = np.random.default_rng(7)
    sizes = [0, 3, 40, 1, 0, 17, 16, 90, 2, 2]
    held = [e for who, size in enumerate(sizes) for e in events_of(who, size, chance)]
    log: Any = MemoryLog(held, [], {})
    plan = compile_plan(ASKED, log.columns, log.dictionaries)
    chosen = [log.columns.index(name) for name in plan.columns]
    values = np.ascontiguousarray(log._values[chosen])
    # Two rows of each customer, so that some slide, some sweep and some share a moment.
    as_of = np.sort(np.array([[logs.NOW - logs.DAY, logs.NOW]] * len(sizes)), axis=1).ravel()
    rows = Rows(
        np.arange(0, 2 * len(sizes) + 1, 2),
        as_of,
        {"category": np.array(["a", "b"] * len(sizes), dtype=object)},
        {},
    )
    offsets = np.cumsum([0, *sizes], dtype=np.int64)
    wanted = None
    for room in (4096, 90, 16, 1):
        desk = plan.desk(max(sizes), 2)._replace(lists=np.empty((N_LISTS, room), np.uint32))
        out = np.full((plan.width, len(as_of)), 77, np.int64)
        plan.states(engine, values, offsets, rows, plan.given(rows)[:2], desk, out)
        wanted = out if wanted is None else wanted
        np.testing.assert_array_equal(out, wanted)
        assert not desk.counts.any()
    counts = wanted[plan.slots[orders.count(last="90d").name]]
    known = [
        sum(
            (now - 90 * logs.DAY) // logs.HOUR * logs.HOUR <= e["occurred_at"] < now
            and e["recorded_at"] < now
            for e in held
            if e["customer_id"] == f"c{row // 2:03d}"
        )
        for row, now in enumerate(as_of.tolist())
    ]
    assert counts.tolist() == known
