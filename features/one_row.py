"""The values of one row while somebody waits: the kernel on arrays that are made once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from features.compute import NO_CELLS, Plan, Rows
from features.desk import Desk
from features.errors import MissingContextError
from features.feature import Attribute, Context, Feature
from features.jit import Compiled
from features.tables import Integers
from features.tile_layout import TileLayout
from features.tile_read import TileRows
from features.tiles import Reader

Value = int | float | str | bool | None
Change = tuple[int, Mapping[str, Any]]
"""When attributes became known (microseconds UTC), and all of them as they then were."""


class Past(Protocol):
    """What is known of a customer: `features.online.History`."""

    @property
    def values(self) -> Integers:
        """Events, int64 of shape (n_columns, n_events)."""
        ...

    @property
    def attributes(self) -> Sequence[Change]:
        """Changes, sorted by when they became known."""
        ...

    @property
    def cut(self) -> int:
        """What occurred before is in the tiles, where there are tiles."""
        ...

    @property
    def tiles(self) -> Reader | None:
        """What older events were summed up to."""
        ...


class OneRow(threading.local):
    """Computes rows one at a time; each thread has its own arrays.

    Parameters
    ----------
    plan : Plan
        Its `columns` are those of the histories.
    engine : Compiled
    layout : TileLayout, optional
        Of the store's tiles; without it no customer may have any.
    """

    def __init__(self, plan: Plan, engine: Compiled, layout: TileLayout | None = None) -> None:
        self._plan = plan
        self._tiles = None if layout is None else TileRows(plan, layout, engine)
        self._engine = engine
        self._one = np.array([0, 1], np.int64)
        self._offsets = np.zeros(2, np.int64)
        self._as_of = np.zeros(1, np.int64)
        self._states = np.zeros((plan.width, 1), np.int64)
        self._desk = plan.desk(0, 1)
        self._scratch = plan.scratch(1)
        self._floats = np.zeros((len(plan.nodes.floats), 1))
        self._wholes = np.zeros((len(plan.nodes.whole_slots), 1), np.int64)
        self._attributes = tuple(f.name for f in plan.attributes)
        self._numbers = {f.name for f in plan.attributes if f.dtype == "float"}
        self._asks = bool(plan.compared or plan.nodes.instants or plan.nodes.inputs)
        empty = Rows(self._one, self._as_of, {}, {})
        self._nothing = None if self._asks else plan.given(empty)
        self._readers = [self._reader(feature) for feature in plan.features]

    def values(self, past: Past, as_of: int, context: Mapping[str, NDArray[Any]]) -> list[Value]:
        """Return the features of one row, in the plan's order; None where a value is missing.

        Parameters
        ----------
        past : Past
        as_of : int
            Microseconds UTC.
        context : mapping of str to ndarray, each of shape (1,)
        """
        plan, nodes = self._plan, self._plan.nodes
        self._as_of[0] = as_of
        known = _known(past.attributes, as_of)
        if self._nothing is not None:
            codes, instants, inputs = self._nothing
        else:
            attributes = {name: np.array([_number(known.get(name))]) for name in self._numbers}
            codes, instants, inputs = plan.given(Rows(self._one, self._as_of, context, attributes))
        self._offsets[1] = past.values.shape[1]
        if past.tiles is None or self._tiles is None:
            failed = self._engine.run(
                past.values, self._offsets, self._one, self._as_of, codes, instants, *plan.tables,
                NO_CELLS, plan.no_ranges, *self._desk_now(), self._states, inputs, nodes.table,
                nodes.scales, self._scratch, 0, self._floats, self._wholes, nodes.whole_slots,
            )  # fmt: skip
        else:
            older = self._tiles.older(past.tiles, past.cut, as_of, codes)
            self._engine.fold(
                past.values, self._offsets, self._one, self._as_of, codes, instants, *plan.tables,
                older.cells, older.ranges, *self._desk_now(), self._states, 0, 1,
            )  # fmt: skip
            older.join(self._engine, self._states.reshape(1, -1))
            failed = self._engine.finalise(
                self._states, 1, 0, self._as_of, inputs, instants, nodes.table, nodes.scales,
                self._scratch, 0, self._floats, self._wholes, nodes.whole_slots,
            )  # fmt: skip
        plan.check(failed)
        floats = self._floats[:, 0].tolist()
        wholes = self._wholes[:, 0].tolist()
        return [read(floats, wholes, known, context) for read in self._readers]

    def _desk_now(self) -> Desk:
        # The vocabularies of a store grow.
        if self._plan.tallies and self._plan.vocabulary >= len(self._desk.tally):
            self._desk = self._plan.desk(0, 1)
        return self._desk

    def _reader(self, feature: Feature) -> Callable[..., Value]:
        nodes, name = self._plan.nodes, feature.name
        if name in nodes.wholes:
            line = nodes.wholes[name]
            return lambda floats, wholes, known, context: wholes[line]
        if name in nodes.floats:
            line = nodes.floats[name]
            if feature.dtype == "bool":
                return lambda floats, wholes, known, context: floats[line] != 0.0
            if feature.dtype == "category":
                levels = self._plan.dictionaries[str(getattr(feature, "column", ""))].levels
                return lambda floats, wholes, known, context: (
                    levels[int(floats[line])] if floats[line] == floats[line] else None
                )
            # A NaN is the one number that is not equal to itself.
            return lambda floats, wholes, known, context: (
                floats[line] if floats[line] == floats[line] else None
            )
        if isinstance(feature, Attribute):
            return lambda floats, wholes, known, context: known.get(name)
        assert isinstance(feature, Context)
        source = feature.source or name

        def given(floats: Any, wholes: Any, known: Any, context: Mapping[str, Any]) -> Value:
            if source not in context:
                raise MissingContextError(
                    f"A feature needs the context value {source!r}, which is absent.",
                    remedy=f"Give {source!r} with every row.",
                )
            value: Any = context[source][0]
            plain: Value = value.item() if isinstance(value, np.generic) else value
            return plain

        return given


def _known(changes: Sequence[Change], as_of: int) -> Mapping[str, Any]:
    """Return the attributes as they were last known before a moment."""
    for known_at, state in reversed(changes):
        if known_at < as_of:
            return state
    return {}


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
