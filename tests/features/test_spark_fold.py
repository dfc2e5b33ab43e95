"""What a Spark worker computes of the rows it is given, run here without Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.arrow_columns import to_arrow, to_numpy
from features.catalog import CATALOG
from features.declare import context, events
from features.feature import Feature
from features.frame import frame
from features.log import EventLog
from features.spark_fold import FoldBlocks, runs
from features.spine import Spine
from tests.small_log import write_small_log

orders = events("order")
FEATURES: tuple[Feature, ...] = (
    orders.count(last="90d"),
    orders.sum("amount", last="90d", unit="currency"),
    orders.count(last="365d", store=context("store")),
    orders.most_common("hour_of_week"),
    next(feature for feature in CATALOG if feature.name == "age"),
)
HOURS = 3_600_000_000
NOW = 1_512_363_600_000_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, machine_code: Path) -> EventLog:
    home = tmp_path_factory.mktemp("fold")
    (home / "numba").symlink_to(machine_code)
    held = [
        {"customer_id": f"c{number % 11}", "kind": "order", "amount": number,
         "store": f"s{number % 3}", "occurred_at": NOW - number * 7 * HOURS}
        for number in range(400)
    ]  # fmt: skip
    states = [
        {
            "customer_id": "c1",
            "known_at": NOW - 1000 * HOURS,
            "age": "65+",
            "timezone": "Asia/Seoul",
        },
        {"customer_id": "only a name", "known_at": NOW - 5, "age": "19-24"},
    ]
    return write_small_log(home, held, states)


def spine() -> Spine:
    names = [*(f"c{number}" for number in range(11)), "only a name", "nobody"]
    who = np.array([name for name in names for _ in range(3)], dtype=object)
    as_of = np.tile([NOW - 900 * HOURS, NOW - 4, NOW], len(names))
    store = np.array([None, "s1", "s2"] * len(names), dtype=object)
    return Spine("customer", np.arange(len(who)), who, as_of, {"store": store})


def sorted_rows(log: EventLog, rows: Spine, work: FoldBlocks) -> pa.RecordBatch:
    """Return the rows as Spark sorts them; everybody's age as the single machine knows it."""
    block, position = log.locate(pa.array(rows.customer_id, pa.string()))
    position[block < 0] = np.array([hash(who) % 97 for who in rows.customer_id[block < 0]])
    ages = frame(log, rows, FEATURES[-1:])["age"].to_numpy()
    columns: list[Any] = [np.arange(len(rows)), rows.customer_id, rows.as_of, block, position]
    columns += [rows.context["store"], ages]
    order = pa.array(np.lexsort((rows.as_of, position, block)))
    return pa.RecordBatch.from_arrays(
        [to_arrow(column).take(order) for column in columns], schema=work.rows
    )


def test_a_worker_folds_its_rows_as_this_machine_does(log: EventLog) -> None:
    text = pa.string()
    work = FoldBlocks(
        log.home, json.dumps(log.content), FEATURES, (("store", text),), (("age", text),)
    )
    rows = spine()
    batch = sorted_rows(log, rows, work)
    # In Spark's batches a block, and even a customer, may reach over the end of one.
    batches = [batch.slice(start, 7) for start in range(0, batch.num_rows, 7)]
    found = pa.Table.from_batches(list(work(batches))).sort_by("row")
    assert found.schema == work.answers
    expected = frame(log, rows, FEATURES)
    for feature in FEATURES:
        values = to_numpy(found[feature.name])
        own = pd.Series(values, dtype=values.dtype, name=feature.name)
        pd.testing.assert_series_equal(own, expected[feature.name], check_exact=True)
    assert found["customer_id"].to_pylist() == rows.customer_id.tolist()
    assert found["as_of"].to_pylist() == rows.as_of.tolist()
    assert expected["order_count_90d"].nunique() > 3


def test_rows_are_told_apart_by_their_block() -> None:
    batch = pa.record_batch({"block": pa.array([-1, -1, 0, 3]), "row": pa.array([5, 6, 7, 8])})
    assert [(n, rows["row"].to_pylist()) for n, rows in runs(batch)] == [
        (-1, [5, 6]),
        (0, [7]),
        (3, [8]),
    ]
    assert list(runs(batch.slice(0, 0))) == []


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.5, np.nan, -0.0]),
        np.array([2**62, -(2**63)]),
        np.array([True, False]),
        np.array(["a", None], dtype=object),
        np.array([None, None], dtype=object),
        np.array([], dtype=object),
    ],
    ids=lambda values: f"{values.dtype} {len(values)}",
)
def test_a_column_survives_arrow_bit_by_bit(values: Any) -> None:
    for column in (to_arrow(values), pa.chunked_array([to_arrow(values)])):
        again = to_numpy(column)
        assert again.dtype == values.dtype
        if values.dtype == object:
            assert again.tolist() == values.tolist()
        else:
            assert again.tobytes() == values.tobytes()


def test_numbers_with_nulls_become_floats_or_objects() -> None:
    assert np.isnan(to_numpy(pa.array([1.0, None]))[1])
    assert to_numpy(pa.array([1, None])).tolist() == [1, None]
