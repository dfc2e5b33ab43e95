"""From the bodies of requests that tell something to lines of the ledger, and back to answers.

Bodies of events are decoded without pydantic, which would cost more than writing them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio.lowlevel
import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from features.arrival import EventCheck, RefusedError, event_of
from features.clock import to_iso
from features.ledger_entry import Entry, Event, Receipt, Refusal
from serving.access.audit import note
from serving.errors import NothingTakenError, RequestError
from serving.parts import answer
from serving.responses import ChangeAnswer, EventsAnswer, RefusedEvent
from serving.schema import MOST_EVENTS

if TYPE_CHECKING:
    from starlette.requests import Request

    from serving.parts import Parts

SHAPE = f'Send {{"events": [...]}} with 1 to {MOST_EVENTS:,} events.'
EVENTS_A_TURN = 100
AHEAD = 86_400_000_000
"""Microseconds that an event may lie ahead of the clock: clocks differ, and a day hides no typo."""


class Taken(NamedTuple):
    """The events of a request that keep the contract, with their places, and the others."""

    events: list[Event]
    places: list[int]
    refused: list[RefusedEvent]


async def take_events(parts: Parts, request: Request) -> Response:
    """Write the events of a request and return the answer: 200, or 207 if some are refused.

    Raises
    ------
    NothingTakenError
        All of them are refused.
    RequestError
        The body is no batch of events.
    """
    until = max(parts.clock(), time.time_ns() // 1000) + AHEAD
    sent = sent_events(await request.body())
    note(request, events_sent=len(sent))
    taken = Taken([], [], [])
    for start in range(0, len(sent), EVENTS_A_TURN):
        await anyio.lowlevel.checkpoint()  # scores are answered in between
        check_into(taken, parts.store.event_check, sent, slice(start, start + EVENTS_A_TURN), until)
    if not taken.events:
        raise nothing_taken(taken.refused)
    receipt = await parts.commits.write(Entry(events=taken.events))
    note(request, events_added=receipt.added)
    refused = taken.refused + [_refused(taken.places[r.place], r) for r in receipt.refused]
    refused.sort(key=lambda each: each.index)
    if receipt.added + receipt.repeated == 0:
        raise nothing_taken(refused)
    told = EventsAnswer(
        added=receipt.added,
        repeated=receipt.repeated,
        refused=refused,
        sequence=receipt.last,
        recorded_at=to_iso(receipt.at),
    )
    return answer(told, status=207 if refused else 200)


def sent_events(body: bytes) -> list[Any]:
    """Return the list of events in a body.

    Raises
    ------
    RequestError
        The body is JSON but no batch of events.
    """
    try:
        sent = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400) from error
    if not isinstance(sent, dict) or sent.keys() != {"events"}:
        raise RequestError("The body is no batch of events.", remedy=SHAPE)
    events = sent["events"]
    if not isinstance(events, list) or not 1 <= len(events) <= MOST_EVENTS:
        what = f"must be a list of 1 to {MOST_EVENTS:,} events"
        raise RequestError(f"events {what}.", remedy=SHAPE, fields=[("events", what)])
    return events


def check_into(
    taken: Taken, check: EventCheck, sent: Sequence[Any], part: slice, until: int
) -> None:
    """Add a part of some events to those that keep the contract, or to those that do not."""
    for place in range(*part.indices(len(sent))):
        try:
            taken.events.append(event_of(check(sent[place], until)))
            taken.places.append(place)
        except RefusedError as error:
            why = Refusal(place, error.field, error.detail, error.remedy)
            taken.refused.append(_refused(place, why))


def nothing_taken(refused: Sequence[RefusedEvent]) -> NothingTakenError:
    """Return the error of a batch of which every event is refused."""
    first = refused[0]
    return NothingTakenError(
        f"events[{first.index}].{first.field} {first.detail}.",
        remedy=first.remedy,
        fields=[(f"events[{r.index}].{r.field}", r.detail, r.remedy) for r in refused],
    )


async def take_change(parts: Parts, request: Request, entry: Entry) -> Response:
    """Write one change of a customer or campaign and return the answer.

    Raises
    ------
    RefusedError
        It contradicts what is known.
    """
    note(request, sent=1)
    receipt: Receipt = await parts.commits.write(entry)
    for why in receipt.refused:
        raise RefusedError(why.field, why.detail, remedy=why.remedy)
    note(request, changed=receipt.added)
    told = ChangeAnswer(
        changed=receipt.added > 0, sequence=receipt.last, known_at=to_iso(receipt.at)
    )
    return answer(told)


def _refused(place: int, why: Refusal) -> RefusedEvent:
    return RefusedEvent(index=place, field=why.field, detail=why.detail, remedy=why.remedy)


EVENT_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["event_id", "customer_id", "kind", "occurred_at"],
    "properties": {
        "event_id": {"type": "string", "description": "Unique; sent again it adds nothing."},
        "customer_id": {"type": "string"},
        "kind": {"type": "string", "description": "order, visit, contact, return, ..."},
        "occurred_at": {
            "type": ["string", "integer"],
            "description": "ISO 8601 with its offset, or microseconds UTC.",
        },
        "amount": {"type": ["integer", "null"], "description": "Minor units, such as cents."},
        "quantity": {"type": ["integer", "null"], "minimum": 0},
    },
    "additionalProperties": {"type": ["string", "integer", "null"]},
    "description": "Also channel, item, category, campaign_id and the source's own properties; "
    "other columns are refused. Texts have at most 200 characters.",
}
"""For OpenAPI; `features.arrival.EventCheck` is what checks."""
