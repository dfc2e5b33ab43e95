"""Changes of the ledger applied to a store's records, each once and in the ledger's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from features import record
from features.derived import Derived
from features.dictionary import Dictionary
from features.draft import Draft, Words
from features.kernel import NULL
from features.record import EVER, Buffer, Record, State
from features.store_meta import (
    CAMPAIGNS,
    Meta,
    Progress,
    customer_key,
    name_key,
    pack_campaigns,
    pack_word,
    read_campaigns,
    word_keys,
)
from features.tiling import Background, Nothing, Tiling

if TYPE_CHECKING:
    from features.ledger import Change


class Changes(Protocol):
    """The ledger, as a store reads it."""

    def since(self, sequence: int, limit: int = ...) -> Sequence[Change]:
        """Return the lines after a number, in order, at most `limit` of them."""
        ...

    def of_customer(self, customer_id: str, up_to: int | None = None) -> Sequence[Change]:
        """Return a customer's events and changes, in order, up to a number."""
        ...


@dataclass
class Arrivals:
    """What came of one customer, in the ledger's order.

    Attributes
    ----------
    events : list of list of int
        Columns of the matrix.
    ids : list of bytes
    states : list of (known_at, attributes)
    """

    events: list[list[int]] = field(default_factory=list)
    ids: list[bytes] = field(default_factory=list)
    states: list[State] = field(default_factory=list)


class _Grown(NamedTuple):
    """What becomes of a customer: a new record, and what is written of the tiles."""

    record: Record
    tiles: dict[bytes, bytes]
    anew: bool


