"""Tiles read: what a customer's older events add to the features of one row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from features.compute import NO_CELLS, Integers, Plan
from features.errors import PastMomentError
from features.feature import Aggregate, ContextRef, Feature, walk
from features.jit import Compiled
from features.kernel.operation import OP, SLOT
from features.kernel.states import CELLS, HOUR
from features.kernel.windows import EVER, EXACT
from features.tile_layout import TileLayout, TileSet, measure_of
from features.tiles import CHUNK, Buffer, Lines, Reader, decode, empty, key
from features.window import DAY


@dataclass(frozen=True)
class _Group:
    """The operations of a plan that read one tile set with the same codes of a row.

    Attributes
    ----------
    codes : tuple of int
        Lines of the row's codes.
    windows : tuple of int
        The plan's windows that are read, by line.
    joins : ndarray of int64, shape (n, 4)
        See `kernel.merge.join`.
    cells : tuple of (int, int)
        Operation of the plan, and number of its cells in the set.
    empty : ndarray of int64, shape (1, width)
        The line of no event.
    """

    tiles: TileSet
    codes: tuple[int, ...]
    windows: tuple[int, ...]
    joins: Integers
    cells: tuple[tuple[int, int], ...]
    empty: Integers


class Older(NamedTuple):
    """What tiles add to one row: cells for the fold, and lines to join to its states after it."""

    cells: Integers
    ranges: Integers
    joins: list[tuple[Integers, Integers]]

    def join(self, engine: Compiled, states: Integers) -> None:
        """Put the older events before those that the states hold."""
        for table, lines in self.joins:
            engine.join(table, lines, states)


class TileRows:
    """Reads tiles for the rows of one plan.

    Parameters
    ----------
    plan : Plan
    layout : TileLayout
        Of the catalogue whose tiles the store holds.
    engine : Compiled
    """

    def __init__(self, plan: Plan, layout: TileLayout, engine: Compiled) -> None:
        self._plan = plan
        ops = {op[SLOT]: number for number, op in enumerate(plan.tables.ops.tolist())}
        window_of = {
            o: int(view[0]) for view in plan.tables.views.tolist() for o in range(view[1], view[2])
        }
        by_group: dict[tuple[Any, ...], dict[int, Aggregate]] = {}
        for leaf in _leaves(plan.features):
            pairs = tuple((n, v.name) for n, v in leaf.filters if isinstance(v, ContextRef))
            by_group.setdefault(pairs, {})[ops[plan.slots[leaf.name]]] = leaf
        self._groups = [
            _group(plan, layout, engine, pairs, leaves, window_of)
            for pairs, leaves in by_group.items()
        ]

    def older(self, reader: Reader, cut: int, as_of: int, codes: Integers) -> Older:
        """Return what tiles add to a row.

        Parameters
        ----------
        reader : Reader
            The customer's tiles.
        cut : int
            Where they end, microseconds UTC.
        as_of : int
        codes : ndarray of int64, shape (n_matches, 1)
            The row's own codes.

        Raises
        ------
        PastMomentError
            The moment lies so far back that tiles cannot be taken apart for it.
        """
        if as_of < cut or any(
            as_of - length < cut for mode, length, _, _ in self._plan.tables.windows.tolist()
            if mode == EXACT
        ):  # fmt: skip
            raise PastMomentError(
                "The moment asked for lies before what the store has summed up.",
                remedy="Ask for the present; the past is computed from the log.",
            )
        asked = []
        for group in self._groups:
            chosen = tuple(int(codes[line, 0]) for line in group.codes)
            name = group.tiles.name
            cells = [key("c", name, chosen, number) for _, number in group.cells]
            asked.append((chosen, [key("i", name, chosen), *cells]))
        answers = iter(reader.get([one for _, names in asked for one in names]))
        found = [
            (group, chosen, [next(answers) for _ in names])
            for group, (chosen, names) in zip(self._groups, asked, strict=True)
        ]
        joins: list[tuple[Integers, Integers]] = []
        for group, chosen, (index, *_) in found:
            lines = decode(group.tiles, index)
            if lines is not None and len(group.joins):
                joins += self._joins(reader, group, chosen, lines, as_of)
        return Older(*self._cells([(group, blobs) for group, _, (_, *blobs) in found]), joins)

    def _joins(
        self, reader: Reader, group: _Group, chosen: tuple[int, ...], lines: Lines, as_of: int
    ) -> Iterable[tuple[Integers, Integers]]:
        """Return the lines of all days after a window's first, then those of the rest of it."""
        width = group.empty.shape[1]
        tops = np.repeat(group.empty, len(group.windows), axis=0)
        hours = tops.copy()
        name, days = group.tiles.name, lines.days
        asked: list[bytes] = []
        wanted: list[tuple[int, int, bool]] = []
        for number, w in enumerate(group.windows):
            mode, length, _, _ = self._plan.tables.windows[w].tolist()
            if mode == EVER:
                tops[number] = lines.ever[0]
                continue
            start = (as_of - length) // HOUR * HOUR
            day = start // DAY * DAY
            at = int(np.searchsorted(days, day))
            if at < len(days) and days[at] == day:
                asked.append(key("d", name, chosen, day // DAY))
                wanted.append((number, start, True))
                at += 1
            if at < len(days):
                chunk = int(days[at]) // CHUNK
                asked.append(key("t", name, chosen, chunk))
                line = at - int(np.searchsorted(days, chunk * CHUNK))
                wanted.append((number, line, False))
        for (number, at, hourly), blob in zip(wanted, reader.get(asked), strict=True):
            held = np.frombuffer(blob or b"", np.int64)
            if not hourly:
                tops[number] = held[at * width : (at + 1) * width]
                continue
            n = len(held) // (width + 1)
            first = int(np.searchsorted(held[:n], at))
            if first < n:
                hours[number] = held[n + first * width : n + (first + 1) * width]
        return [(group.joins, tops), (group.joins, hours)]

    def _cells(self, found: list[tuple[_Group, list[Buffer | None]]]) -> tuple[Integers, Integers]:
        ranges = np.zeros((len(self._plan.tables.ops), 2), np.int64)
        pieces = [NO_CELLS]
        at = 0
        for group, blobs in found:
            for (op, _), blob in zip(group.cells, blobs, strict=True):
                held = np.frombuffer(blob or b"", np.int64).reshape(-1, 3)
                pieces.append(held)
                ranges[op] = at, at + len(held)
                at += len(held)
        return np.concatenate(pieces), ranges


def _group(
    plan: Plan, layout: TileLayout, engine: Compiled, pairs: tuple[tuple[str, str], ...],
    leaves: dict[int, Aggregate], window_of: dict[int, int],
) -> _Group:  # fmt: skip
    tiles = layout.sets[tuple(name for name, _ in pairs)]
    merged = {o: leaf for o, leaf in leaves.items() if plan.tables.ops[o, OP] not in CELLS}
    windows = tuple(dict.fromkeys(window_of[o] for o in merged))
    joins = [
        (plan.tables.ops[o, OP], windows.index(window_of[o]), tiles.slots[measure_of(leaf)],
         plan.tables.ops[o, SLOT])
        for o, leaf in merged.items()
    ]  # fmt: skip
    cells = tuple(
        (o, tiles.cells.index(measure_of(leaf))) for o, leaf in leaves.items() if o not in merged
    )
    codes = tuple(plan.compared.index(pair) for pair in pairs)
    table = np.array(joins, np.int64).reshape(-1, 4)
    return _Group(tiles, codes, windows, table, cells, empty(tiles, engine))


def _leaves(features: Iterable[Feature]) -> list[Aggregate]:
    return [leaf for f in features for leaf in walk(f) if isinstance(leaf, Aggregate)]
