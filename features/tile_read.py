"""Tiles read: what a customer's older events add to the features of one row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from features.compute import NO_CELLS, Plan
from features.errors import PastMomentError, StoreError
from features.feature import Aggregate, ContextRef, Feature, walk
from features.jit import Compiled
from features.kernel.operation import OP, SLOT
from features.kernel.states import CELLS, HOUR
from features.kernel.windows import EVER, EXACT
from features.tables import Integers
from features.tile_layout import TileLayout, TileSet, measure_of
from features.tiles import CHUNK, Buffer, Reader, empty, key
from features.window import DAY

WORD, CELL = 8, 24
"""Bytes of a number, and of a cell."""


@dataclass(frozen=True)
class _Group:
    """The operations of a plan that read one tile set with the same codes of a row.

    Attributes
    ----------
    codes : tuple of int
        Lines of the row's codes.
    windows : tuple of (int or None)
        The length of each window that is read, in microseconds; None since ever.
    joins : ndarray of int64, shape (n, 4)
        See `kernel.merge.join`.
    cells : tuple of (int, int)
        Operation of the plan, and number of its cells in the set.
    empty : ndarray of int64, shape (1, width)
        The line of no event.
    """

    tiles: TileSet
    codes: tuple[int, ...]
    windows: tuple[int | None, ...]
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
        self._n_ops = len(ops)
        short = [row[1] for row in plan.tables.windows.tolist() if row[0] == EXACT]
        self._longest_short = max(short, default=0)

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
        if as_of - self._longest_short < cut:
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
            if index is not None and len(group.joins):
                joins += _lines(reader, group, chosen, index, as_of)
        return Older(*self._cells([(group, blobs) for group, _, (_, *blobs) in found]), joins)

    def _cells(self, found: list[tuple[_Group, list[Buffer | None]]]) -> tuple[Integers, Integers]:
        ranges = np.zeros((self._n_ops, 2), np.int64)
        pieces: list[bytes | memoryview] = []
        at = 0
        for group, blobs in found:
            for (op, _), blob in zip(group.cells, blobs, strict=True):
                if blob is not None:
                    n = len(blob) // CELL
                    pieces.append(blob)
                    ranges[op] = at, at + n
                    at += n
        if not pieces:
            return NO_CELLS, ranges
        return np.frombuffer(b"".join(pieces), np.int64).reshape(-1, 3), ranges


def _lines(
    reader: Reader, group: _Group, chosen: tuple[int, ...], index: Buffer, as_of: int
) -> list[tuple[Integers, Integers]]:
    """Return the lines of all days after each window's first, then those of the rest of it."""
    width = group.empty.shape[1]
    size = width * WORD
    # Views and joined bytes: quicker here than numpy's arrays, which are long by thousands.
    held = memoryview(index).cast("B")
    days = held[size:].cast("q")
    nothing = group.empty.tobytes()
    tops: list[Buffer] = [nothing] * len(group.windows)
    hours = tops.copy()
    name = group.tiles.name
    asked: dict[bytes, list[tuple[int, int, bool]]] = {}
    for number, length in enumerate(group.windows):
        if length is None:
            tops[number] = held[:size]
            continue
        start = (as_of - length) // HOUR * HOUR
        day = start - start % DAY
        at = bisect_left(days, day)
        if at < len(days) and days[at] == day:
            asked.setdefault(key("d", name, chosen, day // DAY), []).append((number, start, True))
            at += 1
        if at < len(days):
            chunk = days[at] // CHUNK
            line = at - bisect_left(days, chunk * CHUNK)
            asked.setdefault(key("t", name, chosen, chunk), []).append((number, line, False))
    for uses, blob in zip(asked.values(), reader.get(list(asked)), strict=True):
        view = memoryview(blob or b"").cast("B")
        for number, at, hourly in uses:
            if not hourly:
                tops[number] = view[at * size : (at + 1) * size]
                continue
            n = len(view) // (size + WORD)
            first = bisect_left(view[: n * WORD].cast("q"), at)
            if first < n:
                begin = n * WORD + first * size
                hours[number] = view[begin : begin + size]
    shape = len(group.windows), width
    return [
        (group.joins, np.frombuffer(b"".join(lines), np.int64).reshape(shape))
        for lines in (tops, hours)
    ]


def _group(
    plan: Plan, layout: TileLayout, engine: Compiled, pairs: tuple[tuple[str, str], ...],
    leaves: dict[int, Aggregate], window_of: dict[int, int],
) -> _Group:  # fmt: skip
    try:
        tiles = layout.sets[tuple(name for name, _ in pairs)]
        slots = {o: tiles.slots[measure_of(leaf)] for o, leaf in leaves.items()}
    except KeyError:
        raise StoreError(
            f"The online store sums up nothing for {next(iter(leaves.values())).name!r}.",
            remedy="Add the feature to the catalogue, then: python -m features materialise",
        ) from None
    merged = [o for o in leaves if plan.tables.ops[o, OP] not in CELLS]
    windows = list(dict.fromkeys(window_of[o] for o in merged))
    joins = [
        (plan.tables.ops[o, OP], windows.index(window_of[o]), slots[o], plan.tables.ops[o, SLOT])
        for o in merged
    ]
    rows = [plan.tables.windows[w].tolist() for w in windows]
    return _Group(
        tiles,
        tuple(plan.compared.index(pair) for pair in pairs),
        tuple(None if row[0] == EVER else row[1] for row in rows),
        np.array(joins, np.int64).reshape(-1, 4),
        tuple(
            (o, tiles.cells.index(measure_of(leaf)))
            for o, leaf in leaves.items()
            if o not in merged
        ),
        empty(tiles, engine),
    )


def _leaves(features: Iterable[Feature]) -> list[Aggregate]:
    return [leaf for f in features for leaf in walk(f) if isinstance(leaf, Aggregate)]
