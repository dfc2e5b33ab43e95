"""POST /v1/events: what customers did, and what was done to them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving import openapi
from serving.parts import AppParts
from serving.received.lines import EVENT_SCHEMA, take_events
from serving.responses import EventsAnswer
from serving.schema import MOST_EVENTS

router = APIRouter(prefix="/v1/events", tags=["events"])

EXAMPLE = {
    "events": [
        {
            "event_id": "shop-2041",
            "customer_id": "1001",
            "kind": "order",
            "occurred_at": "2017-12-30T17:05:00+01:00",
            "amount": 2599,
            "quantity": 3,
            "channel": "store",
        }
    ]
}
BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["events"],
                "properties": {
                    "events": {
                        "type": "array",
                        "items": EVENT_SCHEMA,
                        "minItems": 1,
                        "maxItems": MOST_EVENTS,
                    }
                },
                "additionalProperties": False,
            },
            "example": EXAMPLE,
        }
    },
}


@router.post(
    "",
    summary="Tell what happened",
    responses={
        **openapi.answers(EventsAnswer),
        207: openapi.answers(EventsAnswer)[200] | {"description": "Some events are refused"},
        **openapi.problems(400, 413, 415, 422, 503),
    },
    openapi_extra={"requestBody": BODY},
)
async def events(request: Request, parts: AppParts) -> Response:
    """Write up to 1,000 events, in any order, late ones too; the very next score counts them.

    Each event is taken or refused by itself. 200: all are taken. 207: those under `refused` are
    not, by their place in the request, and all others are. 422: none is. Sending the same again is
    always safe: an `event_id` that is there already with the same content adds nothing, with other
    content it is refused.
    """
    return await take_events(parts, request)
