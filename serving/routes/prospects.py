"""GET /v1/prospects: whom to contact next and why, as JSON or as a sheet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from features.clock import to_iso
from features.money import minor_units
from models.reasons import Explainer
from models.sheet import Cell, to_csv
from serving import openapi
from serving.access.audit import note
from serving.lists.cursor import cursor_at, offset_of
from serving.lists.listing import Ask, rows_of
from serving.lists.questions import question_of
from serving.parts import AppParts, Parts, answer
from serving.responses import ProspectAnswer, ProspectsAnswer
from serving.schema import ProspectsQuery
from serving.scores.compared import trend_stored

if TYPE_CHECKING:
    from models.prospects import Prospect
    from models.scores import ScoreRow

router = APIRouter(prefix="/v1/prospects", tags=["prospects"])

ENTRIES = openapi.answers(ProspectsAnswer)
ENTRIES[200]["content"]["text/csv"] = {"schema": {"type": "string"}}


@router.get(
    "",
    summary="Next best prospects",
    responses={**ENTRIES, **openapi.problems(404, 409, 422, 503)},
)
async def prospects(
    request: Request,
    query: Annotated[ProspectsQuery, Query()],
    parts: AppParts,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Customers ranked by expected net value: probability x value (x save rate) - cost.

    Made from the last batch of scores (`python -m training score`). Pages follow `next_cursor`;
    a sheet has it in the `Link` header. Amounts are in minor units of the currency; a sheet has
    them in its unit.
    """
    ask = question_of(parts, query)
    page = await parts.database_calls.run(partial(make_page, parts, ask, query))
    listed = len(page.prospects)
    if query.format == "csv" or (query.format is None and "text/csv" in accept):
        note(request, csv_rows=listed)
        headers = {"content-disposition": f'attachment; filename="prospects-{ask.model}.csv"'}
        if page.next_cursor is not None:
            following = request.url.include_query_params(cursor=page.next_cursor)
            headers["link"] = f'<{following}>; rel="next"'
        return Response(sheet_of(page, ask), headers=headers, media_type="text/csv")
    note(request, json_rows=listed)
    return answer(page)


def make_page(parts: Parts, ask: Ask, query: ProspectsQuery) -> ProspectsAnswer:
    """Return a page of a list. Reads the database, so it blocks."""
    listing = parts.lists.ask(parts.scores, ask)
    batch = listing.batch
    start = offset_of(query.cursor, ask, batch)
    end = start + query.limit
    rows = rows_of(parts.scores, ask.model, listing.ranked[start:end])
    champion = parts.champions.current().get(ask.model)
    explainer = None if champion is None else champion.scorer.explainer
    source = parts.store.store.source
    valued = ask.value is not None
    return ProspectsAnswer(
        model=ask.model,
        version=batch.version,
        question=parts.champions.spec(ask.model).question,
        campaign=ask.campaign,
        as_of=to_iso(batch.as_of),
        scored_at=to_iso(batch.scored_at),
        currency=source.currency,
        value=ask.value,
        cost=(ask.cost or 0) if valued else None,
        save_rate=ask.save_rate,
        listed=len(listing.ranked),
        expected_net_value_of_all=listing.expected_net_value if valued else None,
        left_out=listing.left_out,
        assumptions=list(listing.assumptions),
        statements=list(source.statements),
        next_cursor=cursor_at(ask, batch, end) if end < len(listing.ranked) else None,
        prospects=[
            described(prospect, row, explainer, query.language, valued) for prospect, row in rows
        ],
    )


def described(
    prospect: Prospect,
    row: ScoreRow | None,
    explainer: Explainer | None,
    language: str,
    valued: bool,
) -> ProspectAnswer:
    """Return a place of a list as it is shown."""
    reasons = row.reasons if row else []
    if explainer is not None:
        reasons = [explainer.say_again(reason, language) for reason in reasons]
    return ProspectAnswer(
        rank=prospect.rank,
        customer_id=prospect.candidate.customer_id,
        context=dict(row.context) if row else {},
        probability=prospect.candidate.probability,
        percentile=row.percentile if row else None,
        grade=row.grade if row else None,
        segment=row.segment if row else None,
        expected_net_value=prospect.expected_net_value if valued else None,
        reasons=reasons,
        trend=trend_stored(row, language) if row else None,
    )


def sheet_of(page: ProspectsAnswer, ask: Ask) -> str:
    """Return a page as CSV; what must be known of the list stands in every row."""
    currency = page.currency
    header = [
        "rank", "customer_id", *context_names(page), "probability", "grade",
        f"expected_net_value_{currency}", "reasons", "model", "version", "as_of", "consent",
    ]  # fmt: skip
    if page.save_rate is not None:
        header.append("save_rate_assumed")
    header += ["trend", "change", "change_by_customer", "change_by_model"]
    lines: list[list[Cell]] = []
    for place in page.prospects:
        net = place.expected_net_value
        line: list[Cell] = [
            place.rank, place.customer_id,
            *(place.context.get(name) for name in context_names(page)),
            round(place.probability, 6), place.grade,
            None if net is None else net / minor_units(currency),
            "; ".join(str(reason["words"]) for reason in place.reasons),
            page.model, page.version, page.as_of, ask.consent,
        ]  # fmt: skip
        if page.save_rate is not None:
            line.append(page.save_rate)
        trend = place.trend
        line += (
            [None] * 4
            if trend is None
            else [trend.direction, trend.change, trend.by_customer, trend.by_model]
        )
        lines.append(line)
    return to_csv(header, lines)


def context_names(page: ProspectsAnswer) -> list[str]:
    """Return the names of the context values on a page, each once."""
    return list(dict.fromkeys(name for place in page.prospects for name in place.context))
