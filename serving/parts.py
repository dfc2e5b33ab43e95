"""What an application is made of; every route reads its parts from here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import msgspec
from fastapi import Depends, Request
from starlette.responses import Response

from features.score_id import ScoreIds
from serving.champions.champions import Champions
from serving.champions.watch import Watch
from serving.front.telemetry import Telemetry
from serving.lists.listing import Lists
from serving.outside.calls import Calls
from serving.received.commits import Commits
from serving.received.live_store import LiveStore
from serving.settings import ServingSettings

if TYPE_CHECKING:
    from models.scores import ScoreStore
    from serving.served.log import ServedLog
    from serving.shadows.shadowing import Shadows

TABLES_AT_ONCE = 2
BATCHES_AT_ONCE = 4
ROWS_A_TURN = 8
"""Each batch has some rows scored in every turn of the event loop, for which all others wait."""


@dataclass(frozen=True)
class Parts:
    """The arguments of `serving.app.create_app`, and what was made from them."""

    settings: ServingSettings
    champions: Champions
    store: LiveStore
    scores: ScoreStore
    clock: Callable[[], int]
    telemetry: Telemetry
    watch: Watch
    commits: Commits
    store_calls: Calls
    database_calls: Calls
    served: ServedLog | None = None
    score_ids: ScoreIds = field(default_factory=ScoreIds)
    shadows: Shadows | None = None
    lists: Lists = field(default_factory=Lists)
    batch_turns: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(BATCHES_AT_ONCE))
    table_turns: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(TABLES_AT_ONCE)
    )


async def parts_of(request: Request) -> Parts:
    """Return the application's parts; `async`, so that no thread is asked for them."""
    parts: Parts = request.app.state.parts
    return parts


AppParts = Annotated[Parts, Depends(parts_of)]


def answer(body: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """Return plain values and structs as a JSON response."""
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
