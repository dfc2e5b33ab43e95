"""What the benchmark of features compares says the same, and a difference would be seen."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.features.__main__ import FIGURES, SIZES
from benchmarks.features.company import AS_OF, KINDS, LATE, columns, company
from benchmarks.features.measure import PEERS, Took, interleaved, median, timed
from benchmarks.features.offline import compare, ours
from benchmarks.features.spines import drawn
from benchmarks.features.wanted import FEATURES, files, question
from features.jit import compiled
from features.log import EventLog


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EventLog:
    return company(tmp_path_factory.mktemp("companies"), 20_000, 2_000)


@pytest.fixture(scope="module")
def mine(log: EventLog) -> pa.Table:
    return ours(log, compiled())


def peer(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, PEERS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(name: str, asked: dict[str, Any]) -> pa.Table:
    module = peer(name)
    found = module.snapshot(asked)
    return pa.Table.from_pandas(found) if isinstance(found, pd.DataFrame) else found


@pytest.mark.parametrize("name", ["in_pandas", "in_duckdb"])
def test_a_peer_says_the_same_of_every_customer(name: str, log: EventLog, mine: pa.Table) -> None:
    asked = question(log, AS_OF)
    theirs = table(name, asked)
    assert theirs.num_rows > 1_900
    compare(name, mine, theirs, asked)


@pytest.mark.parametrize("column", ["order_count_30d", "order_amount_std_365d"])
def test_one_wrong_value_of_a_peer_is_seen(column: str, log: EventLog, mine: pa.Table) -> None:
    asked = question(log, AS_OF)
    theirs = table("in_pandas", asked)
    values = np.asarray(theirs[column]).astype(float)
    place = int(np.flatnonzero(~np.isnan(values))[7])
    values[place] += 1e-3 if "std" in column else 1
    wrong = theirs.set_column(theirs.column_names.index(column), column, pa.array(values))
    with pytest.raises(SystemExit, match=f"differs in {column} of 1 customers"):
        compare("in_pandas", mine, wrong, asked)


def test_a_customer_that_a_peer_lacks_is_seen(log: EventLog, mine: pa.Table) -> None:
    asked = question(log, AS_OF)
    theirs = table("in_pandas", asked)
    with pytest.raises(SystemExit, match="other customers"):
        compare("in_pandas", mine, theirs.slice(1), asked)


def test_the_scan_sums_what_the_build_reads(log: EventLog) -> None:
    asked = question(log, AS_OF)
    sums = peer("in_duckdb").scan(asked).to_pylist()[0]
    assert list(sums) == asked["columns"]
    blocks = [log.read_block(ref, ["occurred_at"]).values for ref in log.blocks]
    assert int(sums["occurred_at"]) == sum(int(values.sum()) for values in blocks)


def test_files_number_all_customers_one_after_the_other(log: EventLog) -> None:
    befores = [before for _, before in files(log)]
    counts = [ref.customers for ref in log.blocks]
    assert befores == np.cumsum([0, *counts[:-1]]).tolist()


def test_there_are_at_least_40_features_of_every_kind_of_event() -> None:
    assert len({feature.name for feature in FEATURES}) == len(FEATURES) >= 40
    assert {f.kind for f in FEATURES if hasattr(f, "kind")} == set(KINDS)


def test_a_company_is_the_same_each_time_and_some_of_it_is_late() -> None:
    one, two = (columns(np.random.default_rng([1, 0]), 10_000) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    late = np.mean(one["recorded_at"] - one["occurred_at"] > 60_000_000)
    assert late == pytest.approx(LATE, abs=0.01)


def test_skewed_means_that_one_in_a_hundred_has_half(tmp_path: Path) -> None:
    skewed = company(tmp_path, 20_000, 2_000, skewed=True)
    counts = np.concatenate([np.diff(skewed.read_block(r, []).offsets) for r in skewed.blocks])
    assert np.sort(counts)[-20:].sum() == pytest.approx(10_000, rel=0.1)


def test_a_company_of_other_code_gives_way(tmp_path: Path) -> None:
    outdated = tmp_path / "uniform-100-10-1-00000000"
    other = tmp_path / "uniform-1000-10-1-00000000"
    outdated.mkdir()
    other.mkdir()
    home = company(tmp_path, 100, 10).home
    assert sorted(tmp_path.iterdir()) == sorted([other, home])
    assert company(tmp_path, 100, 10).home == home


def test_rows_are_drawn_in_proportion_to_events(log: EventLog) -> None:
    spine = drawn(log, 500)
    assert len(spine) == 500
    assert set(spine.customer_id) <= set(log.first_seen["customer_id"].to_pylist())


def test_rounds_take_turns_and_the_first_is_not_counted() -> None:
    order: list[str] = []
    found = interleaved({name: partial(timed, order.append, name) for name in "ab"}, 2)
    assert "".join(order) == "ababab"
    assert {name: len(some) for name, some in found.items()} == {"a": 2, "b": 2}
    assert median([Took(3, 1), Took(1, 9), Took(2, 5)]) == (2, 5)


def test_the_result_has_the_figures_that_acceptance_names() -> None:
    assert " ".join(FIGURES) == (
        "x_best_peer ratio_to_scan spine_ratio skew_ratio growth_slope peak_gib_100m online_us "
        "online_redis_us online_million_ratio ingest_per_s"
    )
    assert 100_000_000 in SIZES["full"].grown
