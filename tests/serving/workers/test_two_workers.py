"""Two workers, as real as they get: both answer, one may die, and both stop in good order."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from features.served import ServedStore
from models.catalog import spec
from tests.serving.fakes import publish
from tests.serving.workers.several import Running, running, score


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("home")
    publish(made / "cache", spec("churn"), "1")
    return made


@pytest.fixture(scope="module")
def two(home: Path) -> Iterator[Running]:
    with running(home, 2) as workers:
        yield workers


def process_of(score_id: str) -> str:
    return score_id[14:]


def answers(workers: Running, callers: int) -> list[dict[str, Any]]:
    """Return an answer to each of so many callers who are there at the same time."""
    several = [workers.connection() for _ in range(callers)]
    try:
        return [score(connection) for connection in several]
    finally:
        for connection in several:
            connection.close()


def test_callers_that_stay_are_answered_by_both(two: Running) -> None:
    several = [two.connection() for _ in range(8)]
    answered = [process_of(score(connection)["score_id"]) for connection in several]
    again = [process_of(score(connection)["score_id"]) for connection in several]
    for connection in several:
        connection.close()
    assert again == answered  # a connection stays with its worker
    # Evenly, unless this machine is too busy for one of them to come to the door.
    assert min(answered.count(process) for process in set(answered)) >= 2
    assert len(set(answered)) == 2


def test_a_killed_worker_leaves_the_other_answering_and_another_takes_its_place(
    two: Running,
) -> None:
    first, second = two.workers()
    os.kill(second, signal.SIGKILL)
    until = time.monotonic() + 30
    while len(two.workers()) < 2 or second in two.workers():
        with closing(two.connection()) as connection:
            assert score(connection)["model"] == "churn"
        assert time.monotonic() < until
        time.sleep(0.02)
    assert first in two.workers()
    while len({process_of(each["score_id"]) for each in answers(two, 2)}) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_stop_writes_what_was_served_through(home: Path, two: Running) -> None:
    with closing(two.connection()) as connection:
        given = {score(connection)["score_id"] for _ in range(20)}
    two.process.send_signal(signal.SIGTERM)
    assert two.process.wait(30) == 0
    with closing(ServedStore.open(home)) as store:
        assert given <= {row.score_id for row in store.since(0)}
    assert list((home / "served").glob("*.tally")) == []
    assert list((home / "workers").iterdir()) == []


def test_workers_end_with_a_parent_that_is_killed(home: Path) -> None:
    with running(home, 1) as one:
        (worker,) = one.workers()
        one.process.kill()
        one.process.wait()
        until = time.monotonic() + 20
        while Path(f"/proc/{worker}").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
