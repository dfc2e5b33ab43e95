"""Changes of the ledger applied to a store's records, each once and in the ledger's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np

from features import record
from features.derived import Derived
from features.dictionary import Dictionary
from features.kernel import NO_CODE, NULL
from features.record import Buffer, State
from features.store_meta import CAMPAIGNS, Progress, customer_key, name_key, pack_word, word_keys

if TYPE_CHECKING:
    from features.ledger import Change


class Draft(Protocol):
    """A transaction of a store; reads see its own writes, and all of it counts or nothing."""

    def fetch(self, keys: Sequence[bytes]) -> None:
        """Be told which values will be asked for."""
        ...

    def get(self, key: bytes) -> Buffer | None:
        """Return a value."""
        ...

    def put(self, key: bytes, value: bytes) -> None:
        """Write a value."""
        ...


class Words:
    """Dictionaries that may grow in a transaction, and are left alone if it fails."""

    def __init__(self, dictionaries: Mapping[str, Dictionary]) -> None:
        self.new: list[tuple[str, str]] = []
        self._dictionaries = dictionaries
        self._codes: dict[tuple[str, str], int] = {}
        self._sizes = {name: len(held) for name, held in dictionaries.items()}

    def code(self, column: str, text: str | None) -> int:
        """Return a text's code; one never seen before gets the next."""
        if text is None:
            return NO_CODE
        code = self._dictionaries[column].code(text)
        if code >= 0:
            return code
        if (column, text) not in self._codes:
            self._codes[column, text] = self._sizes[column]
            self._sizes[column] += 1
            self.new.append((column, text))
        return self._codes[column, text]


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


class Applier:
    """Applies changes to the records of a store with given columns.

    Parameters
    ----------
    columns : sequence of str
        The rows of the matrix, ``occurred_at`` and ``recorded_at`` first.
    dictionaries : mapping of str to Dictionary
        For each column of codes.
    timezone : str
        The source's own, for customers whose time zone is not known.
    """

    def __init__(
        self,
        columns: Sequence[str],
        dictionaries: Mapping[str, Dictionary],
        timezone: str,
    ) -> None:
        self._columns = tuple((name, name in dictionaries) for name in columns)
        self._dictionaries = dictionaries
        self._derived = Derived(columns, timezone)

    def apply(self, draft: Draft, progress: Progress, changes: Sequence[Change]) -> Progress:
        """Write what changes make of the records, and return how far the store then is.

        Parameters
        ----------
        draft : Draft
        progress : Progress
            Of the draft's store; every change comes after its `applied`.
        changes : sequence of Change
            In order.
        """
        words = Words(self._dictionaries)
        arrivals, campaigns = self._sorted(changes, words)
        draft.fetch([customer_key(customer) for customer in arrivals])
        # All is read before anything is written: a value lies in the store only until then.
        held = {customer: draft.get(customer_key(customer)) for customer in arrivals}
        grown = self._grown(held, arrivals)
        for customer, value in grown.items():
            draft.put(customer_key(customer), value)
            full = name_key(customer) if held[customer] is None else None
            if full is not None:
                draft.put(full, customer.encode())
        if campaigns:
            _write_campaigns(draft, campaigns)
        keys = word_keys(progress.words, progress.words + len(words.new))
        for key, (column, text) in zip(keys, words.new, strict=True):
            draft.put(key, pack_word(column, text))
        return progress._replace(
            applied=changes[-1].sequence,
            words=progress.words + len(words.new),
            campaigns=progress.campaigns + bool(campaigns),
            last_instant=max(progress.last_instant, *map(_latest, changes)),
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

    def _grown(
        self, held: Mapping[str, Buffer | None], arrivals: Mapping[str, Arrivals]
    ) -> dict[str, bytes]:
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
        grown: dict[str, bytes] = {}
        start = 0
        for (customer, arrived), old, states in zip(arrivals.items(), records, known, strict=True):
            new, stop = old, start + len(arrived.ids)
            if arrived.ids:
                new = record.insert(new, values[:, start:stop], arrived.ids)
            if arrived.states:
                new = new._replace(states=record.pack_states(states))
            grown[customer] = record.encode(new)
            start = stop
        return grown


def _latest(change: Change) -> int:
    content = change.content
    return max(change.at, int(content.get("recorded_at", NULL)))


def _write_campaigns(draft: Draft, changed: Mapping[str, Mapping[str, Any]]) -> None:
    campaigns = read_campaigns(draft.get(CAMPAIGNS))
    for name, content in changed.items():
        campaigns[name] = {key: value for key, value in content.items() if key != "campaign_id"}
    draft.put(CAMPAIGNS, pack_campaigns(campaigns))


def pack_campaigns(campaigns: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return campaigns as they are stored; what is not known of one is left out."""
    plain = {
        name: {key: value for key, value in content.items() if value is not None}
        for name, content in campaigns.items()
    }
    return msgspec.json.encode(plain, order="sorted")


def read_campaigns(value: Buffer | None) -> dict[str, dict[str, Any]]:
    """Return what `pack_campaigns` was given."""
    return {} if value is None else msgspec.json.decode(value, type=dict[str, dict[str, Any]])
