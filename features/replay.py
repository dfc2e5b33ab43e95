"""The past as a score saw it: the log and the ledger up to a number, read by `features.frame`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.blocks import Block
from features.dictionary import Dictionary
from features.errors import UnknownCustomerError
from features.kernel import NULL
from features.ledger import Ledger
from features.log import EventLog
from features.served import Served

Told = Mapping[str, Any]


class Past(NamedTuple):
    """What counted of one customer: events in order, and (known_at, attributes) states."""

    events: list[Told]
    states: list[tuple[int, Told]]


def past_of(log: EventLog, ledger: Ledger | None, row: Served) -> Past:
    """Return what could count in a score: the log's own, and the ledger's lines up to its number.

    The score is one of a stored customer. What came through the ledger is taken from there,
    although it may have been exported to the log: only the ledger knows the numbers.
    """
    assert row.customer_id is not None
    assert row.sequence is not None
    lines = [] if ledger is None else ledger.of_customer(row.customer_id)
    received = {line.content["event_id"] for line in lines if line.kind == "event"}
    said = {line.at for line in lines if line.kind == "customer"}
    events = [event for event in _logged(log, row.customer_id) if event["event_id"] not in received]
    states = [(at, state) for at, state in _states(log, row.customer_id) if at not in said]
    for line in lines:
        if line.sequence > row.sequence:
            break
        if line.kind == "event":
            events.append(line.content)
        else:
            states.append((line.at, line.content["attributes"]))
    events.sort(key=lambda event: (event["occurred_at"], event["event_id"].encode()))
    return Past(events, states)


def _logged(log: EventLog, customer_id: str) -> list[Told]:
    try:
        found: list[Told] = log.history(customer_id).to_pylist()
    except UnknownCustomerError:
        return []
    return found


def _states(log: EventLog, customer_id: str) -> list[tuple[int, Told]]:
    table = log.customers
    own = table.filter(pa.compute.equal(table["customer_id"], customer_id)).to_pylist()
    return [
        (row["known_at"], {k: v for k, v in row.items() if k not in ("customer_id", "known_at")})
        for row in own
    ]


class _Ref(NamedTuple):
    number: int
    rows: int


class Replay:
    """A log of some scores, each a customer of its own, in one block.

    Parameters
    ----------
    log : EventLog
        Where columns, source and dictionaries come from.
    pasts : sequence of Past
        Of score 0, 1, ...
    campaigns : mapping
        As they then were.
    """

    def __init__(
        self, log: EventLog, pasts: Sequence[Past], campaigns: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.home: Path = log.home
        self.source = log.source
        self.columns = log.columns
        self.campaigns = campaigns
        self.dictionaries = {n: Dictionary(held.levels) for n, held in log.dictionaries.items()}
        self._names = [f"{number:09d}" for number in range(len(pasts))]
        events = [event for past in pasts for event in past.events]
        self._values = np.array([self._column(name, events) for name in self.columns], np.int64)
        self._offsets = np.cumsum([0, *(len(past.events) for past in pasts)], dtype=np.int64)
        self.blocks = (_Ref(0, len(events)),)
        self.customers = self.stated = self._table(pasts)

    def read_block(self, ref: Any, columns: Sequence[str]) -> Block:
        """Return all events."""
        values = np.ascontiguousarray(self._values[[self.columns.index(n) for n in columns]])
        return Block(pa.array(self._names, pa.string()), self._offsets, values)

    def buckets_of(self, ids: Any) -> NDArray[np.int64]:
        """Return the one bucket there is, for each."""
        return np.zeros(len(ids), np.int64)

    def locate(
        self, ids: Any, bucket: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return block and place of scores by their names."""
        places = np.array([int(name) for name in ids.to_pylist()], np.int64)
        return np.zeros(len(places), np.int64), places

    def _column(self, name: str, events: Sequence[Told]) -> Any:
        given = [event.get(name) for event in events]
        if name in self.dictionaries:
            return self.dictionaries[name].codes(given)
        return [NULL if value is None else value for value in given]

    def _table(self, pasts: Sequence[Past]) -> pa.Table:
        told = [
            (self._names[number], at, state)
            for number, past in enumerate(pasts)
            for at, state in sorted(past.states, key=lambda state: state[0])
        ]
        columns: dict[str, Any] = {
            "customer_id": pa.array([who for who, _, _ in told], pa.string()),
            "known_at": pa.array([at for _, at, _ in told], pa.int64()),
        }
        for name in dict.fromkeys(name for _, _, state in told for name in state):
            values = [state.get(name) for _, _, state in told]
            text = any(isinstance(value, str) for value in values)
            columns[name] = pa.array(values, pa.string() if text else pa.float64())
        return pa.table(columns)
