"""Group commit: what requests want written shares transactions, and each is answered after its own.

A commit waits for the disk, so while one is on its way the next requests gather, and the one after
it takes them all. A request is answered once its lines are durable and the online store has caught
up with them, so that the very next score counts them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from features.database import DatabaseError
from features.errors import NextbestError
from features.ledger_entry import Entry, Known, Receipt
from serving.errors import BusyError, NotCountedError, NotWrittenError
from serving.outside.breaker import Breaker

if TYPE_CHECKING:
    from features.ledger import Ledger

MOST_WAITING = 50_000
MOST_REQUESTS = 256
MOST_A_COMMIT = 5_000
PATIENCE = 30.0

log = structlog.get_logger("nextbest.commits")


class Follower(Protocol):
    """What must have followed the ledger before an answer is given: the online store."""

    def catch_up(self, ledger: Ledger) -> None:
        """Apply what the ledger has and the store has not; each change once."""
        ...


class Waiting(NamedTuple):
    """An entry, and where its receipt is awaited."""

    entry: Entry
    lines: int
    receipt: Future[Receipt]


class Commits:
    """One thread that writes what all requests of the process bring.

    Parameters
    ----------
    ledger : Ledger
    follower : Follower
    known : Known
        What is known from elsewhere, see `features.ledger.Ledger.commit`.
    told : callable, optional
        Called after each commit with how many requests shared it, the lines added and its seconds.
    most_waiting : int
        Events and changes that may wait; beyond it a request is told to come back.
    most_requests : int
        Requests that may wait.
    breaker : Breaker, optional
        Knows whether the database answers.
    """

    def __init__(
        self,
        ledger: Ledger,
        follower: Follower,
        known: Known,
        told: Callable[[int, int, float], None] = lambda requests, added, seconds: None,
        most_waiting: int = MOST_WAITING,
        most_requests: int = MOST_REQUESTS,
        breaker: Breaker | None = None,
    ) -> None:
        self._ledger, self._follower, self._known, self._told = ledger, follower, known, told
        self._most_waiting, self._most_requests = most_waiting, most_requests
        self._breaker = breaker or Breaker()
        self._writing = 0
        self._waiting: deque[Waiting] = deque()
        self._lines = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the thread."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="commits", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end the thread; whoever comes later is told to come back."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    async def write(self, entry: Entry) -> Receipt:
        """Return the receipt of an entry, once it is durable and counted.

        Raises
        ------
        BusyError
            Too much waits already; nothing of the entry was taken.
        NotWrittenError
            The database failed; nothing of the entry is known to be written.
        NotCountedError
            It is written, but the online store could not be brought up to it.
        DatabaseError
            It did not answer just now; nothing of the entry was taken.
        """
        if self._writing >= self._most_requests:
            raise _busy()
        self._writing += 1
        try:
            return await asyncio.wrap_future(self.submit(entry))
        finally:
            self._writing -= 1

    def submit(self, entry: Entry) -> Future[Receipt]:
        """Put an entry in line; see `write`."""
        lines = len(entry.events) + len(entry.customers) + len(entry.campaigns)
        waiting = Waiting(entry, lines, Future())
        waiting.receipt.set_running_or_notify_cancel()  # a caller who hangs up changes nothing
        if not self._breaker.may_ask():
            raise _silent()
        with self._changed:
            if self._stopping or self._thread is None or self._full(lines):
                raise _busy()
            self._waiting.append(waiting)
            self._lines += lines
            self._changed.notify()
        return waiting.receipt

    def follow(self) -> None:
        """Bring the online store up to what other processes committed."""
        self._follower.catch_up(self._ledger)

    def _full(self, lines: int) -> bool:
        return bool(self._waiting) and self._lines + lines > self._most_waiting

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
                taken = self._take()
            self._commit(taken)

    def _take(self) -> list[Waiting]:
        taken = [self._waiting.popleft()]
        lines = taken[0].lines
        while self._waiting and lines + self._waiting[0].lines <= MOST_A_COMMIT:
            taken.append(self._waiting.popleft())
            lines += taken[-1].lines
        self._lines -= lines
        return taken

    def _commit(self, taken: list[Waiting]) -> None:
        started = time.perf_counter()
        try:
            receipts = self._ledger.commit([waiting.entry for waiting in taken], self._known)
        except Exception as error:  # whoever waits must be told, whatever it was
            self._fail(taken, error, NotWrittenError)
            if isinstance(error, DatabaseError):
                self._give_up()
            return
        self._breaker.hear(answers=True)
        try:
            self.follow()
        except Exception as error:  # the same
            self._fail(taken, error, NotCountedError)
            return
        self._told(len(taken), sum(r.added for r in receipts), time.perf_counter() - started)
        for waiting, receipt in zip(taken, receipts, strict=True):
            waiting.receipt.set_result(receipt)

    def _give_up(self) -> None:
        """Let nobody wait who would only learn later that the database is silent."""
        self._breaker.hear(answers=False)
        with self._changed:
            waiting = list(self._waiting)
            self._waiting.clear()
            self._lines = 0
        for each in waiting:
            each.receipt.set_exception(_silent())

    def _fail(
        self, taken: list[Waiting], error: Exception, kind: type[NotWrittenError | NotCountedError]
    ) -> None:
        reason = error.message if isinstance(error, NextbestError) else type(error).__name__
        log.error("commit failed", reason=reason, requests=len(taken), told=kind.__name__)
        for waiting in taken:
            waiting.receipt.set_exception(kind.of())


def _busy() -> BusyError:
    return BusyError(
        "More is waiting to be written than can be soon.",
        remedy="Send it again after the seconds in Retry-After; nothing was taken.",
    )


def _silent() -> DatabaseError:
    return DatabaseError(
        "The database did not answer just now; nothing was taken.",
        remedy="Send it again after the seconds in Retry-After.",
    )