class Applier:
    """Applies changes to the records of a store.

    Parameters
    ----------
    meta : Meta
        Of the store.
    dictionaries : mapping of str to Dictionary
        For each column of codes, as they are now.
    background : Background
    """

    def __init__(
        self, meta: Meta, dictionaries: Mapping[str, Dictionary], background: Background
    ) -> None:
        self._names = meta.columns
        self._columns = tuple((name, name in dictionaries) for name in meta.columns)
        self._dictionaries = dictionaries
        self._derived = Derived(meta.columns, meta.source.timezone)
        self._home = background.home
        self.tiling = Tiling(meta, dictionaries, background)

    def apply(
        self, draft: Draft, progress: Progress, changes: Sequence[Change], ledger: Changes
    ) -> Progress:
        """Write what changes make of the records, and return how far the store then is.

        Parameters
        ----------
        draft : Draft
        progress : Progress
            Of the draft's store; every change comes after its `applied`.
        changes : sequence of Change
            In order.
        ledger : Changes
            Where they are from, for a customer who must be made anew.
        """
        words = Words(self._dictionaries)
        arrivals, campaigns = self._sorted(changes, words)
        draft.fetch([customer_key(customer) for customer in arrivals])
        # All is read before anything is written: a value lies in the store only until then.
        held = {customer: draft.get(customer_key(customer)) for customer in arrivals}
        now = max(progress.last_instant, *map(_latest, changes))
        written: dict[str, _Grown] = {}
        for customer, grown in self._inserted(held, arrivals):
            if grown is None:
                made = self._remade(customer, words, ledger, changes[-1].sequence)
                parts = self.tiling.split(made, Nothing(), now)
            else:
                parts = self.tiling.split(grown, draft.tiles(customer), now)
            written[customer] = _Grown(*parts, anew=grown is None)
        values = {customer: record.encode(one.record) for customer, one in written.items()}
        for customer, one in written.items():
            draft.put(customer_key(customer), values[customer])
            full = name_key(customer) if held[customer] is None else None
            if full is not None:
                draft.put(full, customer.encode())
            if one.anew:
                draft.drop_tiles(customer)
            if one.tiles:
                draft.put_tiles(customer, one.tiles)
        if campaigns:
            _write_campaigns(draft, campaigns)
        keys = word_keys(progress.words, progress.words + len(words.new))
        for key, (column, text) in zip(keys, words.new, strict=True):
            draft.put(key, pack_word(column, text))
        return progress._replace(
            applied=changes[-1].sequence,
            words=progress.words + len(words.new),
            campaigns=progress.campaigns + bool(campaigns),
            last_instant=now,
            instant=max(progress.instant, *(change.at for change in changes)),
        )

    def _sorted(
        self, changes: Sequence[Change], words: Words
    ) -> tuple[dict[str, Arrivals], dict[str, dict[str, Any]]]:
        arrivals: dict[str, Arrivals] = {}
        campaigns: dict[str, dict[str, Any]] = {}
        for change in changes:
            content = change.content
            if change.kind == "campaign":
                campaigns[content["campaign_id"]] = content
                continue
            customer = content["customer_id"]
            arrived = arrivals.get(customer)
            if arrived is None:
                arrived = arrivals[customer] = Arrivals()
            if change.kind == "event":
                arrived.events.append(self.column(content, words))
                arrived.ids.append(content["event_id"].encode())
            else:
                arrived.states.append((change.at, content["attributes"]))
        return arrivals, campaigns

    def column(self, content: Mapping[str, Any], words: Words) -> list[int]:
        """Return an event as a column of the matrix; what is derived is still missing."""
        get = content.get
        return [
            words.code(name, get(name))
            if coded
            else NULL
            if (value := get(name)) is None
            else value
            for name, coded in self._columns
        ]

    def _inserted(
        self, held: Mapping[str, Buffer | None], arrivals: Mapping[str, Arrivals]
    ) -> Iterator[tuple[str, Record | None]]:
        """Yield each customer's record with what arrived; None if it came too late for that."""
        n_columns = len(self._columns)
        records = [
            record.empty(n_columns) if value is None else record.decode(value)
            for value in held.values()
        ]
        zones: list[str] = []
        known: list[list[State]] = []
        for old, arrived in zip(records, arrivals.values(), strict=True):
            known.append(record.states_of(old) + arrived.states)
            states = sorted(known[-1], key=lambda state: state[0])
            zones += [self._derived.zone(states, event[1]) for event in arrived.events]
        columns = [event for arrived in arrivals.values() for event in arrived.events]
        values = np.array(columns, np.int64).reshape(-1, n_columns).T.copy()
        self._derived.fill(values, zones)
        start = 0
        for (customer, arrived), old, states in zip(arrivals.items(), records, known, strict=True):
            new, stop = old, start + len(arrived.ids)
            if old.cut != EVER and any(event[0] < old.cut for event in arrived.events):
                yield customer, None
                start = stop
                continue
            if arrived.ids:
                new = record.insert(new, values[:, start:stop], arrived.ids)
            if arrived.states:
                new = self._ahead(new, arrived.states, states)
                new = new._replace(states=record.pack_states(states))
            yield customer, new
            start = stop

    def _ahead(self, held: Record, new: Sequence[State], states: Sequence[State]) -> Record:
        """Return a record in which events dated ahead of a new state are where it says.

        Such an event counts as recorded when it occurs; by then the state is known.
        """
        ahead = held.values[1] > min(at for at, _ in new)
        if not ahead.any():
            return held
        values = held.values.copy()
        part = np.ascontiguousarray(values[:, ahead])
        self._derived.fill_past(part, sorted(states, key=lambda state: state[0]))
        values[:, ahead] = part
        return held._replace(values=values)

    def _remade(self, customer: str, words: Words, ledger: Changes, up_to: int) -> Record:
        """Return a customer's record with every event, from the log and the ledger."""
        from features.rebuild import past  # reads the log, which serving otherwise never does

        found = past(self._home, customer, self._names, words)
        states, events, ids = list(found.states), [], []
        for change in ledger.of_customer(customer, up_to):
            if change.sequence <= found.exported:
                continue
            if change.kind == "event":
                events.append(self.column(change.content, words))
                ids.append(change.content["event_id"].encode())
            else:
                states.append((change.at, change.content["attributes"]))
        new = np.array(events, np.int64).reshape(-1, len(self._names)).T
        made = record.insert(found.record(), new, ids)
        self._derived.fill_past(made.values, sorted(states, key=lambda state: state[0]))
        return made._replace(states=record.pack_states(states))


def _latest(change: Change) -> int:
    content = change.content
    return max(change.at, int(content.get("recorded_at", NULL)))


def _write_campaigns(draft: Draft, changed: Mapping[str, Mapping[str, Any]]) -> None:
    campaigns = read_campaigns(draft.get(CAMPAIGNS))
    for name, content in changed.items():
        campaigns[name] = {key: value for key, value in content.items() if key != "campaign_id"}
    draft.put(CAMPAIGNS, pack_campaigns(campaigns))
