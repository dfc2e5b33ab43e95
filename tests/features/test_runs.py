"""Events that came in small runs read like events that came at once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import manifest
from features.errors import NoLogError
from features.interleave import Sorted, interleave
from features.log import EventLog
from features.merge import merge
from features.writing import MOST_RUNS
from tests.features.ingests import events_of, load

KINDS = ("order", "visit")


def event(number: int, customer: str, moment: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number * 7919 % 10_007:05d}",
        "customer_id": customer,
        "kind": KINDS[number % 2],
        "occurred_at": moment,
        "recorded_at": moment + number % 3,
        "amount": None if number % 4 == 0 else number,
    }


def many(first: int, rows: int, customers: int) -> list[dict[str, Any]]:
    return [event(n, f"c{n * 31 % customers:02d}", n * 7 % 5) for n in range(first, first + rows)]


def runs_of(home: Path) -> list[int]:
    return [max(len(entries) - 1, 0) for entries in manifest.require(home)["buckets"]]


def blocks_of(log: EventLog) -> list[tuple[str, list[list[int]]]]:
    """Each customer's events as the blocks of a log have them."""
    found = []
    for ref in log.blocks:
        block = log.read_block(ref)
        assert (len(block.customers), block.values.shape[1]) == (ref.customers, ref.rows)
        for who, (first, end) in zip(
            block.customers.to_pylist(), pairwise(block.offsets.tolist()), strict=True
        ):
            found.append((who, block.values[:, first:end].tolist()))
    return sorted(found)


@pytest.fixture(scope="module")
def in_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EventLog]:
    """A home whose log has runs, and the log that would have come at once."""
    home = tmp_path_factory.mktemp("runs")
    # The later events hit old customers and new ones, at moments that are taken already.
    parts = [many(0, 600, 40), many(600, 15, 40), many(615, 15, 60), many(630, 1, 7)]
    for part in parts:
        load(home, part, block_rows=7)
    at_once = load(tmp_path_factory.mktemp("once"), *parts, block_rows=7).log
    assert 5 < sum(runs_of(home)) < sum(MOST_RUNS for _ in range(16))
    return home, at_once


def test_runs_and_base_read_as_one_sorted_whole(in_runs: tuple[Path, EventLog]) -> None:
    home, at_once = in_runs
    log = EventLog.open(home)
    assert events_of(log) == events_of(at_once)
    assert blocks_of(log) == blocks_of(at_once)
    assert log.kinds == at_once.kinds
    assert log.last_instant == at_once.last_instant
    assert log.customers == at_once.customers
    assert log.fingerprint == at_once.fingerprint
    assert log.damaged() == []
    for number in range(log.n_buckets):
        for name in ("offsets", "values", "customers"):
            found, wanted = (getattr(each.read(number), name) for each in (log, at_once))
            assert found.tolist() == wanted.tolist()


def test_columns_of_runs_are_read_in_the_order_given(in_runs: tuple[Path, EventLog]) -> None:
    log = EventLog.open(in_runs[0])
    whole = [log.read_block(ref) for ref in log.blocks]
    for ref, block in zip(log.blocks, whole, strict=True):
        found = log.read_block(ref, ["amount", "kind"]).values
        rows = [log.columns.index("amount"), log.columns.index("kind")]
        assert found.tolist() == block.values[rows].tolist()
        assert found.flags.c_contiguous


def test_customers_are_located_and_told_from_runs_too(in_runs: tuple[Path, EventLog]) -> None:
    log, at_once = EventLog.open(in_runs[0]), in_runs[1]
    people = at_once.first_seen["customer_id"].combine_chunks()
    blocks, places = log.locate(people)
    for who, block, place in zip(people.to_pylist(), blocks, places, strict=True):
        assert log.read_block(log.blocks[block], []).customers[place].as_py() == who
        assert log.history(who) == at_once.history(who)


