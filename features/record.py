"""One customer's record: events as the kernel reads them, attributes, and the ids that break ties.

A record is one value of a store: a header of eight int64, the matrix of events (one row a column,
C order), where each event's id ends, the attributes as msgpack, and the ids one after another.
Reading it copies nothing.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.errors import StoreError

FORMAT = 1
EVER = int(np.iinfo(np.int64).min)
"""The cut of a record that holds all of its customer's events."""
KEPT_STATES = 8
"""How many of a customer's latest states a record keeps."""

State = tuple[int, dict[str, Any]]
"""When a customer's attributes became known, and all of them from then on."""

_HEADER = struct.Struct("<8q")
_pack = msgspec.msgpack.Encoder(order="sorted").encode
_unpack = msgspec.msgpack.Decoder(list[tuple[int, dict[str, Any]]]).decode
_NO_STATES = _pack([])
_NO_ENDS = np.empty(0, np.uint32)
Buffer = bytes | memoryview


class Record(NamedTuple):
    """What a store keeps of one customer.

    Attributes
    ----------
    values : ndarray of int64, shape (n_columns, n_events)
        Events that occurred at `cut` or later, sorted by (occurred_at, event_id).
    ends : ndarray of uint32, shape (n_events,)
        Where each event's id ends in `ids`.
    ids : bytes-like
        UTF-8, one after another.
    states : bytes-like
        See `states_of`.
    cut : int
        Earlier events are kept as tiles; `EVER` where there are none.
    """

    values: NDArray[np.int64]
    ends: NDArray[np.uint32]
    ids: Buffer
    states: Buffer
    cut: int

    def event_id(self, number: int) -> bytes:
        """Return the id of an event, as UTF-8."""
        start = int(self.ends[number - 1]) if number else 0
        return bytes(self.ids[start : int(self.ends[number])])

    def after(self, number: int, cut: int) -> Record:
        """Return the record without its first events, which occurred before `cut`."""
        start = self.ends[number - 1] if number else np.uint32(0)
        return self._replace(
            values=np.ascontiguousarray(self.values[:, number:]),
            ends=self.ends[number:] - start,
            ids=self.ids[int(start) :],
            cut=cut,
        )


def empty(n_columns: int) -> Record:
    """Return the record of somebody of whom nothing is known yet."""
    return Record(np.empty((n_columns, 0), np.int64), _NO_ENDS, b"", _NO_STATES, EVER)


def encode(record: Record) -> bytes:
    """Return a record as one value.

    Examples
    --------
    >>> one = insert(empty(2), np.array([[5], [6]]), [b"e1"])
    >>> decode(encode(one)).values.tolist(), decode(encode(one)).event_id(0)
    ([[5], [6]], b'e1')
    """
    n_columns, n_events = record.values.shape
    header = _HEADER.pack(
        FORMAT, n_columns, n_events, record.cut, 0, len(record.states), len(record.ids), 0
    )
    values: Any = np.ascontiguousarray(record.values)
    ends: Any = record.ends
    return b"".join((header, values, ends, record.states, record.ids))


def decode(value: Buffer) -> Record:
    """Return a record whose parts are views of a value.

    Raises
    ------
    StoreError
        Another version of Nextbest wrote it.
    """
    version, n_columns, n_events, cut, _, states, ids, _ = _HEADER.unpack_from(value)
    if version != FORMAT:
        raise StoreError(
            f"A record of the online store has format {version}, not {FORMAT}.",
            remedy="Fill the store again: python -m features materialise",
        )
    view = memoryview(value)
    values = np.frombuffer(view, np.int64, n_columns * n_events, _HEADER.size)
    at = _HEADER.size + values.nbytes
    ends = np.frombuffer(view, np.uint32, n_events, at) if n_events else _NO_ENDS
    at += ends.nbytes
    return Record(
        values.reshape(n_columns, n_events),
        ends,
        view[at + states : at + states + ids],
        view[at : at + states],
        cut,
    )


