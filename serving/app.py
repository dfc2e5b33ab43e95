"""The application: its parts are arguments, so a test or another program can bring its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from fastapi import FastAPI

from features.database import DatabaseError
from features.errors import StoreError
from features.score_id import ScoreIds
from serving import handlers, openapi
from serving.access.guard import Guard
from serving.access.metrics import AccessMetrics
from serving.access.opened import Access
from serving.champions.champions import Champions
from serving.champions.watch import Watch
from serving.front.admission import Admission
from serving.front.boundary import Boundary, Recorder
from serving.front.fronted import Fronted
from serving.front.gate import Gate
from serving.front.telemetry import Telemetry
from serving.outside.breaker import Breaker
from serving.outside.calls import Calls
from serving.parts import Parts
from serving.received.commits import Commits
from serving.received.live_store import LiveStore
from serving.routes import (
    campaigns,
    changes,
    customers,
    events,
    health,
    inference,
    invocations,
    models,
    prospects,
    root,
    tables,
)
from serving.routes.scores import make_router
from serving.scores.hot_route import HotRoute
from serving.served.log import ServedLog, Told
from serving.settings import ServingSettings
from serving.shadows.shadowing import make_shadows

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from features.ledger import Ledger
    from features.served import ServedStore
    from models.scores import ScoreStore

API_VERSION = "1"
DESCRIPTION = """\
Whom to contact next, why, through what, and whether it pays.

Probabilities are calibrated; every answer carries the model's version and the moment (`as_of`) it
was judged at. Errors are `application/problem+json` (RFC 9457) and say what to do next. Within
`/v1` fields are added, never removed or changed.
"""


def create_app(
    settings: ServingSettings,
    champions: Champions,
    store: LiveStore,
    scores: ScoreStore,
    clock: Callable[[], int],
    ledger: Ledger,
    telemetry: Telemetry | None = None,
    served: ServedStore | None = None,
    hot: bool = True,
    score_ids: ScoreIds | None = None,
    access: Access | None = None,
) -> FastAPI:
    """Return the ASGI application.

    Parameters
    ----------
    settings : ServingSettings
    champions : Champions
        The models being served, refreshed while the application runs.
    store : LiveStore
        Customers' events and attributes; reopened when it was rebuilt.
    scores : models.scores.ScoreStore
        What was scored in batch, for customers and lists.
    clock : callable
        Returns "now", microseconds UTC.
    ledger : features.ledger.Ledger
        Where what is received is written before it is answered.
    telemetry : Telemetry, optional
        Where metrics are counted; by default a registry of this application's own.
    served : features.served.ServedStore, optional
        Where scores are logged, see `ServingSettings.log_served`.
    hot : bool
        Whether perfect requests for a score take the short cut of `serving.scores.hot_route`.
    score_ids : ScoreIds, optional
        Names the answers.
    access : Access, optional
        Who may call; without it everybody may.
    """
    telemetry = telemetry or Telemetry()
    # What waits for one thing outside leaves three quarters of the places to what does not.
    places = max(1, settings.max_at_once // 4)
    commits = Commits(ledger, store, store, telemetry.committed, most_requests=places)
    store_calls, database_calls = (
        Calls(what, silence, places, Breaker(telemetry.hears(what)))
        for what, silence in (("online store", StoreError), ("database", DatabaseError))
    )
    score_ids = score_ids or ScoreIds()
    kept = None
    if served is not None and settings.log_served > 0:
        kept = ServedLog(
            served,
            settings.home,
            score_ids.process,
            settings.log_served,
            may_drop=settings.may_drop,
            days=settings.log_days,
            told=Told(
                telemetry.served_kept.inc,
                telemetry.served_dropped.inc,
                telemetry.served_lost.inc,
            ),
        )
    shadows = make_shadows(settings, champions, telemetry, served)
    watch = Watch(champions, store, telemetry, settings.cache, commits.follow, shadows)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(watch.look)
        audit = None if access is None else access.audit
        beside = [each for each in (commits, shadows, kept, audit) if each is not None]
        for each in beside:
            each.start()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(watch.run, settings.watch_seconds)
                if access is not None:
                    tasks.start_soon(access.ring.run, settings.keys_seconds)
                yield
                tasks.cancel_scope.cancel()
        finally:
            for each in beside:
                await anyio.to_thread.run_sync(each.stop)
            if access is not None:
                await access.rates.close()
            for calls in (store_calls, database_calls):
                await anyio.to_thread.run_sync(calls.close)

    app = Fronted(
        title="Nextbest",
        summary="Scores, customers and next-best-prospect lists.",
        description=DESCRIPTION,
        version=API_VERSION,
        lifespan=lifespan,
        redoc_url=None,
    )
    app.state.parts = Parts(
        settings, champions, store, scores, clock, telemetry, watch, commits,
        store_calls, database_calls, kept, score_ids, shadows,
    )  # fmt: skip
    handlers.install(app)
    openapi.install(app)
    v1 = (root, health, models, customers, campaigns, events, prospects, changes)
    for routes in (*v1, inference, invocations):
        app.include_router(routes.router)
    app.include_router(tables.router)  # before the same path's route for JSON
    app.include_router(make_router(champions.specs))
    app.add_middleware(Boundary)  # a failure in a route is told before FastAPI sees it
    # From the innermost to the outermost: what the gate refuses is counted too, and what the
    # guard refuses reaches neither way to a score.
    front: ASGIApp = app.framework
    if hot:
        front = HotRoute(front, parts_of=lambda: app.state.parts)
    if access is not None:
        front = Guard(front, access, AccessMetrics(access, telemetry.families))
    front = Gate(front, settings.allowed_hosts, settings.max_body_bytes, settings.max_table_bytes)
    front = Admission(front, settings.max_at_once, settings.max_seconds, telemetry.refused)
    app.front = Recorder(Boundary(front), telemetry)
    return app
