"""One commit on its way: what each entry adds, seen against all that was there before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from features.columns import CAMPAIGN_COLUMNS
from features.ledger_entry import (
    CAMPAIGN,
    CUSTOMER,
    EVENT,
    Entry,
    Event,
    Known,
    Patch,
    Receipt,
    Refusal,
)
from features.ledger_table import Line, Stored, Tables

OWN_ID = "Give a correction an event_id of its own."
WORDS = {"text": "text", "number": "a number, true or false"}


class Writing:
    """The lines of one transaction.

    Parameters
    ----------
    tables : Tables
    connection : sqlalchemy.Connection
        In a transaction that holds the ledger.
    known : Known
    last, at : int
        The number of the last line so far, and the moment of this commit.
    """

    def __init__(
        self, tables: Tables, connection: sa.Connection, known: Known, last: int, at: int
    ) -> None:
        self._tables, self._connection, self._known = tables, connection, known
        self._last, self._at = last, at
        self._lines: list[Line] = []
        self._events: dict[str, Stored] = {}
        self._states: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._types: dict[str, str] = {}
        self._new_types: dict[str, str] = {}

    def receipts(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Return what becomes of each entry; the earlier one wins where two contradict."""
        ids = list({event.event_id for entry in entries for event in entry.events})
        self._events = self._tables.events(self._connection, ids)
        self._read_states(CUSTOMER, [p.subject for entry in entries for p in entry.customers])
        self._read_states(CAMPAIGN, [p.subject for entry in entries for p in entry.campaigns])
        names = list({n for entry in entries for p in entry.customers for n in p.values})
        self._types = self._tables.types(self._connection, names)
        return [self._receipt(entry) for entry in entries]

    def finish(self) -> None:
        """Write the lines."""
        if self._lines:
            self._tables.insert(self._connection, self._lines)
        self._tables.keep_types(self._connection, self._new_types)

    def _receipt(self, entry: Entry) -> Receipt:
        before = self._last
        refused: list[Refusal] = []
        asked = len(entry.events) + len(entry.customers) + len(entry.campaigns)
        for place, event in enumerate(entry.events):
            refused += self._event(place, event)
        for place, patch in enumerate(entry.customers):
            refused += self._customer(place, patch)
        for place, patch in enumerate(entry.campaigns):
            refused += self._campaign(place, patch)
        added = self._last - before
        repeated = asked - added - len(refused)
        return Receipt(before + 1, self._last, added, repeated, self._at, tuple(refused))

    def _event(self, place: int, event: Event) -> Sequence[Refusal]:
        said = Stored(event.customer_id, _json(event.values))
        first = self._events.get(event.event_id)
        if first is None:
            self._events[event.event_id] = said
            self._add(EVENT, event.customer_id, event.event_id, said.content)
        elif first != said:
            field = _difference(first, said)
            detail = "differs from what this event_id said first"
            return [Refusal(place, field, detail, OWN_ID)]
        return ()

    def _customer(self, place: int, patch: Patch) -> Sequence[Refusal]:
        new: dict[str, str] = {}
        for name, value in _plain(patch.values).items():
            kind = "text" if isinstance(value, str) else "number"
            wanted = self._known.attribute_type(name) or self._types.get(name)
            if wanted is None:
                new[name] = kind
            elif wanted != kind:
                remedy = "Send it as before, or use another name."
                return [
                    Refusal(
                        place, f"attributes.{name}", f"must be {WORDS[wanted]}, as before", remedy
                    )
                ]
        self._types |= new
        self._new_types |= new
        self._lay_over(CUSTOMER, patch, sorted)
        return ()

    def _campaign(self, place: int, patch: Patch) -> Sequence[Refusal]:
        state = _merged(self._states[CAMPAIGN, patch.subject], patch.values)
        for name in ("starts_at", "ends_at"):
            if name not in state:
                return [Refusal(place, name, "is required", "A new campaign needs it.")]
        if state["ends_at"] <= state["starts_at"]:
            remedy = "Give the first moment that is no longer in the campaign."
            return [Refusal(place, "ends_at", "must be after starts_at", remedy)]
        self._lay_over(CAMPAIGN, patch, _as_declared)
        return ()

    def _lay_over(self, kind: str, patch: Patch, order: Any) -> None:
        old = self._states[kind, patch.subject]
        state = _merged(old, patch.values)
        if old is None or state != old:
            self._states[kind, patch.subject] = state
            content = _json({name: state[name] for name in order(state)})
            self._add(kind, patch.subject, None, content)

    def _add(self, kind: str, subject: str, event_id: str | None, content: str) -> None:
        self._last += 1
        self._lines.append(Line(self._last, kind, self._at, subject, event_id, content))

    def _read_states(self, kind: str, subjects: Sequence[str]) -> None:
        ours = self._tables.latest(self._connection, kind, list(dict.fromkeys(subjects)))
        for subject in subjects:
            at, content = ours.get(subject, (None, "{}"))
            state = None if at is None else msgspec.json.decode(content, type=dict[str, Any])
            if kind == CUSTOMER:
                elsewhere = self._known.customer(subject)
                if elsewhere is not None and (at is None or elsewhere[0] > at):
                    state = _plain(elsewhere[1])
            elif state is None:
                described = self._known.campaign(subject)
                state = None if described is None else _plain(described)
            self._states[kind, subject] = state


def _merged(old: Mapping[str, Any] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    return _plain({**(old or {}), **given})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _as_declared(state: Mapping[str, Any]) -> list[str]:
    return [name for name in CAMPAIGN_COLUMNS if name in state]


def _difference(first: Stored, said: Stored) -> str:
    """The first column in which two events of one id differ."""
    if first.customer_id != said.customer_id:
        return "customer_id"
    one = msgspec.json.decode(first.content, type=dict[str, Any])
    other = msgspec.json.decode(said.content, type=dict[str, Any])
    return next(name for name in {**one, **other} if one.get(name) != other.get(name))


def _json(values: Mapping[str, Any]) -> str:
    return msgspec.json.encode(values).decode()
