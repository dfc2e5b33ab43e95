"""The moment and the values of a row, from a store that may stand on another host.

The embedded store is read where the request is, in microseconds. Of one on another host nobody
knows how long it takes, so customers are read from it in a thread; rows that bring their values
along never wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import anyio.lowlevel

from features.clock import follows_events
from features.errors import NextbestError, StoreError
from serving.scores.inputs import known_of

if TYPE_CHECKING:
    from models.spec import ModelSpec
    from serving.parts import Parts
    from serving.received.live_store import Known
    from serving.scores.inputs import Asked


class Reading(NamedTuple):
    """When a row is judged (microseconds UTC), and what is known of it then."""

    as_of: int
    known: Known


def asks_far(parts: Parts, row: Asked) -> bool:
    """Return whether a row has to be read from another host."""
    return row.customer_id is not None and parts.store.is_distant


async def read(parts: Parts, spec: ModelSpec, row: Asked) -> Reading:
    """Return what is known of a row.

    Raises
    ------
    NextbestError
        As `serving.scores.inputs.known_of`.
    StoreError, BusyError
        The store does not answer, or too many wait for it.
    """
    if asks_far(parts, row):
        return await parts.store_calls.run(partial(_read_far, parts, spec, row))
    return read_here(parts, spec, row)


async def read_each(
    parts: Parts, spec: ModelSpec, rows: Sequence[Asked]
) -> list[Reading | NextbestError]:
    """Return what is known of each of some rows, or why it cannot be told."""
    far = [row for row in rows if asks_far(parts, row)]
    found: Iterable[Reading | NextbestError] = ()
    if far:
        try:
            found = await parts.store_calls.run(partial(_each_far, parts, spec, far))
        except NextbestError as error:
            found = repeat(error)
    else:
        await anyio.lowlevel.checkpoint()  # single requests are answered in between
    following = iter(found)
    return [next(following) if asks_far(parts, row) else _attempt(parts, spec, row) for row in rows]


def read_here(parts: Parts, spec: ModelSpec, row: Asked) -> Reading:
    """Return what is known of a row, from a store that is at hand; see `read`."""
    as_of = parts.clock()
    return Reading(as_of, known_of(spec, parts.store, as_of, row))


def look_far(parts: Parts) -> None:
    """Learn how far a store on another host is, where time follows it."""
    store = parts.store.store
    if store.distant and follows_events(parts.settings.clock, store.source):
        _ = store.sequence


def _read_far(parts: Parts, spec: ModelSpec, row: Asked) -> Reading:
    look_far(parts)
    return read_here(parts, spec, row)


def _each_far(
    parts: Parts, spec: ModelSpec, rows: Sequence[Asked]
) -> list[Reading | NextbestError]:
    look_far(parts)
    found = [_attempt(parts, spec, row) for row in rows]
    for each in found:
        if isinstance(each, StoreError):
            raise each
    return found


def _attempt(parts: Parts, spec: ModelSpec, row: Asked) -> Reading | NextbestError:
    try:
        return read_here(parts, spec, row)
    except NextbestError as error:
        return error
