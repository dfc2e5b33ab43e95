"""What depends on order: smallest, largest, first, last, and the times, over sliding windows."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import HIGH, LOW, PICKED, SPARE
from features.kernel.marks import inlined
from features.kernel.states import LAST, MAX, MIN, NULL


@inlined
def extremes(
    op: Any, column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any,
    n_rows: Any, room: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """Smallest or largest value, and how many values.

    The queue holds the places that may still become the extreme: from head to tail, each better
    than all that follow it.
    """
    a = 0
    b = 0
    head = 0
    tail = 0
    n = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            a = low
            b = low
            head = 0
            tail = 0
            n = 0
        while a < low:
            if values[column, members[s, a]] != null:
                n -= 1
            a += 1
        while b < high:
            value = values[column, members[s, b]]
            if value != null:
                n += 1
                while tail > head:
                    worst = values[column, members[s, room[SPARE, tail - 1]]]
                    if (op == MIN and worst < value) or (op == MAX and worst > value):
                        break
                    tail -= 1
                room[SPARE, tail] = b
                tail += 1
            b += 1
        while head < tail and room[SPARE, head] < a:
            head += 1
        r = lines[PICKED, j] - base
        out[r, slot] = values[column, members[s, room[SPARE, head]]] if n > 0 else NULL
        out[r, slot + 1] = n


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
        out[r, slot] = NULL
        out[r, slot + 1] = n
        if n > 0:
            if op == LAST:
                out[r, slot] = values[column, members[s, last]]
            else:
                first = max(first, a)
                while values[column, members[s, first]] == null:
                    first += 1
                out[r, slot] = values[column, members[s, first]]


@inlined
def times(
    slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any, out: Any, base: Any
) -> None:
    """When the earliest, the latest and the one before the latest occurred, and how many."""
    for j in range(n_rows):
        r = lines[PICKED, j] - base
        low = lines[LOW, j]
        high = lines[HIGH, j]
        out[r, slot] = values[0, members[s, low]] if high > low else NULL
        out[r, slot + 1] = values[0, members[s, high - 1]] if high > low else NULL
        out[r, slot + 2] = values[0, members[s, high - 2]] if high > low + 1 else NULL
        out[r, slot + 3] = high - low
