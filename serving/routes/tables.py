"""POST /v1/scores/{model}/batch with an Arrow stream or Parquet: a table in, a table out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match
from starlette.types import Scope

from serving.errors import BusyError, WrongOutputError
from serving.parts import AppParts
from serving.tables.arriving import Arriving
from serving.tables.media import ARROW, bare, is_table


class TableRoute(APIRoute):
    """A route for bodies that are tables; the same path with JSON is another route's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route is the one for a request."""
        if scope["type"] == "http":
            content_type = Headers(scope=scope).get("content-type", "")
            if not is_table(scope["path"], content_type):
                return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(prefix="/v1/scores", route_class=TableRoute)


# OpenAPI has one operation a path and method: serving.routes.scores describes both.
@router.post("/{model}/batch", include_in_schema=False)
async def table(
    model: str,
    request: Request,
    parts: AppParts,
    id: Annotated[str, Query(max_length=200)] = "customer_id",
) -> Response:
    """Answer each row of a table, in its order, all by one version."""
    champion = parts.champions.get(model)
    if champion.spec.output != "probability":
        raise WrongOutputError(
            f"{model!r} gives segments, which no table of probabilities holds.",
            remedy="Send its rows as JSON.",
        )
    if not parts.table_turns.acquire(blocking=False):
        raise BusyError("Other tables are being scored.", remedy="Send it again in a while.")
    try:
        from serving.tables.answers import score_table

        body = Arriving(request.receive, parts.settings.max_table_bytes, parts.settings.max_seconds)
        media_type = bare(request.headers["content-type"])
        pieces, rows = await anyio.to_thread.run_sync(
            score_table, body, media_type, champion, id, parts.settings.threads
        )
    finally:
        parts.table_turns.release()
    parts.telemetry.table_rows.inc(rows, (model, champion.version))

    async def sent() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return StreamingResponse(sent(), media_type=ARROW)
