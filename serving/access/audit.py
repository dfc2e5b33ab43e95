"""Who did what through the API, written beside the requests and kept until it can be.

A route says how much it changed or handed out, by `note`; what nobody notes is not recorded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from features.database import DatabaseError

if TYPE_CHECKING:
    from starlette.requests import Request

    from serving.access.store import AccessStore, Act

COUNTS = "nextbest.counts"
MOST_WAITING = 100_000
MOST_A_COMMIT = 1_000
PATIENCE = 30.0
GATHER_SECONDS = 0.1
RETRY_SECONDS = 1.0

log = structlog.get_logger("nextbest.audit")


def note(request: Request, **counts: int) -> None:
    """Have a request recorded, with counts by name; of a name twice, the last."""
    request.scope.get(COUNTS, {}).update(counts)


class Audit:
    """One thread that writes lines of the audit; a request never waits for it.

    Parameters
    ----------
    store : AccessStore
    most_waiting : int
        Lines kept while the database does not answer; beyond it the newest are counted as dropped.

    Attributes
    ----------
    dropped : callable
        Told how many lines are lost.
    """

    def __init__(self, store: AccessStore, most_waiting: int = MOST_WAITING) -> None:
        self._store, self._most_waiting = store, most_waiting
        self.dropped: Callable[[int], None] = lambda lines: None
        self._waiting: deque[Act] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to write."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end; what cannot be written now is counted and lost."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            self._thread = None
        if self._waiting:
            log.error("lines of the audit lost", lines=len(self._waiting))
            self.dropped(len(self._waiting))

    def put(self, act: Act) -> None:
        """Keep one line; returns at once."""
        if len(self._waiting) >= self._most_waiting:
            self.dropped(1)
            return
        self._waiting.append(act)
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            self._stopping.wait(GATHER_SECONDS)  # others gather, and share the commit
            while not self._write() and not self._stopping.wait(RETRY_SECONDS):
                pass
        self._write()

    def _write(self) -> bool:
        """Write all that waits; returns whether it is written."""
        while self._waiting:
            acts = [self._waiting[n] for n in range(min(len(self._waiting), MOST_A_COMMIT))]
            try:
                self._store.record(acts)
            except (DatabaseError, sa.exc.SQLAlchemyError) as error:
                log.warning("audit not written yet", lines=len(acts), why=type(error).__name__)
                return False
            for _ in acts:
                self._waiting.popleft()
        return True
