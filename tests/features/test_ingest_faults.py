"""Whole or not at all: an ingest that stops anywhere leaves the log as it was."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from features import manifest
from features.errors import BadInputError
from features.log import EventLog
from features.merge import merge
from tests.features.ingests import FIRST, LATER, events_of, load, state_of

FAULTS = [
    "batches spilled",
    "bucket 0 written",
    "bucket 15 written",
    "index added to",
    "files written",
]
MERGING = ["bucket 0 merged", "bucket 15 merged", "files written", "manifest written"]


ORDERS: list[dict[str, Any]] = [
    {"event_id": f"o{n}", "customer_id": f"c{n % 90}", "kind": "order", "occurred_at": n % 7}
    for n in range(600)
]


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("step", [*FAULTS, "manifest written"])
def test_an_ingest_killed_at_any_step_leaves_the_old_log_whole(tmp_path: Path, step: str) -> None:
    load(tmp_path, FIRST)
    before, seen = state_of(tmp_path), []

    def fault(done: str) -> None:
        seen.append(done)
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        load(tmp_path, LATER, fault=fault)
    assert seen[-1] == step
    assert state_of(tmp_path) == before
    assert EventLog.open(tmp_path).damaged() == []
    again = load(tmp_path, LATER)
    assert (again.added, again.log.sequence) == (2, 2)


@pytest.mark.parametrize("step", MERGING)
def test_a_merge_killed_at_any_step_leaves_the_old_log_whole(tmp_path: Path, step: str) -> None:
    load(tmp_path, ORDERS)
    load(tmp_path, FIRST)
    before, wanted = state_of(tmp_path), events_of(EventLog.open(tmp_path))

    def fault(done: str) -> None:
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        merge(tmp_path, fault=fault)
    assert state_of(tmp_path) == before
    assert EventLog.open(tmp_path).damaged() == []
    merged = merge(tmp_path)
    assert merged.runs > 0
    assert events_of(merged.log) == wanted


def test_the_last_step_publishes(tmp_path: Path) -> None:
    steps: list[str] = []
    load(tmp_path, FIRST, fault=steps.append)
    assert steps[-2:] == ["manifest written", "manifest published"]
    assert set(FAULTS) < set(steps)


def test_who_reads_the_manifest_while_it_is_replaced_reads_the_old_one(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    path = tmp_path / "log" / "manifest.json"
    before = path.read_bytes()
    with path.open("rb") as reader:
        load(tmp_path, LATER)
        assert reader.read() == before != path.read_bytes()


def _die(home: Path) -> None:
    load(home, LATER, fault=lambda step: os._exit(9) if step == "files written" else None)


def test_a_process_that_dies_leaves_the_old_log_and_no_lock(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    before = state_of(tmp_path)
    child = multiprocessing.get_context("spawn").Process(target=_die, args=(tmp_path,))
    child.start()
    child.join(60)
    assert child.exitcode == 9
    assert state_of(tmp_path) == before
    orphans = {path for path in (tmp_path / "log").glob("[!.]*") if path.name not in before}
    assert orphans
    assert load(tmp_path, ORDERS[:3]).added == 3
    assert {path for path in orphans if path.exists()} == orphans
    for path in orphans:
        os.utime(path, (0, 0))
    assert load(tmp_path, ORDERS[:6]).added == 3
    assert {path for path in orphans if path.exists()} == set()


def test_who_opened_the_log_reads_on_while_it_changes(tmp_path: Path) -> None:
    early = load(tmp_path, ORDERS).log
    for number in range(3):
        load(tmp_path, _batch(number + 1))
        merge(tmp_path)
    found = events_of(early)
    assert sorted(event["event_id"] for event in found) == sorted(e["event_id"] for e in ORDERS)
    assert early.damaged() == []


def _batch(number: int) -> list[dict[str, Any]]:
    return [
        {**event, "event_id": f"{number}-{event['event_id']}", "occurred_at": number}
        for event in ORDERS[: 40 if number else None]
    ]


def _go_on(home: Path) -> None:
    """Add batch after batch and merge now and then, until killed."""
    log = EventLog.open(home)
    while True:
        load(home, _batch(log.sequence), block_rows=10)
        log = merge(home, block_rows=10).log if log.sequence % 5 == 0 else EventLog.open(home)


def test_a_process_killed_at_random_moments_leaves_whole_batches_each_once(tmp_path: Path) -> None:
    home, chance = tmp_path / "killed", random.Random(0)
    log = load(home, _batch(0), block_rows=10).log
    for _ in range(4):
        before = log.sequence
        child = multiprocessing.get_context("spawn").Process(target=_go_on, args=(home,))
        child.start()
        while EventLog.open(home).sequence == before:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.4))
        child.kill()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        log = EventLog.open(home)
        assert log.damaged() == []
        wanted = [event for number in range(log.sequence) for event in _batch(number)]
        found = events_of(log)
        assert sorted(e["event_id"] for e in found) == sorted(e["event_id"] for e in wanted)
    at_once = load(tmp_path / "once", *map(_batch, range(log.sequence)), block_rows=10).log
    assert events_of(log) == events_of(at_once)
    assert log.fingerprint == at_once.fingerprint


def test_a_batch_that_fails_midway_leaves_the_old_log_whole(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    before = state_of(tmp_path)
    with pytest.raises(BadInputError, match=r"part-1.csv"):
        load(tmp_path, LATER, [{"customer_id": "anna"}])
    assert state_of(tmp_path) == before


def test_two_cannot_write_at_once(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    with manifest.writing(tmp_path), pytest.raises(BadInputError, match="Another process"):
        load(tmp_path, LATER)
