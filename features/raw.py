"""Features of somebody who is not stored, from the attributes and events that a request carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.clock import EARLIEST
from features.derived import Derived
from features.dictionary import Dictionary
from features.feature import Feature
from features.jit import Compiled
from features.kernel import NULL
from features.money import minor_units
from features.one_row import Change, OneRow, Value
from features.plan import compile_plan
from features.record import EVER
from features.source import Source


class Told(NamedTuple):
    """What a request says of somebody, in the form of what a store gives of a customer."""

    values: NDArray[np.int64]
    attributes: Sequence[Change]
    cut: int = EVER
    tiles: None = None


class RawRows:
    """Computes rows of people who are not stored, through the kernel that computes all others.

    Parameters
    ----------
    features : sequence of Feature
    columns : sequence of str
        The store's, ``occurred_at`` and ``recorded_at`` first.
    dictionaries : mapping of str to Dictionary
        The store's; texts that it has never heard of get codes for the one request.
    source : Source
    engine : Compiled
    row : OneRow
        Computes rows whose texts are all known.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        columns: Sequence[str],
        dictionaries: Mapping[str, Dictionary],
        source: Source,
        engine: Compiled,
        row: OneRow,
    ) -> None:
        self._features, self._columns, self._dictionaries = features, columns, dictionaries
        self._currency = source.currency
        self._derived = Derived(columns, source.timezone)
        self._engine, self._row = engine, row

    def values(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        as_of: int,
        context: Mapping[str, NDArray[Any]],
    ) -> list[Value]:
        """Return the features in their order; None where a value is missing.

        Parameters
        ----------
        attributes : mapping
            As known ever since.
        events : sequence of mapping
            Checked, see `features.arrival.EventCheck`; with ``event_id`` and ``recorded_at``.
        as_of : int
            Microseconds UTC; what occurred or was recorded at or after it does not count.
        context : mapping of str to ndarray, each of shape (1,)
        """
        grown = self._grown(events)
        row = self._row
        if grown:
            plan = compile_plan(
                self._features, self._columns, {**self._dictionaries, **grown},
                minor_units(self._currency), self._columns,
            )  # fmt: skip
            row = OneRow(plan, self._engine)
        told = self._told(attributes, events, {**self._dictionaries, **grown})
        return row.values(told, as_of, context)

    def _grown(self, events: Sequence[Mapping[str, Any]]) -> dict[str, Dictionary]:
        """The dictionaries that lack one of the events' texts, with it."""
        grown = {}
        for name, known in self._dictionaries.items():
            texts = [event[name] for event in events if name in event]
            if name in self._columns and any(known.code(text) < 0 for text in texts):
                grown[name] = Dictionary(known.levels)
                grown[name].codes(texts)
        return grown

    def _told(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        dictionaries: Mapping[str, Dictionary],
    ) -> Told:
        ordered = sorted(events, key=lambda e: (e["occurred_at"], e["event_id"].encode()))
        values = np.full((len(self._columns), len(ordered)), NULL, np.int64)
        for row, name in enumerate(self._columns):
            given = [event.get(name) for event in ordered]
            if name in dictionaries:
                codes = dictionaries[name]
                values[row] = [-1 if text is None else codes.code(text) for text in given]
            else:
                values[row] = [NULL if value is None else value for value in given]
        states = [(EARLIEST, dict(attributes))]
        self._derived.fill_past(values, states)
        return Told(values, states)
