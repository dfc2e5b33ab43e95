"""The contract on Spark: hypothesis-made customers of a few logs, against the oracle.

An example of hypothesis costs Spark as much as a whole log does, so many are packed into one: each
has customers of its own, and one job judges them all.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from features.errors import FeatureOverflowError, MissingContextError
from features.frame import frame
from features.log import EventLog
from features.snapshots import snapshot
from features.source import Source
from features.spark_build import frame_on_spark, snapshot_on_spark, write_snapshot_on_spark
from features.spark_workers import collected
from features.spine import Spine
from tests.contracts.test_point_in_time import FEATURES, LABELS, expected, same, spine_of
from tests.features import logs
from tests.small_log import write_small_log

LOGS = 2
EXAMPLES = int(os.environ.get("NEXTBEST_SPARK_EXAMPLES", "300"))
SOURCE = Source("packed", "USD", "UTC", "assumed", 2, None)
EVERYTHING = (*FEATURES, *LABELS)


class Example(NamedTuple):
    events: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    rows: list[dict[str, Any]]


class Packed(NamedTuple):
    """A log of many examples, and their rows one after the other."""

    log: EventLog
    examples: list[Example]
    spine: Spine


def drawn(number: int, count: int) -> list[Example]:
    """Return examples that hypothesis makes, the same at every call."""
    found: list[Example] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(held=logs.events(), changes=logs.changes, rows=logs.rows)
    def draw(held: Any, changes: Any, rows: Any) -> None:
        name = f"{len(found):04d}-"
        own = [
            [{**each, "customer_id": name + each["customer_id"]} for each in part]
            for part in (held, changes, rows)
        ]
        # The id keeps its order among the ids of its own customer; the log takes no quantity
        # below zero.
        kept = [
            {
                **e,
                "event_id": name + e["event_id"],
                "quantity": e["quantity"] and abs(e["quantity"]),
            }
            for e in own[0]
        ]
        found.append(Example(kept, own[1], own[2]))

    draw()
    return found


def pack(home: Path, examples: Sequence[Example]) -> Packed:
    """Return a log that grew in three steps, some of whose events came twice."""
    events = [event for example in examples for event in example.events]
    changes = [change for example in examples for change in example.changes]
    campaigns = [{"campaign_id": name, **facts} for name, facts in logs.CAMPAIGNS.items()]
    steps = [events[::2], events[1::4] + events[:50], events[3::4]]
    for step, some in enumerate(steps):
        log = write_small_log(home, some, changes if not step else (), campaigns, source=SOURCE)
    spine = spine_of([row for example in examples for row in example.rows])
    return Packed(log, list(examples), spine)


@pytest.fixture(scope="module", params=range(LOGS))
def packed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, machine_code: Path
) -> Packed:
    home = tmp_path_factory.mktemp("packed")
    (home / "numba").symlink_to(machine_code)
    return pack(home, drawn(request.param, EXAMPLES // LOGS))


def assert_equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Bit for bit: the code is the same."""
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_spark_equals_the_oracle_and_the_single_machine(spark: Any, packed: Packed) -> None:
    assert len(packed.examples) >= EXAMPLES // LOGS
    table = frame_on_spark(spark, packed.log, packed.spine, EVERYTHING)
    assert_equal(table, frame(packed.log, packed.spine, EVERYTHING))
    columns = {feature: table[feature.name].tolist() for feature in EVERYTHING}
    at = 0
    for example in packed.examples:
        for row in example.rows:
            for feature, found in columns.items():
                wanted = expected(feature, row, example.events, example.changes)
                assert same(found[at], wanted), f"{feature.name}: {found[at]} is not {wanted}"
            at += 1
    assert at == len(table)


def test_a_snapshot_of_spark_equals_that_of_the_single_machine(spark: Any, packed: Packed) -> None:
    moments = [logs.NOW, logs.NOW - 9 * logs.DAY]
    one = snapshot(packed.log, moments)
    table = collected(snapshot_on_spark(spark, packed.log, moments)).to_pandas()
    order = ["as_of", "customer_id"]
    assert sorted(table) == sorted(one)
    assert len(table) == len(one) > 100
    two = table[list(one)].sort_values(order, ignore_index=True)
    for name in one:
        expected = one.sort_values(order, ignore_index=True)[name]
        missing = expected.isna().to_numpy()
        assert two[name].isna().to_numpy().tolist() == missing.tolist()
        assert two[name][~missing].tolist() == expected[~missing].tolist(), name
    written = write_snapshot_on_spark(spark, packed.log, packed.log.home, logs.NOW)
    again = pd.read_parquet(written)
    assert len(again) == len(one) // 2
    assert np.unique(again["as_of"]).tolist() == [logs.NOW]


def test_a_sum_that_overflows_is_refused_as_here(
    spark: Any, packed: Packed, tmp_path: Path
) -> None:
    at = logs.NOW - logs.DAY
    order = {"customer_id": "a", "kind": "order", "occurred_at": at, "recorded_at": at}
    (tmp_path / "numba").symlink_to(packed.log.home / "numba")
    log = write_small_log(tmp_path, [{**order, "amount": 2**62} for _ in range(3)], source=SOURCE)
    spine = Spine("customer", np.array(["r"]), np.array(["a"]), np.array([logs.NOW]))
    sums = [feature for feature in FEATURES if feature.name == "order_amount_sum_90d"]
    with pytest.raises(FeatureOverflowError) as here:
        frame(log, spine, sums)
    with pytest.raises(FeatureOverflowError) as there:
        frame_on_spark(spark, log, spine, sums)
    assert str(there.value) == str(here.value)


def test_a_row_without_its_context_is_refused_as_here(spark: Any, packed: Packed) -> None:
    bare = Spine("customer", np.array(["r"]), np.array(["0000-a"]), np.array([logs.NOW]))
    needing = [feature for feature in EVERYTHING if "category" in feature.reads]
    with pytest.raises(MissingContextError, match="'category'"):
        frame_on_spark(spark, packed.log, bare, needing)


def test_a_spine_without_rows_has_the_columns_of_its_features(spark: Any, packed: Packed) -> None:
    none = packed.spine.take(np.empty(0, np.int64))
    table = frame_on_spark(spark, packed.log, none, FEATURES)
    assert list(table) == list(dict.fromkeys(feature.name for feature in FEATURES))
    assert len(table) == 0
