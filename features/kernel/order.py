"""What depends on order: smallest, largest, first, last, and the times, over sliding windows."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import HIGH, LOW, PICKED, SPARE
from features.kernel.marks import inlined
from features.kernel.states import LAST, MIN, NULL, TOP


@inlined
def extremes(
    op: Any, column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any,
    n_rows: Any, room: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """Smallest or largest value, and how many values.

    The window is cut at a place, `middle`: ``room[SPARE, m]`` is the extreme from each place `m`
    before it up to there, and `late` that of all from there on. Where the window leaves the first
    part behind, it is cut anew, so that each event is looked at twice, whatever its value.
    """
    nothing = TOP if op == MIN else NULL
    a = 0
    b = 0
    middle = 0
    late = nothing
    n = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            a = low
            b = low
            middle = low
            late = nothing
            n = 0
        while a < low:
            n -= values[column, members[s, a]] != null
            a += 1
        while b < high:
            value = values[column, members[s, b]]
            n += value != null
            late = _better(op, late, value, null)
            b += 1
        if low > middle:
            late = nothing
            middle = high
            so_far = nothing
            for m in range(high - 1, low - 1, -1):
                so_far = _better(op, so_far, values[column, members[s, m]], null)
                room[SPARE, m] = so_far
        best = late
        if low < middle:
            best = _better(op, late, room[SPARE, low], null)
        r = lines[PICKED, j] - base
        out[slot, r] = best if n > 0 else NULL
        out[slot + 1, r] = n


@inlined
def _better(op: Any, held: Any, value: Any, null: Any) -> Any:
    """Return the smaller or the larger of two values, of which the second may be missing."""
    if op == MIN:
        return value if value != null and value < held else held
    return value if value != null and value > held else held


@inlined
def ends(
    op: Any, column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any,
    n_rows: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """Earliest or latest value, and how many values."""
    a = 0
    b = 0
    n = 0
    first = 0
    last = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            a = low
            b = low
            n = 0
            first = low
        while a < low:
            if values[column, members[s, a]] != null:
                n -= 1
            a += 1
        while b < high:
            if values[column, members[s, b]] != null:
                n += 1
                last = b
            b += 1
        r = lines[PICKED, j] - base
        out[slot, r] = NULL
        out[slot + 1, r] = n
        if n > 0:
            if op == LAST:
                out[slot, r] = values[column, members[s, last]]
            else:
                first = max(first, a)
                while values[column, members[s, first]] == null:
                    first += 1
                out[slot, r] = values[column, members[s, first]]


@inlined
def times(
    slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any, out: Any, base: Any
) -> None:
    """When the earliest, the latest and the one before the latest occurred, and how many."""
    for j in range(n_rows):
        r = lines[PICKED, j] - base
        low = lines[LOW, j]
        high = lines[HIGH, j]
        out[slot, r] = values[0, members[s, low]] if high > low else NULL
        out[slot + 1, r] = values[0, members[s, high - 1]] if high > low else NULL
        out[slot + 2, r] = values[0, members[s, high - 2]] if high > low + 1 else NULL
        out[slot + 3, r] = high - low
