"""The kernel's tables, made from a list of operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.clock import parse_duration
from features.kernel import states
from features.kernel.states import BY_CODE

Integers = NDArray[np.int64]


class Tables(NamedTuple):
    """The kernel's tables, in the order in which `features.kernel.fold` describes them."""

    kinds: Integers
    kind_offsets: Integers
    filters: Integers
    filter_offsets: Integers
    matches: Integers
    match_offsets: Integers
    windows: Integers
    views: Integers
    view_offsets: Integers
    ops: Integers
    missing: Integers
    weights: Integers
    weight_offsets: Integers
    nothing: Integers


class Op(NamedTuple):
    """One operation: on a stream, through a window, over a column (-1 for none).

    `slot` is where its state begins, `weights` the line of its weights (0 for none).
    """

    stream: int
    window: int
    what: int
    column: int
    slot: int
    weights: int


class Pairs(NamedTuple):
    """By stream: (column, code) pairs to hold, and (column, line of codes) pairs to match."""

    filters: list[list[tuple[int, int]]]
    matches: list[list[tuple[int, int]]]


def tables_of(
    ops: Sequence[Op],
    kinds: Sequence[int],
    n_kinds: int,
    pairs: Pairs,
    windows: Sequence[tuple[int, ...]],
    missing: Sequence[int],
    half_lives: Sequence[str],
) -> Tables:
    """Return the tables that `features.kernel.fold` reads.

    Parameters
    ----------
    ops : sequence of Op
        Sorted by stream and window.
    kinds : sequence of int
        The code of each stream's kind of event; -1 for one never seen.
    n_kinds : int
    pairs : Pairs
    windows : sequence of tuple
        See `Window.row`; those that look back first, and each before shorter ones.
    missing : sequence of int
        What stands for a missing value, by column.
    half_lives : sequence of str
        From line 1 of the weights on.
    """
    filters, filter_offsets = _ragged(pairs.filters)
    matches, match_offsets = _ragged(pairs.matches)
    taken = [[s for s, code in enumerate(kinds) if code == kind] for kind in range(n_kinds)]
    tallies = {o: t for t, o in enumerate(o for o, op in enumerate(ops) if op.what in BY_CODE)}
    views, view_offsets = _views(ops, len(kinds))
    weights, weight_offsets = _weights(half_lives)
    return Tables(
        kinds=np.array([s for streams in taken for s in streams], np.int64),
        kind_offsets=_offsets(taken),
        filters=filters,
        filter_offsets=filter_offsets,
        matches=matches,
        match_offsets=match_offsets,
        windows=_table(windows, 4),
        views=views,
        view_offsets=view_offsets,
        ops=_table(
            [
                (op.what, op.column, op.slot, op.weights, op.window, tallies.get(o, 0))
                for o, op in enumerate(ops)
            ],
            6,
        ),
        missing=np.array(missing, np.int64),
        weights=weights,
        weight_offsets=weight_offsets,
        nothing=_nothing(ops),
    )


def _nothing(ops: Sequence[Op]) -> Integers:
    column = np.zeros((sum(states.WIDTHS[op.what] for op in ops), 1), np.int64)
    for op in ops:
        states.clear(op.what, column, op.slot, 0)
    nothing: Integers = column[:, 0].copy()
    return nothing


def _offsets(parts: Sequence[Sequence[Any]]) -> Integers:
    return np.cumsum([0, *map(len, parts)], dtype=np.int64)


def _ragged(pairs: list[list[tuple[int, int]]]) -> tuple[Integers, Integers]:
    return _table([pair for some in pairs for pair in some], 2), _offsets(pairs)


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Integers:
    return np.array(rows, np.int64).reshape(-1, width)


def _views(ops: Sequence[Op], n_streams: int) -> tuple[Integers, Integers]:
    through = [(op.stream, op.window) for op in ops]
    pairs = list(dict.fromkeys(through))
    first = {pair: through.index(pair) for pair in pairs}
    table = _table([(p[1], first[p], first[p] + through.count(p)) for p in pairs], 3)
    counts = [sum(pair[0] == s for pair in pairs) for s in range(n_streams)]
    return table, np.cumsum([0, *counts], dtype=np.int64)


def _weights(half_lives: Sequence[str]) -> tuple[Integers, Integers]:
    """Return fixed-point weights by age in hours, until they round to nothing; line 0 is empty."""
    lines: list[list[int]] = [[]]
    for half_life in half_lives:
        hours = parse_duration(half_life) // states.HOUR
        ages = range(states.ONE.bit_length() * hours + 1)
        weights = [round(states.ONE * 2.0 ** (-age / hours)) for age in ages]
        lines.append([weight for weight in weights if weight > 0])
    return np.array([w for line in lines for w in line], np.int64), _offsets(lines)
