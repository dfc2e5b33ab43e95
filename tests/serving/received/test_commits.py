"""Group commit: one transaction for many requests, one answer for each, and none without an end."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from features.database import DatabaseError
from features.ledger import Ledger
from features.ledger_entry import NOTHING, Entry, Event, Known, Receipt
from serving.errors import BusyError, NotCountedError, NotWrittenError
from serving.outside.breaker import RETRY_SECONDS, Breaker
from serving.received.commits import Commits


def entry(*ids: str) -> Entry:
    return Entry([Event(each, "jane", {"kind": "order", "occurred_at": 7}) for each in ids])


class SlowLedger(Ledger):
    """Commits wait for permission, so that a test can let requests gather."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.go = threading.Semaphore(0)
        self.entered = threading.Event()
        self.commits: list[int] = []
        self.failure: Exception | None = None

    def commit(self, entries: Sequence[Entry], known: Known = NOTHING) -> list[Receipt]:
        self.entered.set()
        assert self.go.acquire(timeout=10)
        if self.failure is not None:
            raise self.failure
        self.commits.append(len(entries))
        return super().commit(entries, known)


class Follower:
    """An online store that only remembers how far it is."""

    def __init__(self) -> None:
        self.applied = 0
        self.failure: Exception | None = None

    def catch_up(self, ledger: Ledger) -> None:
        if self.failure is not None:
            raise self.failure
        self.applied = ledger.last


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SlowLedger]:
    opened = SlowLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def told() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def commits(ledger: SlowLedger, told: list[tuple[int, int]]) -> Iterator[Commits]:
    breaker = Breaker(clock=itertools.count().__next__)  # of which a second is soon over
    made = Commits(
        ledger,
        Follower(),
        NOTHING,
        lambda n, added, s: told.append((n, added)),
        10,
        breaker=breaker,
    )
    made.start()
    yield made
    for _ in range(100):
        ledger.go.release()
    made.stop()


def test_requests_that_wait_share_a_transaction(
    commits: Commits, ledger: SlowLedger, told: list[tuple[int, int]]
) -> None:
    first = commits.submit(entry("e0"))
    assert ledger.entered.wait(10)
    others = [commits.submit(entry(f"e{n}", "same")) for n in range(1, 5)]
    ledger.go.release()
    ledger.go.release()
    receipts = [waiting.result(10) for waiting in (first, *others)]
    assert ledger.commits == [1, 4]
    assert [(r.added, r.repeated) for r in receipts] == [(1, 0), (2, 0), (1, 1), (1, 1), (1, 1)]
    assert told == [(1, 1), (4, 5)]


def test_an_answer_is_given_after_the_store_has_caught_up(ledger: SlowLedger) -> None:
    follower = Follower()
    commits = Commits(ledger, follower, NOTHING)
    commits.start()
    ledger.go.release()

    async def ask() -> int:
        receipt = await commits.write(entry("e1", "e2"))
        assert follower.applied == receipt.last == 2
        return receipt.added

    assert asyncio.run(ask()) == 2
    commits.stop()


def test_the_line_of_those_who_wait_has_an_end(commits: Commits, ledger: SlowLedger) -> None:
    held = [commits.submit(entry("a"))]
    assert ledger.entered.wait(10)
    held.append(commits.submit(entry(*(f"b{n}" for n in range(8)))))
    with pytest.raises(BusyError) as caught:
        commits.submit(entry("c1", "c2", "c3"))
    assert "nothing was taken" in caught.value.remedy
    held.append(commits.submit(entry("d1", "d2")))
    for _ in held:
        ledger.go.release()
    assert [waiting.result(10).added for waiting in held] == [1, 8, 2]
    ledger.go.release()
    assert commits.submit(entry("c1", "c2", "c3")).result(10).added == 3