def insert(record: Record, values: NDArray[np.int64], ids: Sequence[bytes]) -> Record:
    """Return a record with more events in their places.

    An event of the same moment and id as one that is there already is left out.

    Parameters
    ----------
    record : Record
    values : ndarray of int64, shape (n_columns, n)
        In any order.
    ids : sequence of bytes
        Of each event.
    """
    if not ids:
        return record
    times = record.values[0]
    moments = values[0].tolist()
    places: list[int] = []
    chosen: list[int] = []
    before: tuple[int, bytes] | None = None
    for moment, event_id, number in sorted(zip(moments, ids, range(len(ids)), strict=True)):
        high = int(times.searchsorted(moment, "right"))
        place = high
        if high and times[high - 1] == moment:
            low = int(times.searchsorted(moment, "left"))
            place = bisect_left(range(high), event_id, low, high, key=record.event_id)
        there = place < high and record.event_id(place) == event_id
        if not there and before != (moment, event_id):
            places.append(place)
            chosen.append(number)
        before = (moment, event_id)
    if not chosen:
        return record
    if len(chosen) == 1:
        return _insert_one(record, places[0], values[:, chosen[0]], ids[chosen[0]])
    return _insert_many(record, places, values[:, chosen], [ids[number] for number in chosen])


def _insert_one(record: Record, place: int, column: NDArray[np.int64], event_id: bytes) -> Record:
    n_columns, n_events = record.values.shape
    values = np.empty((n_columns, n_events + 1), np.int64)
    values[:, :place] = record.values[:, :place]
    values[:, place] = column
    values[:, place + 1 :] = record.values[:, place:]
    start = int(record.ends[place - 1]) if place else 0
    ends = np.empty(n_events + 1, np.uint32)
    ends[:place] = record.ends[:place]
    ends[place] = start + len(event_id)
    ends[place + 1 :] = record.ends[place:] + len(event_id)
    ids = b"".join((record.ids[:start], event_id, record.ids[start:]))
    return record._replace(values=values, ends=ends, ids=ids)


def _insert_many(
    record: Record, places: Sequence[int], new: NDArray[np.int64], new_ids: Sequence[bytes]
) -> Record:
    n_columns, n_events = record.values.shape
    total = n_events + len(places)
    at = np.array(places) + np.arange(len(places))
    old = np.ones(total, bool)
    old[at] = False
    values = np.empty((n_columns, total), np.int64)
    values[:, old] = record.values
    values[:, at] = new
    lengths = np.empty(total, np.uint32)
    lengths[old] = np.diff(record.ends, prepend=np.uint32(0))
    lengths[at] = [len(event_id) for event_id in new_ids]
    pieces: list[Buffer] = []
    start = 0
    for place, event_id in zip(places, new_ids, strict=True):
        stop = int(record.ends[place - 1]) if place else 0
        pieces += (record.ids[start:stop], event_id)
        start = stop
    pieces.append(record.ids[start:])
    ends = lengths.cumsum(dtype=np.uint32)
    return record._replace(values=values, ends=ends, ids=b"".join(pieces))


def states_of(record: Record) -> list[State]:
    """Return the kept states of a customer's attributes, sorted by when they became known."""
    return _unpack(record.states)


def pack_states(states: Iterable[State]) -> bytes:
    """Return states as they stand in a record: the later of two at one moment, the last few.

    Missing attributes are left out and whole numbers are floats, so that the same knowledge has
    the same bytes wherever it came from.

    Examples
    --------
    >>> packed = pack_states([(7, {"age": "65+", "kids": None}), (5, {"visits": 3})])
    >>> states_of(empty(2)._replace(states=packed))
    [(5, {'visits': 3.0}), (7, {'age': '65+'})]
    """
    latest = {known_at: _plain(attributes) for known_at, attributes in states}
    kept = sorted(latest.items())[-KEPT_STATES:]
    return _pack(kept) if any(attributes for _, attributes in kept) else _NO_STATES


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: float(value) if isinstance(value, (int, float)) else value
        for name, value in attributes.items()
        if value is not None and not (isinstance(value, float) and math.isnan(value))
    }
