"""Whole or not at all: an ingest that stops anywhere leaves the log as it was."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from features import manifest
from features.errors import BadInputError
from features.log import EventLog
from tests.features.ingests import FIRST, LATER, load, state_of

FAULTS = ["batches spilled", "bucket 0 written", "bucket 15 written", "files written"]


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
    assert load(tmp_path, LATER).added == 2
    listed = set(state_of(tmp_path)) | set(manifest_of_before(before))
    left = {path.name for path in (tmp_path / "log").iterdir()} - {".lock"}
    assert left <= listed


def manifest_of_before(state: dict[str, bytes]) -> list[str]:
    return [entry["file"] for entry in manifest.files(json.loads(state[manifest.NAME]))]


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
