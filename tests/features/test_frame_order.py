from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.declare import events
from features.frame import frame
from features.jit import PLAIN
from features.spine import grid
from tests.features import logs
from tests.features.memory_log import MemoryLog

orders = events("order")


def test_values_stand_in_the_spines_order_whatever_that_is():
    held = [
        {
            "event_id": f"{who}{n}", "customer_id": who, "kind": "order", "amount": n,
            "occurred_at": logs.NOW - n * logs.DAY, "recorded_at": logs.NOW - n * logs.DAY,
        }
        for size, who in enumerate("abcdefgh", start=1) for n in range(1, size + 1)
    ]  # fmt: skip
    log: Any = MemoryLog(held, [], logs.CAMPAIGNS)
    asked = [orders.count(last="90d"), orders.days_since_first()]
    spine = grid(list("abcdefgh"), [logs.NOW - 2 * logs.DAY, logs.NOW])
    sorted_ = frame(log, spine, asked, engine=PLAIN)
    rows = np.random.default_rng(0).permutation(len(spine))
    shuffled = frame(log, spine.take(rows), asked, engine=PLAIN)
    counted = [max(0, size - 2) for size in range(1, 9)] + list(range(1, 9))
    assert sorted_["order_count_90d"].tolist() == counted
    for feature in asked:
        expected = sorted_[feature.name].to_numpy()[rows]
        np.testing.assert_array_equal(shuffled[feature.name].to_numpy(), expected)


def test_ids_given_as_arrow_change_no_value():
    held = [
        {
            "event_id": f"{n}", "customer_id": "abc"[n % 3], "kind": "order", "amount": n,
            "occurred_at": logs.NOW - n * logs.DAY, "recorded_at": logs.NOW - n * logs.DAY,
        }
        for n in range(1, 20)
    ]  # fmt: skip
    log: Any = MemoryLog(held, [], logs.CAMPAIGNS)
    asked = [orders.count(last="90d"), orders.sum("amount", unit="points")]
    texts = grid(["b", "stranger", "a", "b", "another"], [logs.NOW - 9 * logs.DAY, logs.NOW])
    wanted = frame(log, texts, asked, engine=PLAIN)
    plain = pa.array(texts.customer_id, pa.string())
    for ids in (plain, plain.dictionary_encode()):
        spine = replace(texts, ids=ids)
        pd.testing.assert_frame_equal(frame(log, spine, asked, engine=PLAIN), wanted)
        rows = np.flatnonzero(texts.customer_id == "b")
        some = frame(log, spine.take(rows), asked, engine=PLAIN)
        pd.testing.assert_frame_equal(some, wanted.iloc[rows].reset_index(drop=True))
