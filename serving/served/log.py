"""The log of predictions: scores that are served are written behind the requests' back.

A request leaves what it has in a queue, without a lock; one thread encodes and commits what has
gathered. When the database is slower or silent the queue fills. Then either a score is refused
(503), or it is served and not kept, and counted: `ServingSettings.log_drops` decides.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import sqlalchemy as sa
import structlog

from features.database import DatabaseError
from features.served import Block, Row, Shape
from serving.errors import BusyError
from serving.served.answer import logged_answer
from serving.served.tally import ServedTally, lost

if TYPE_CHECKING:
    from features.served import ServedStore
    from models.contract import Score, SegmentScore
    from serving.champions.champions import Champion
    from serving.received.live_store import Known
    from serving.scores.inputs import Asked

MOST_WAITING = 10_000
MOST_A_COMMIT = 500
GATHER_SECONDS = 0.05
RETRY_SECONDS = (0.1, 0.5, 1.0)
TIDY_SECONDS = 3_600.0
PATIENCE = 15.0
MICROS_A_DAY = 86_400_000_000

log = structlog.get_logger("nextbest.served")


class Waiting(NamedTuple):
    """A score that is to be kept, as the request left it."""

    champion: Champion
    known: Known
    score: Score | SegmentScore
    asked: Asked
    as_of: int
    shadow_of: str = ""


class Told(NamedTuple):
    """Who is told how many scores were written, dropped, and lost by processes killed before."""

    kept: Callable[[int], None] = lambda rows: None
    dropped: Callable[[int], None] = lambda rows: None
    lost: Callable[[int], None] = lambda rows: None


class ServedLog:
    """Writes all scores that are served, or a sample of them, in a thread of its own.

    Parameters
    ----------
    store : ServedStore
    home : Path
        Where it is counted what a kill loses.
    process : str
        See `features.score_id.ScoreIds`.
    share : float
        Of all scores, above 0 to 1.
    may_drop : bool
        What becomes of a score when the queue is full: it is served and not kept, or refused.
    days : float
        What is older is deleted, once an hour.
    told : Told
    most_waiting : int
    chance : random.Random, optional
        Chooses the sample.
    """

    def __init__(
        self,
        store: ServedStore,
        home: Path,
        process: str,
        share: float = 1.0,
        *,
        may_drop: bool = False,
        days: float = 30.0,
        told: Told = Told(),  # noqa: B008 - immutable
        most_waiting: int = MOST_WAITING,
        chance: random.Random | None = None,
    ) -> None:
        self._store, self._home, self._process = store, home, process
        self._share, self._may_drop, self._days = share, may_drop, days
        self._told, self._most_waiting = told, most_waiting
        self._chance = (chance or random.Random()).random
        self._waiting: deque[Waiting] = deque()
        self._taken = self._settled = 0
        self._is_idle, self._wake = False, threading.Event()
        self._stopping = False
        self._tidied = float("-inf")
        self._counted = False
        self._tally: ServedTally | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to write."""
        self._stopping = False
        self._tally = ServedTally(self._home, self._process)
        self._taken = self._settled = 0
        self._thread = threading.Thread(target=self._run, name="served", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end; what a silent database does not take is counted as dropped."""
        if self._thread is None:
            return
        self._stopping = True
        self._wake.set()
        self._thread.join(PATIENCE)
        if not self._thread.is_alive() and self._tally is not None:
            self._tally.close()
        self._tally = self._thread = None

    def put(
        self,
        champion: Champion,
        known: Known,
        score: Score | SegmentScore,
        asked: Asked,
        as_of: int,
        shadow_of: str = "",
    ) -> bool:
        """Take a score, if it is in the sample; of one thread, returns at once.

        Returns
        -------
        bool
            Whether it was taken.

        Raises
        ------
        BusyError
            The queue is full, and nothing may be dropped.
        """
        if self._share < 1.0 and self._chance() >= self._share:
            return False
        if len(self._waiting) >= self._most_waiting or self._tally is None:
            if self._may_drop:
                self._told.dropped(1)
                return False
            raise BusyError(
                "More scores are waiting to be logged than can be soon.",
                remedy="Send it again after the seconds in Retry-After; NEXTBEST_LOG_DROPS=1 "
                "would serve scores that are not logged.",
            )
        self._taken = self._tally.numbers[0] = self._taken + 1
        self._waiting.append(Waiting(champion, known, score, asked, as_of, shadow_of))
        if self._is_idle:
            self._is_idle = False
            self._wake.set()
        return True

    def _run(self) -> None:
        while True:
            self._tidy()
            self._is_idle = True
            if not self._waiting and not self._stopping:
                self._wake.wait(TIDY_SECONDS)
            self._wake.clear()
            self._is_idle = False
            if not self._stopping:
                time.sleep(GATHER_SECONDS)  # others gather, and share the commit
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(self._group())]
                self._write(taken)
            if self._stopping:
                return

    def _group(self) -> int:
        return min(len(self._waiting), MOST_A_COMMIT)

    def _write(self, taken: list[Waiting]) -> None:
        """Write a group; try again until it is written, or the log stops.

        Meanwhile the queue fills, and what finds no room is refused or dropped by `put`.
        """
        number = self._settled + len(taken)
        blocks = blocks_of(taken, number)
        kept, tries = False, 0
        while True:
            try:
                self._store.add(self._process, blocks)
                kept = True
                break
            except (msgspec.MsgspecError, OverflowError, TypeError) as error:
                # To try again would change nothing, and would keep all others waiting.
                log.error("served scores cannot be written", why=type(error).__name__)
                break
            except (DatabaseError, sa.exc.SQLAlchemyError) as error:
                if tries == 0:
                    why = type(error).__name__
                    log.warning("served scores not kept yet", rows=len(taken), why=why)
            if self._stopping:
                break
            time.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
            tries += 1
        (self._told.kept if kept else self._told.dropped)(len(taken))
        if not kept:
            log.warning("served scores dropped", rows=len(taken))
        self._settled = number
        if self._tally is not None:
            self._tally.numbers[1] = number

    def _tidy(self) -> None:
        """Delete what is too old, and count what processes lost that were killed."""
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        try:
            if not self._counted:
                number = lost(self._home, self._store)
                self._counted = True
                self._told.lost(number)
                if number:
                    log.warning("served scores lost by a process that was killed", rows=number)
            before = time.time_ns() // 1_000 - int(self._days * MICROS_A_DAY)
            deleted = self._store.delete_before(before)
            self._tidied = time.monotonic()
        except (DatabaseError, sa.exc.SQLAlchemyError) as error:
            log.warning("served scores not tidied", why=type(error).__name__)
            return
        if deleted:
            log.info("old served scores deleted", blocks=deleted)


def blocks_of(taken: list[Waiting], number: int) -> list[Block]:
    """Return scores as blocks, one a version; the last of them has the number given."""
    rows: dict[int, list[Row]] = {}
    champions: dict[int, Champion] = {}
    for each in taken:
        champion, known, score, asked, as_of, shadow_of = each
        champions[id(champion)] = champion
        rows.setdefault(id(champion), []).append(
            Row(
                score.score_id, asked.customer_id, as_of, known.sequence, known.has_events,
                asked.context, known.values, logged_answer(score), shadow_of,
            )
        )  # fmt: skip
    first = number - len(rows) + 1
    return [
        Block(first + place, shape_of(champions[key]), rows[key]) for place, key in enumerate(rows)
    ]


def shape_of(champion: Champion) -> Shape:
    """Return what all scores of a champion have in common."""
    spec = champion.spec
    catalogue = champion.bundle.spec.feature_hash
    return Shape(spec.name, champion.version, catalogue, tuple(spec.feature_names))
