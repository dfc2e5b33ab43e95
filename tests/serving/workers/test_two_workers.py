"""Two workers, as real as they get: both answer, one may die, and both stop in good order."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from features.served import ServedStore
from models.catalog import spec
from serving.served.log import MOST_A_COMMIT
from tests.serving.fakes import publish
from tests.serving.workers.several import Running, metrics, running, score

SCORES = 'nextbest_scores_total{model="churn",version="1"}'
REQUESTS = 'nextbest_requests_total{method="POST",route="/v1/scores/{model}",status="200"}'
RESTARTS, LOST = "nextbest_worker_restarts_total", "nextbest_served_lost_total"
CALLERS = 4


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


def answered_by(two: Running, callers: int) -> list[str]:
    """Return who answers each of so many callers that are there at the same time."""
    several = [two.connection() for _ in range(callers)]
    try:
        return [process_of(score(connection)["score_id"]) for connection in several]
    finally:
        for connection in several:
            connection.close()


def replaced(two: Running, process: int) -> int:
    """Kill a worker, wait until another serves in its place; return how many scores that took."""
    restarts, asked = two.metrics()[RESTARTS], 0
    os.kill(process, signal.SIGKILL)
    until = time.monotonic() + 60
    while two.metrics()[RESTARTS] == restarts:  # the other one answers all the time
        assert time.monotonic() < until
        time.sleep(0.02)
    while True:
        asked += 2
        if len(set(answered_by(two, 2))) == 2:
            return asked
        assert time.monotonic() < until
        time.sleep(0.02)


def settled(two: Running) -> dict[str, float]:
    """Return the metrics once what was asked before is counted: that may follow its answer."""
    until = time.monotonic() + 10
    before, now = two.metrics(), two.metrics()
    while before.get(REQUESTS) != now.get(REQUESTS) or now.get(REQUESTS) != now.get(SCORES):
        assert time.monotonic() < until
        time.sleep(0.02)
        before, now = now, two.metrics()
    return now


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


def test_metrics_of_any_worker_count_what_all_answered_and_those_that_died(two: Running) -> None:
    start = settled(two)
    asked = 0
    for kills in range(3):
        asked += len(answered_by(two, 7))
        with closing(two.connection()) as first, closing(two.connection()) as second:
            score(first)
            score(second)
            asked += 2
            said = [metrics(first), metrics(second)]
        assert [each[SCORES] - start.get(SCORES, 0.0) for each in said] == [asked, asked]
        for each in said:
            assert each["nextbest_workers"] == 2
            assert each[RESTARTS] == kills
            assert {f'process_cpu_seconds_total{{worker="{place}"}}' for place in (0, 1)} < set(
                each
            )
        # The last request is counted when its answer is on its way already.
        until = time.monotonic() + 10
        while two.metrics()[REQUESTS] - start.get(REQUESTS, 0.0) < asked:
            assert time.monotonic() < until
        assert two.metrics()[REQUESTS] - start.get(REQUESTS, 0.0) == asked
        if kills < 2:
            asked += replaced(two, two.workers()[0])


def test_a_kill_under_load_loses_at_most_the_last_group_and_the_other_goes_on(
    home: Path, two: Running
) -> None:
    lost_before = two.metrics()[LOST]
    given: list[str] = []
    broken: list[str] = []
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            answered = ""
            with closing(two.connection()) as connection:
                try:
                    while not done.is_set():
                        given.append(score(connection)["score_id"])
                        answered = process_of(given[-1])
                except (OSError, http.client.HTTPException, ValueError):
                    broken.append(answered)

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    with closing(ServedStore.open(home)) as store:
        while len(given) < 100 or not {*map(process_of, given)} <= {
            process_of(row.score_id) for row in store.since(0)
        }:
            time.sleep(0.05)  # until each has committed some
        replaced(two, two.workers()[1])
        others = len(given)
        while len(given) < others + 100:
            time.sleep(0.01)
        done.set()
        for caller in callers:
            caller.join()
        dead = set(broken)
        assert len(dead) == 1  # only who was with the killed one noticed, each once
        assert 1 <= len(broken) <= CALLERS
        kept = {row.score_id for row in store.since(0)}
    missing = {each for each in given if process_of(each) in dead} - kept
    assert len(missing) <= MOST_A_COMMIT
    until = time.monotonic() + 30
    while two.metrics()[LOST] - lost_before < len(missing):
        assert time.monotonic() < until
        time.sleep(0.05)
    # One a caller may have been logged, or was to be, although its answer did not arrive.
    assert two.metrics()[LOST] - lost_before <= len(missing) + CALLERS


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
