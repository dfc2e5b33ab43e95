"""PUT /v1/campaigns/{id}: what is known of a campaign."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request
from starlette.responses import Response

from features.arrival import campaign_of
from features.ledger_entry import Entry
from serving import openapi
from serving.parts import AppParts
from serving.received.lines import take_change
from serving.responses import ChangeAnswer
from serving.schema import named

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

Moment = {"type": ["string", "integer"], "description": "ISO 8601 with its offset, or microseconds"}
Text = {"type": ["string", "null"]}
Campaign = Annotated[
    dict[str, Any],
    named(
        starts_at=Moment,
        ends_at=Moment | {"description": "The first moment after it."},
        type=Text,
        channel=Text,
        cost={
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "Of one contact, in minor units, such as cents.",
        },
        offer=Text,
    ),
]
EXAMPLE = {
    "starts_at": "2018-01-08T00:00:00-05:00",
    "ends_at": "2018-02-05T00:00:00-05:00",
    "type": "Type A",
    "channel": "email",
    "cost": 50,
}


@router.put(
    "/{campaign_id}",
    summary="Tell what a campaign is",
    responses={**openapi.answers(ChangeAnswer), **openapi.problems(400, 413, 415, 422, 503)},
)
async def put_campaign(
    campaign_id: Annotated[str, Path(min_length=1, max_length=200)],
    request: Request,
    campaign: Annotated[Campaign, Body(examples=[EXAMPLE])],
    parts: AppParts,
) -> Response:
    """Describe a campaign; what is left out stays as it is, null takes a value away.

    A campaign that nobody has described yet needs `starts_at` and `ends_at`.
    """
    entry = Entry(campaigns=[campaign_of(campaign_id, campaign)])
    return await take_change(parts, request, entry)