def test_a_request_larger_than_the_line_is_taken_when_nobody_waits(
    commits: Commits, ledger: SlowLedger
) -> None:
    ledger.go.release()
    assert commits.submit(entry(*(f"e{n}" for n in range(11)))).result(10).added == 11


def test_a_failed_commit_is_told_to_all_who_shared_it_and_the_next_one_goes_on(
    commits: Commits, ledger: SlowLedger
) -> None:
    ledger.failure = DatabaseError("jane's disk is full.", remedy="Make room.")
    waiting = [commits.submit(entry("e1"))]
    assert ledger.entered.wait(10)
    ledger.go.release()
    with pytest.raises(NotWrittenError, match="not written twice") as caught:
        waiting[0].result(10)
    assert "jane" not in str(caught.value)
    ledger.failure = None
    ledger.go.release()
    assert commits.submit(entry("e1")).result(10).added == 1


def test_while_the_database_is_silent_nobody_waits_for_it_but_one_a_second(
    ledger: SlowLedger,
) -> None:
    now = [100.0]
    commits = Commits(ledger, Follower(), NOTHING, breaker=Breaker(clock=lambda: now[0]))
    commits.start()
    ledger.failure = DatabaseError("It hangs.", remedy="Wait.")
    asked = commits.submit(entry("e1"))
    assert ledger.entered.wait(10)
    behind = commits.submit(entry("e2"))
    ledger.go.release()
    with pytest.raises(NotWrittenError):
        asked.result(10)
    with pytest.raises(DatabaseError, match="nothing was taken"):
        behind.result(10)
    with pytest.raises(DatabaseError, match="nothing was taken"):
        commits.submit(entry("e3"))
    now[0] += RETRY_SECONDS
    ledger.failure = None
    ledger.go.release()
    assert commits.submit(entry("e4")).result(10).added == 1
    commits.stop()


def test_more_requests_than_may_wait_are_told_to_come_back(ledger: SlowLedger) -> None:
    commits = Commits(ledger, Follower(), NOTHING, most_requests=2)
    commits.start()

    async def three() -> list[Any]:
        writes = [commits.write(entry(name)) for name in ("e1", "e2", "e3")]
        asyncio.get_running_loop().call_later(0.05, ledger.go.release, 2)
        return await asyncio.gather(*writes, return_exceptions=True)

    told = asyncio.run(three())
    assert [isinstance(each, BusyError) for each in told] == [False, False, True]
    assert [each.added for each in told[:2]] == [1, 1]
    commits.stop()


def test_what_is_written_but_not_counted_is_told_so_and_counted_when_sent_again(
    ledger: SlowLedger,
) -> None:
    follower = Follower()
    commits = Commits(ledger, follower, NOTHING)
    commits.start()
    ledger.go.release()
    follower.failure = OSError("a full disk")
    with pytest.raises(NotCountedError):
        commits.submit(entry("e1")).result(10)
    follower.failure = None
    ledger.go.release()
    receipt = commits.submit(entry("e1")).result(10)
    assert (receipt.added, receipt.repeated, follower.applied) == (0, 1, 1)
    commits.stop()


def test_what_waits_is_written_before_it_stops_and_nothing_is_taken_afterwards(
    commits: Commits, ledger: SlowLedger
) -> None:
    waiting: list[Any] = [commits.submit(entry("e1"))]
    assert ledger.entered.wait(10)
    waiting.append(commits.submit(entry("e2")))
    ledger.go.release()
    ledger.go.release()
    commits.stop()
    assert [each.result(0).added for each in waiting] == [1, 1]
    with pytest.raises(BusyError):
        commits.submit(entry("e3"))


def test_a_caller_who_hangs_up_changes_nothing(commits: Commits, ledger: SlowLedger) -> None:
    async def leave() -> None:
        task = asyncio.create_task(commits.write(entry("e1")))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    ledger.go.release()
    ledger.go.release()
    assert commits.submit(entry("e1", "e2")).result(10).repeated == 1
