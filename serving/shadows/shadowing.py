"""Scores by challengers of what was just served: in a thread of their own, never returned.

A request leaves the values in a bounded queue, without a lock; when it is full the score is
dropped and counted, for a shadow must not hold up anybody. Where the served score was logged, the
shadow's is logged too, with the id of the score that it is the shadow of.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import structlog

from features.score_id import ScoreIds
from models.contract import Score, SegmentScore
from serving.front.boundary import place
from serving.served.log import ServedLog, Told
from serving.shadows.challengers import Challengers, shadowed
from serving.shadows.metrics import ShadowMetrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from features.served import ServedStore
    from serving.champions.champions import Champions
    from serving.front.telemetry import Telemetry
    from serving.received.live_store import Known
    from serving.scores.inputs import Asked
    from serving.settings import ServingSettings

MOST_WAITING = 1_000
IDLE_SECONDS = 60.0
PATIENCE = 5.0

log = structlog.get_logger("nextbest.shadows")


def make_shadows(
    settings: ServingSettings,
    champions: Champions,
    telemetry: Telemetry,
    served: ServedStore | None,
) -> Shadows | None:
    """Return the shadows that the settings ask for; None if they ask for none.

    Raises
    ------
    CannotServeError
        They name a model that the catalogue does not have.
    """
    models = shadowed(settings.shadows, champions.specs)
    if not models:
        return None
    specs = {model: champions.specs[model] for model in models}
    metrics = ShadowMetrics(telemetry.registry)

    def make_log(process: str) -> ServedLog:
        assert served is not None
        told = Told(telemetry.served_kept.inc, metrics.unlogged.inc, telemetry.served_lost.inc)
        return ServedLog(
            served, settings.home, process, may_drop=True, days=settings.log_days, told=told
        )

    is_kept = served is not None and settings.log_served > 0
    challengers = Challengers(specs, settings.cache)
    return Shadows(challengers, metrics, make_log if is_kept else None)


class Behind(NamedTuple):
    """What was served, as the request left it."""

    known: Known
    score: Score | SegmentScore
    asked: Asked
    as_of: int
    is_logged: bool


class Shadows:
    """Has challengers score what was served, in a thread of its own.

    Parameters
    ----------
    challengers : Challengers
    metrics : ShadowMetrics
    make_log : callable, optional
        Process id -> the log of these scores, which this thread alone writes to; None keeps none.
    most_waiting : int
    """

    def __init__(
        self,
        challengers: Challengers,
        metrics: ShadowMetrics,
        make_log: Callable[[str], ServedLog] | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.challengers = challengers
        self._metrics = metrics
        self._ids = ScoreIds()
        self._log = None if make_log is None else make_log(self._ids.process)
        self._most_waiting = most_waiting
        self._waiting: deque[Behind] = deque()
        self._wake, self._is_idle, self._stopping = threading.Event(), False, False
        self._thread: threading.Thread | None = None

    def refresh(self) -> None:
        """Load challengers that were announced, and let go of those that are none any more."""
        before = self.challengers.current()
        self._metrics.changed(self.challengers.refresh())
        self._metrics.stand(before, self.challengers.current())

    def start(self) -> None:
        """Start to score."""
        self._stopping = False
        if self._log is not None:
            self._log.start()
        self._thread = threading.Thread(target=self._run, name="shadows", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Score what waits, and end."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping = True
        self._wake.set()
        thread.join(PATIENCE)
        if self._log is not None:
            self._log.stop()

    def put(
        self,
        known: Known,
        score: Score | SegmentScore,
        asked: Asked,
        as_of: int,
        is_logged: bool,
    ) -> None:
        """Take what was served, if its model has a challenger; returns at once."""
        if not self.challengers.holds(score.model, other_than=score.version):
            return
        if len(self._waiting) >= self._most_waiting:
            self._metrics.dropped.inc()
            return
        self._waiting.append(Behind(known, score, asked, as_of, is_logged))
        if self._is_idle:
            self._is_idle = False
            self._wake.set()

    def _run(self) -> None:
        while True:
            self._is_idle = True
            if not self._waiting and not self._stopping:
                self._wake.wait(IDLE_SECONDS)
            self._wake.clear()
            self._is_idle = False
            while self._waiting:
                self._score(self._waiting.popleft())
                time.sleep(0)  # requests go first: what waits for this thread's lock gets it
            if self._stopping:
                return

    def _score(self, behind: Behind) -> None:
        served = behind.score
        challenger = self.challengers.current().get(served.model)
        if challenger is None:
            return
        label = (served.model, challenger.version)
        try:
            known = behind.known
            unnamed = challenger.scorer.score(
                known.values, behind.as_of, sequence=known.sequence, has_events=known.has_events
            )
            score = msgspec.structs.replace(unnamed, score_id=self._ids.next())
            if behind.is_logged and self._log is not None:
                self._log.put(challenger, known, score, behind.asked, behind.as_of, served.score_id)
        except Exception as error:  # the boundary: whatever a challenger does, serving goes on
            self._metrics.failed.labels(*label).inc()
            log.warning("challenger failed", model=served.model, **place(error))
            return
        self._metrics.scored.labels(*label).inc()
        if isinstance(score, Score) and isinstance(served, Score):
            difference = abs(score.probability - served.probability)
            self._metrics.differences.labels(*label).observe(difference)
