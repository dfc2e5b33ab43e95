"""GET /v1/scores: what a CRM must update since it last asked."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from serving import openapi
from serving.access.audit import note
from serving.lists.changed import ChangesAnswer, page_of, span_of
from serving.parts import AppParts, Parts, answer
from serving.schema import ChangesQuery

router = APIRouter(prefix="/v1/scores", tags=["scores"])


@router.get(
    "",
    summary="Scores that changed",
    responses={**openapi.answers(ChangesAnswer), **openapi.problems(404, 409, 422, 503)},
)
async def changes(
    request: Request, query: Annotated[ChangesQuery, Query()], parts: AppParts
) -> Response:
    """Stored scores that changed since a moment, each once and as it is now.

    Changed is what has another version, probability, percentile, grade, segment, abstention,
    reasons or direction of its trend; or what is `removed`. Pages follow `next_cursor`, and the
    next question starts at `next_changed_since`. A batch that is written meanwhile belongs to it.
    """
    page = await parts.database_calls.run(partial(make_page, parts, query))
    note(request, json_rows=len(page.scores))
    return answer(page)


def make_page(parts: Parts, query: ChangesQuery) -> ChangesAnswer:
    """Return the page that a request asks for. Reads the database, so it blocks."""
    parts.champions.spec(query.model)
    champion = parts.champions.current().get(query.model)
    explainer = None if champion is None else champion.scorer.explainer
    span = span_of(query, parts.scores)
    return page_of(span, parts.scores, query.limit, query.language, explainer)
