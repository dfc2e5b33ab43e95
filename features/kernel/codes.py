"""What is counted by code: how many different ones, and the one seen most, over sliding windows."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import HIGH, LOW, PICKED, SPARE
from features.kernel.marks import called, inlined
from features.kernel.states import NULL


@inlined
def distinct(
    column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any,
    tally: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """How many different codes."""
    a = 0
    b = 0
    n = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            _forget(column, null, values, members, s, a, b, tally)
            a = low
            b = low
            n = 0
        while a < low:
            code = values[column, members[s, a]]
            if code != null:
                tally[code] -= 1
                n -= tally[code] == 0
            a += 1
        while b < high:
            code = values[column, members[s, b]]
            if code != null:
                n += tally[code] == 0
                tally[code] += 1
            b += 1
        out[slot, lines[PICKED, j] - base] = n
    _forget(column, null, values, members, s, a, b, tally)


@called
def mode(
    column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any,
    room: Any, tally: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """The code seen most, of equals the one used latest, and how many values.

    ``room[SPARE, k]`` counts the codes seen k times, so that the largest count is always known.
    """
    a = 0
    b = 0
    n = 0
    most = 0
    for k in range(lines[HIGH, n_rows - 1] + 2):
        room[SPARE, k] = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            _forget(column, null, values, members, s, a, b, tally)
            for k in range(most + 1):
                room[SPARE, k] = 0
            a = low
            b = low
            n = 0
            most = 0
        while a < low:
            code = values[column, members[s, a]]
            if code != null:
                n -= 1
                room[SPARE, tally[code]] -= 1
                if tally[code] == most and room[SPARE, most] == 0:
                    most -= 1
                tally[code] -= 1
                room[SPARE, tally[code]] += 1
            a += 1
        while b < high:
            code = values[column, members[s, b]]
            if code != null:
                n += 1
                room[SPARE, tally[code]] -= 1
                tally[code] += 1
                room[SPARE, tally[code]] += 1
                most = max(most, tally[code])
            b += 1
        state = NULL
        if most > 0:
            for m in range(b - 1, a - 1, -1):
                code = values[column, members[s, m]]
                if code != null and tally[code] == most:
                    state = code
                    break
        out[slot, lines[PICKED, j] - base] = state
        out[slot + 1, lines[PICKED, j] - base] = n
    _forget(column, null, values, members, s, a, b, tally)


@inlined
def _forget(
    column: Any, null: Any, values: Any, members: Any, s: Any, a: Any, b: Any, tally: Any
) -> None:
    for m in range(a, b):
        code = values[column, members[s, m]]
        if code != null:
            tally[code] = 0
