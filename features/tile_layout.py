"""What tiles keep: the states of every feature's events, whatever the feature's window.

Tiles let a customer with a million events cost no more than one with some hundred. They serve the
present only: all that is in them was known when they were written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from features.clock import parse_duration
from features.compute import Plan, Vocabulary
from features.feature import Aggregate, ContextRef, Feature, walk
from features.kernel.operation import OP, SLOT
from features.kernel.states import CELLS
from features.plan import OPERATIONS, Stream, compile_plan, stream_of
from features.tables import Integers
from features.window import DAY, Window

Measure = tuple[Stream, int, str, str]
"""Stream without its matches, operation, column and half-life: an aggregate without a window."""


def measure_of(leaf: Aggregate) -> Measure:
    """Return what an aggregate measures, whatever its window and the codes a row asks for."""
    kind, fixed, _ = stream_of(leaf)
    return (kind, fixed, ()), OPERATIONS[leaf.fold], leaf.column or "", leaf.half_life or ""


def set_of(leaf: Aggregate) -> tuple[str, ...]:
    """Return the set of tiles an aggregate is in: the columns that a row's codes choose by."""
    return tuple(name for name, value in leaf.filters if isinstance(value, ContextRef))


@dataclass(frozen=True)
class TileSet:
    """Measures that are kept together: of all events, or of those with a row's own codes.

    Attributes
    ----------
    matched : tuple of str
        Columns whose codes choose the events; none for the set of all events.
    plan : Plan
        Each measure since ever, without matches; its slots lay out the lines.
    slots : dict
        First slot of each measure in a line.
    """

    matched: tuple[str, ...]
    plan: Plan
    slots: dict[Measure, int]

    @property
    def name(self) -> str:
        """The part of a key that names the set."""
        return ".".join(self.matched)

    @cached_property
    def measures(self) -> Integers:
        """Operation and first slot of each measure that windows can merge."""
        ops = self.plan.tables.ops
        return np.array(
            [(op[OP], op[SLOT]) for op in ops.tolist() if op[OP] not in CELLS], np.int64
        ).reshape(-1, 2)

    @cached_property
    def cells(self) -> tuple[Measure, ...]:
        """The measures that are kept as cells."""
        return tuple(measure for measure in self.slots if measure[1] in CELLS)


@dataclass(frozen=True)
class TileLayout:
    """The tile sets of a catalogue.

    Attributes
    ----------
    columns : tuple of str
        Of the events.
    sets : dict of tuple of str to TileSet
        By the columns that are matched.
    longest : int
        The longest window, in microseconds: days before it are summed up in one line.
    margin : int
        How near to the present a tile may come, in microseconds.
    """

    columns: tuple[str, ...]
    sets: dict[tuple[str, ...], TileSet]
    longest: int
    margin: int

    @cached_property
    def version(self) -> str:
        """A hash of what the lines hold: 8 hexadecimal digits."""
        held = repr([(name, sorted(map(repr, tiles.slots.items()))) for name, tiles in
                     sorted(self.sets.items())])  # fmt: skip
        return hashlib.sha256(held.encode()).hexdigest()[:8]


def layout_of(
    features: Sequence[Feature],
    columns: Sequence[str],
    dictionaries: Mapping[str, Vocabulary],
    minor: int,
) -> TileLayout:
    """Return the layout of tiles for all features that a store serves.

    Parameters
    ----------
    features, columns, dictionaries, minor
        As for `features.plan.compile_plan`; `columns` are those of the store, in its order.
    """
    leaves = [leaf for f in features for leaf in walk(f) if isinstance(leaf, Aggregate)]
    leaves = [leaf for leaf in leaves if not leaf.forward]
    lengths = [parse_duration(leaf.window.last) for leaf in leaves if leaf.window.last]
    sets = {}
    for matched in dict.fromkeys(((), *map(set_of, leaves))):
        own = [_since_ever(leaf) for leaf in leaves if set_of(leaf) == matched]
        plan = compile_plan(own, columns, dictionaries, minor, columns)
        slots = {measure_of(leaf): plan.slots[leaf.name] for leaf in own}
        sets[matched] = TileSet(matched, plan, slots)
    # Windows of less than a week start anywhere, so their events must stay as they are.
    margin = 7 * DAY if any(length < 7 * DAY for length in lengths) else DAY
    return TileLayout(tuple(columns), sets, max(lengths, default=0), margin)


def _since_ever(leaf: Aggregate) -> Aggregate:
    fixed = tuple((n, v) for n, v in leaf.filters if not isinstance(v, ContextRef))
    measured = replace(leaf, window=Window(), filters=fixed)
    kind, _, _ = measure = stream_of(measured)
    # Named by what it measures, so that equal measures share their state.
    name = repr((kind, measure[1], leaf.fold, leaf.column, leaf.half_life))
    return replace(measured, name=name)
