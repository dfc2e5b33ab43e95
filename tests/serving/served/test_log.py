"""The log's thread: what is taken is written, dropped and counted, or refused."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from features.database import DatabaseError
from features.served import Block, ServedStore
from models.catalog import spec
from serving.champions.champions import Champion, load_champion
from serving.errors import BusyError
from serving.received.live_store import Known
from serving.served.log import MOST_A_COMMIT, ServedLog, Told
from serving.served.tally import FOLDER, lost
from tests.serving.fakes import NOW, publish

PROCESS = "00000000abcd"
ASKED: Any = SimpleNamespace(customer_id="jane", context={"campaign_id": "7"})


@pytest.fixture(scope="module")
def champions(tmp_path_factory: pytest.TempPathFactory) -> list[Champion]:
    cache = tmp_path_factory.mktemp("cache")
    specs = [spec("churn"), spec("segments")]
    return [load_champion(each, "1", publish(cache, each, "1")) for each in specs]


class Stuck:
    """A database that answers when it is told to, and refuses so many times."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals, self.told, self.rows = refusals, threading.Event(), 0
        self.sizes: list[int] = []

    def add(self, process: str, blocks: Sequence[Block]) -> None:
        self.told.wait(10)
        if self.refusals > 0:
            self.refusals -= 1
            raise DatabaseError("It does not answer.", remedy="Start it.")
        self.sizes.append(sum(len(block.rows) for block in blocks))

    def delete_before(self, moment: int) -> int:
        return 0


class Counted:
    """What a log told."""

    def __init__(self) -> None:
        self.kept = self.dropped = self.lost = 0

    def told(self) -> Told:
        def adder(name: str) -> Callable[[int], None]:
            return lambda rows: setattr(self, name, getattr(self, name) + rows)

        return Told(adder("kept"), adder("dropped"), adder("lost"))


def named(champion: Champion, values: Sequence[Any], number: int) -> Any:
    score = champion.scorer.score(values, NOW)
    return msgspec.structs.replace(score, score_id=f"{number:014x}{PROCESS}")


def put(log: ServedLog, champions: Sequence[Champion], number: int) -> None:
    champion = champions[number % len(champions)]
    values = [number if f.dtype == "int" else None for f in champion.spec.features]
    score = named(champion, values, number + 1)
    log.put(champion, Known(values, sequence=number), score, ASKED, NOW + number)


def test_all_that_is_taken_is_written_in_order_before_it_stops(
    tmp_path: Path, champions: list[Champion]
) -> None:
    counted, n = Counted(), 2 * MOST_A_COMMIT + 100
    with closing(ServedStore.open(tmp_path)) as store:
        log = ServedLog(store, tmp_path, PROCESS, told=counted.told())
        log.start()
        for number in range(n):
            put(log, champions, number)
        log.stop()
        rows = sorted(store.since(0), key=lambda row: row.score_id)
        assert [row.sequence for row in rows] == list(range(n))
        assert [row.model for row in rows[:2]] == ["churn", "segments"]
        assert all(row.customer_id == "jane" for row in rows)
        assert (counted.kept, counted.dropped) == (n, 0)
        assert store.last_number(PROCESS) == n
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_sample_keeps_about_its_share(tmp_path: Path, champions: list[Champion]) -> None:
    with closing(ServedStore.open(tmp_path)) as store:
        log = ServedLog(store, tmp_path, PROCESS, 0.5, chance=random.Random(3))
        log.start()
        for number in range(400):
            put(log, champions, number)
        log.stop()
        assert 150 < sum(1 for _ in store.since(0)) < 250


def test_a_full_queue_refuses_until_there_is_room(
    tmp_path: Path, champions: list[Champion]
) -> None:
    stuck, counted = Stuck(refusals=2), Counted()
    log = ServedLog(stuck, tmp_path, PROCESS, told=counted.told(), most_waiting=5)  # type: ignore[arg-type]
    log.start()
    taken = refused = 0
    for number in range(50):
        try:
            put(log, champions, number)
            taken += 1
        except BusyError:
            refused += 1
    assert refused > 0
    stuck.told.set()  # it refuses twice; nothing is dropped for it
    for _ in range(500):
        if counted.kept == taken:
            break
        time.sleep(0.01)
    put(log, champions, 50)
    log.stop()
    assert (counted.kept, counted.dropped) == (taken + 1, 0)
    assert sum(stuck.sizes) == taken + 1


@pytest.mark.parametrize("is_back", [True, False])
def test_where_drops_are_allowed_a_silent_database_refuses_no_score_and_what_has_room_is_kept(
    tmp_path: Path, champions: list[Champion], is_back: bool
) -> None:
    stuck, counted = Stuck(refusals=1_000), Counted()
    log = ServedLog(
        stuck, tmp_path, PROCESS, may_drop=True, told=counted.told(), most_waiting=5  # type: ignore[arg-type]
    )  # fmt: skip
    log.start()
    for number in range(100):
        put(log, champions, number)
    refused = counted.dropped
    assert refused >= 80
    stuck.told.set()
    if is_back:
        stuck.refusals = 2
    for _ in range(500):
        taken, settled = struct.unpack("QQ", (tmp_path / FOLDER / f"{PROCESS}.tally").read_bytes())
        if taken == settled or not is_back:
            break
        time.sleep(0.01)
    assert 0 < taken < 20  # these a kill would lose, and the next start count
    log.stop()
    kept = taken if is_back else 0
    assert (counted.kept, counted.dropped, refused) == (kept, 100 - kept, 100 - taken)


def test_a_value_that_cannot_be_written_keeps_no_other_waiting(
    tmp_path: Path, champions: list[Champion]
) -> None:
    counted, champion = Counted(), champions[0]
    with closing(ServedStore.open(tmp_path)) as store:
        log = ServedLog(store, tmp_path, PROCESS, told=counted.told())
        log.start()
        values = [None] * len(champion.spec.features)
        score = named(champion, values, 1)
        log.put(champion, Known([object(), *values[1:]]), score, ASKED, NOW)  # type: ignore[list-item]
        for _ in range(500):
            if counted.dropped:
                break
            time.sleep(0.01)
        put(log, champions, 6)
        log.stop()
        assert (counted.kept, counted.dropped) == (1, 1)


KILLED = """
import os, sys
from pathlib import Path
from serving.served.tally import ServedTally
tally = ServedTally(Path(sys.argv[1]), sys.argv[2])
tally.numbers[0], tally.numbers[1] = 70, 40
print("ready", flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_had_not_written_is_counted_once(
    tmp_path: Path, champions: list[Champion]
) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), PROCESS]
    with (
        closing(ServedStore.open(tmp_path)) as store,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert lost(tmp_path, store) == 0  # it lives
        os.kill(process.pid, 9)
        process.wait()
        counted = Counted()
        log = ServedLog(store, tmp_path, "00000000abce", told=counted.told())
        log.start()
        log.stop()
        assert counted.lost == 30
        assert lost(tmp_path, store) == 0