def test_merging_changes_files_and_no_answer(in_runs: tuple[Path, EventLog]) -> None:
    home, at_once = in_runs
    before = EventLog.open(home)
    runs = sum(runs_of(home))
    done = merge(home, block_rows=7)
    assert (done.runs, sum(runs_of(home))) == (runs, 0)
    assert len(manifest.require(home)["index"]) == 1
    assert (done.log.sequence, done.log.fingerprint) == (before.sequence, before.fingerprint)
    assert events_of(done.log) == events_of(before) == events_of(at_once)
    assert blocks_of(done.log) == blocks_of(at_once)
    wanted = [(ref.customers, ref.rows) for ref in at_once.blocks]
    assert [(ref.customers, ref.rows) for ref in done.log.blocks] == wanted
    assert done.log.damaged() == []
    state = (home / "log" / manifest.NAME).read_bytes()
    assert merge(home, block_rows=7).runs == 0
    assert (home / "log" / manifest.NAME).read_bytes() == state
    again = load(home, many(0, 631, 40)[:600], many(600, 15, 40))
    assert (again.added, again.repeated) == (0, 615)


def test_many_runs_become_one_and_large_ones_the_base(tmp_path: Path) -> None:
    load(tmp_path, many(0, 2_000, 1), block_rows=50)
    [bucket] = [n for n, held in enumerate(manifest.require(tmp_path)["buckets"]) if held]
    counts = []
    for number in range(20):
        log = load(tmp_path, many(2_000 + number, 1, 1), block_rows=50).log
        counts.append(runs_of(tmp_path)[bucket])
        assert log.damaged() == []
    assert counts == [*range(1, 9), *range(1, 9), 1, 2, 3, 4]
    # Here runs are so small beside a block that it is copied in stretches.
    at_once = load(tmp_path / "once", many(0, 2_020, 1), block_rows=50).log
    assert blocks_of(log) == blocks_of(at_once)
    log = load(tmp_path, many(2_020, 500, 1), block_rows=50).log
    assert runs_of(tmp_path)[bucket] == 0
    assert [row["event_id"] for row in events_of(log)] == [
        row["event_id"]
        for row in sorted(many(0, 2_520, 1), key=lambda e: (e["occurred_at"], e["event_id"]))
    ]


def test_a_run_may_know_a_column_that_the_base_lacks(tmp_path: Path) -> None:
    load(tmp_path, many(0, 100, 5), block_rows=9)
    new = {**event(100, "c01", 2), "discount": 3, "brand": "own"}
    options: dict[str, Any] = {"properties": {"discount": "integer", "brand": "text"}}
    log = load(tmp_path, [new], **options).log
    assert sum(runs_of(tmp_path)) == 1
    for found in (log, merge(tmp_path).log):
        held = {row["event_id"]: (row["discount"], row["brand"]) for row in events_of(found)}
        assert held.pop(new["event_id"]) == (3, "own")
        assert set(held.values()) == {(None, None)}
        assert len(held) == 100


def test_without_a_log_there_is_nothing_to_merge(tmp_path: Path) -> None:
    with pytest.raises(NoLogError):
        merge(tmp_path)
    assert list(tmp_path.iterdir()) == []


pieces = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=8), min_size=1, max_size=4
)


@settings(deadline=None, max_examples=200)
@given(pieces)
def test_the_whole_is_sorted_by_customer_moment_and_id(found: list[list[tuple[int, int]]]) -> None:
    number, held, parts, ids = 0, [], [], []
    for piece in found:
        rows = []
        for who, when in piece:
            rows.append((who, when, f"{number * 7 % 32:02d}"))
            number += 1
        rows.sort()
        held += rows
        people, counts = np.unique([who for who, _, _ in rows], return_counts=True)
        times = np.array([when for _, when, _ in rows], dtype=np.int64)
        parts.append(Sorted(people.astype(np.int64), counts.astype(np.int64), times))
        ids.append(pa.array([text for _, _, text in rows], pa.string()))
    whole = interleave(parts, 4, lambda: ids)
    assert [held[row] for row in whole.source] == sorted(held)
    assert whole.offsets.tolist() == [sum(who < n for who, _, _ in held) for n in range(5)]
