"""A compiled plan at work: events and rows in, values out, the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from features.desk import Desk, desk_for
from features.errors import FeatureOverflowError, MissingContextError
from features.feature import Attribute, Context, Feature
from features.jit import Compiled
from features.kernel import UNSEEN
from features.kernel.finalise import OWN
from features.kernel.run import BATCH
from features.large_pages import spacious
from features.nodes import Nodes
from features.tables import Integers, Tables

Values = NDArray[Any]
NO_CELLS = np.empty((0, 3), np.int64)


class Vocabulary(Protocol):
    """Texts of one column and their codes."""

    levels: list[str]

    def code(self, text: str) -> int:
        """Return the code, or -1 for a text never seen."""
        ...


@dataclass(frozen=True)
class Events:
    """Events of some customers.

    Attributes
    ----------
    values : ndarray of int64, shape (n_columns, n_events), C-contiguous
        In the order of the plan's `columns`; sorted by (customer, occurred_at, event_id). A
        missing number is `kernel.NULL`, a missing text -1.
    offsets : ndarray of int64, shape (n_customers + 1,)
        Where each customer's events begin.
    """

    values: Integers
    offsets: Integers


@dataclass(frozen=True)
class Rows:
    """The rows wanted of the same customers, in the same order.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n_customers + 1,)
        Where each customer's rows begin.
    as_of : ndarray of int64, shape (n,)
        Microseconds UTC, sorted within a customer.
    context : mapping of str to ndarray, each of shape (n,)
    attributes : mapping of str to ndarray, each of shape (n,)
        What was known of the customer at each moment: float64, or object (None where missing).
    """

    offsets: Integers
    as_of: Integers
    context: Mapping[str, Values]
    attributes: Mapping[str, Values]

    def __len__(self) -> int:
        return len(self.as_of)


@dataclass(frozen=True)
class Plan:
    """Features compiled to tables, bound to a log's columns and dictionaries.

    Attributes
    ----------
    features : tuple of Feature
    columns : tuple of str
        The columns of events that it reads: occurred_at, recorded_at, kind, then the others.
    slots : dict
        First slot of the state of each aggregate, by the aggregate's name.
    width : int
        Slots of a row's states.
    """

    features: tuple[Feature, ...]
    columns: tuple[str, ...]
    slots: dict[str, int]
    width: int
    dictionaries: Mapping[str, Vocabulary]
    tables: Tables
    nodes: Nodes
    compared: tuple[tuple[str, str], ...]
    counted: tuple[str, ...]
    tallies: int
    no_ranges: Integers

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The customers' attributes that it reads."""
        return tuple(f for f in self.features if isinstance(f, Attribute)) + tuple(
            f for f in self.nodes.inputs if isinstance(f, Attribute) and f not in self.features
        )

    def compute(self, engine: Compiled, events: Events, rows: Rows) -> dict[str, Values]:
        """Return the values of each feature, by name, in the plan's order.

        Returns
        -------
        dict of str to ndarray, each of shape (n,)
            int64 for counts, float64 (NaN where missing) for other numbers, bool for conditions,
            object (None where missing) for text.

        Raises
        ------
        FeatureOverflowError
            A sum does not fit 64 bits.
        MissingContextError
            A feature needs a context value that the rows do not carry.
        """
        floats, wholes = self.numbers(engine, events, rows)
        return self.named(floats, wholes, rows.context, rows.attributes)

    def numbers(
        self, engine: Compiled, events: Events, rows: Rows,
        into: tuple[NDArray[np.float64], Integers] | None = None, at: int = 0,
    ) -> tuple[NDArray[np.float64], Integers]:  # fmt: skip
        """Return what the kernel computes of rows: float64 (k, n) and int64 (m, n).

        `named` knows which line is which feature. With `into`, from `room`, they are written there
        from column `at` on.
        """
        floats, wholes = into or self.room(len(rows))
        codes, instants, inputs = self.given(rows)
        most = int(np.diff(rows.offsets).max(initial=0))
        longest = int(np.diff(events.offsets).max(initial=0))
        states = np.empty((self.width, max(BATCH, most)), np.int64)
        failed = engine.run(
            events.values, events.offsets, rows.offsets, rows.as_of, codes, instants, *self.tables,
            NO_CELLS, self.no_ranges, *self.desk(longest, most), states, inputs, self.nodes.table,
            self.nodes.scales, self.scratch(states.shape[1]), at, floats, wholes,
            self.nodes.whole_slots,
        )  # fmt: skip
        self.check(failed)
        return floats, wholes

    def scratch(self, n: int) -> NDArray[np.float64]:
        """Return room for the finaliser to work on n rows at a time."""
        return np.empty((OWN + self.nodes.scratch, n))

    def room(self, n: int) -> tuple[NDArray[np.float64], Integers]:
        """Return room for the numbers of n rows."""
        floats = len(self.nodes.floats)
        both = spacious(floats + len(self.nodes.wholes), n)
        return both[:floats].view(np.float64), both[floats:]

    def named(
        self, floats: NDArray[np.float64], wholes: Integers, context: Mapping[str, Values],
        attributes: Mapping[str, Values],
    ) -> dict[str, Values]:  # fmt: skip
        """Return the values of each feature, by name, of what `numbers` computed."""
        return {f.name: self._column(f, floats, wholes, context, attributes) for f in self.features}

    def desk(self, events: int, rows: int, vocabulary: int = 0) -> Desk:
        """Return room for customers of so many events and rows, and codes below `vocabulary`."""
        size = max(self.vocabulary, vocabulary) + 1
        return desk_for(self.tables, self.tallies, size, events, rows)

    @property
    def vocabulary(self) -> int:
        """One more than the largest code of any column that is counted by code, for now."""
        return max((len(self.dictionaries[name].levels) for name in self.counted), default=0)

    def states(
        self, engine: Compiled, values: Integers, offsets: Integers, rows: Rows,
        given: tuple[Integers, Integers], desk: Desk, out: Integers,
        cells: tuple[Integers, Integers] | None = None,
    ) -> None:  # fmt: skip
        """Write the states of rows; see `features.kernel.fold`."""
        engine.fold(
            values, offsets, rows.offsets, rows.as_of, *given, *self.tables,
            *(cells or (NO_CELLS, self.no_ranges)), *desk, out, 0, len(offsets) - 1,
        )  # fmt: skip

    def check(self, failed: int) -> None:
        """Refuse a sum that the kernel found not to fit.

        Raises
        ------
        FeatureOverflowError
        """
        if failed:
            raise FeatureOverflowError(
                f"{self.nodes.named[failed - 1]} does not fit 64 bits.",
                remedy="Look for wrong amounts in the log, or shorten the window.",
            )

    def given(self, rows: Rows) -> tuple[Integers, Integers, NDArray[np.float64]]:
        """Return what rows bring along, as the kernel reads it: codes, instants and numbers.

        Raises
        ------
        MissingContextError
        """
        n = len(rows)
        codes = np.empty((len(self.compared), n), np.int64)
        for line, (column, name) in enumerate(self.compared):
            codes[line] = self._codes(column, _of(rows.context, name, f"compares {column!r} with"))
        instants = np.empty((len(self.nodes.instants), n), np.int64)
        for line, name in enumerate(self.nodes.instants):
            instants[line] = _of(rows.context, name, "needs")
        inputs = np.empty((len(self.nodes.inputs), n))
        for line, feature in enumerate(self.nodes.inputs):
            if isinstance(feature, Context):
                inputs[line] = _of(rows.context, feature.source or feature.name, "needs")
            else:
                inputs[line] = rows.attributes[feature.name]
        return codes, instants, inputs

    def _codes(self, column: str, texts: Values) -> Integers:
        vocabulary = self.dictionaries[column]
        if len(texts) == 1:
            code = UNSEEN if texts[0] is None else vocabulary.code(str(texts[0]))
            return np.array([code if code >= 0 else UNSEEN])
        known: dict[Any, int] = {None: UNSEEN}
        for text in set(texts.tolist()) - {None}:
            code = vocabulary.code(str(text))
            known[text] = code if code >= 0 else UNSEEN
        return np.fromiter((known[text] for text in texts.tolist()), np.int64, len(texts))

    def _column(
        self, feature: Feature, floats: NDArray[np.float64], wholes: Integers,
        context: Mapping[str, Values], attributes: Mapping[str, Values],
    ) -> Values:  # fmt: skip
        name = feature.name
        if name in self.nodes.wholes:
            counted: Values = wholes[self.nodes.wholes[name]]
            return counted
        if name not in self.nodes.floats:
            if isinstance(feature, Context):
                return _of(context, feature.source or name, "needs")
            return attributes[name]
        column: Values = floats[self.nodes.floats[name]]
        if feature.dtype == "bool":
            some: Values = column != 0
            return some
        if feature.dtype != "category":
            return column
        levels = self.dictionaries[str(getattr(feature, "column", ""))].levels
        texts = np.array([*levels, None], dtype=object)
        words: Values = texts[np.where(np.isnan(column), len(levels), column).astype(np.int64)]
        return words


def _of(context: Mapping[str, Values], name: str, why: str) -> Values:
    if name not in context:
        raise MissingContextError(
            f"A feature {why} the context value {name!r}, which is absent.",
            remedy=f"Give {name!r} with every row.",
        )
    return context[name]
