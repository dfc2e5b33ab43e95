"""What the kernel remembers of some events: states of whole numbers, and how two become one.

Every function is plain Python over integers and can be compiled by numba. Nothing wraps: what
does not fit 64 bits is carried, and refused when it is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

NULL = int(np.iinfo(np.int64).min)
"""A missing integer."""
NO_CODE = -1
"""A missing text in a column of codes."""
UNSEEN = -2
"""A text that no dictionary holds: equal to no event's code."""

(COUNT, SUM, SQUARES, MIN, MAX, FIRST, LAST, TIMES, GAPS, DISTINCT, MODE, DECAY) = range(12)
WIDTHS = (1, 3, 5, 2, 2, 2, 2, 4, 5, 1, 2, 3)
"""How many integers the state of each operation holds.

COUNT      events
SUM        total, carry (in units of 2**64), values
SQUARES    total, carry, values, low and high limb (in units of 2**46) of the sum of squares
MIN ... LAST  value, values
TIMES      earliest, latest, the one before the latest, events
GAPS       sum of the gaps and of their squares (whole hours), events, earliest, latest
DISTINCT   codes
MODE       code, values
DECAY      total of value x weight, carry, values
"""
CELLS = (DISTINCT, MODE, DECAY)
"""Operations that a window cannot merge from two states."""

HOUR = 3_600_000_000
TOP = int(np.iinfo(np.int64).max)
LIMB = 46
_HALF = 23
_MASK = (1 << LIMB) - 1
_HALF_MASK = (1 << _HALF) - 1
TOO_LARGE = 1 << 40
"""Carry of a value that is too large to be squared or weighted."""
LARGEST_WEIGHTED = 1 << 32
ONE = 1 << 30
"""The weight of an event of the present hour."""


@register_jitable(forceinline=True)
def add(total: Any, carry: Any, value: Any) -> tuple[Any, Any]:
    """Return total + value as a number of 64 bits and a carry in units of 2**64."""
    if value > 0 and total > TOP - value:
        return (total - TOP - 1) + (value - TOP - 1), carry + 1
    if value < 0 and total < -TOP - 1 - value:
        return (total + TOP + 1) + (value + TOP + 1), carry - 1
    return total + value, carry


@register_jitable
def square(value: Any) -> tuple[Any, Any]:
    """Return the low and the high limb of value squared, of a value below 2**46."""
    size = abs(value)
    top = size >> _HALF
    rest = size & _HALF_MASK
    cross = 2 * top * rest
    low = rest * rest + ((cross & _HALF_MASK) << _HALF)
    return low & _MASK, top * top + (cross >> _HALF) + (low >> LIMB)


@register_jitable(forceinline=True)
def clear(op: Any, states: Any, r: Any, at: Any) -> None:
    """Write the state of no event from ``states[r, at]`` on."""
    for k in range(WIDTHS[op]):
        states[r, at + k] = 0
    if op == MIN or op == MAX or op == FIRST or op == LAST or op == MODE:
        states[r, at] = NULL
    elif op == TIMES:
        states[r, at] = NULL
        states[r, at + 1] = NULL
        states[r, at + 2] = NULL
    elif op == GAPS:
        states[r, at + 3] = NULL
        states[r, at + 4] = NULL


@register_jitable
def merge(op: Any, early: Any, a: Any, late: Any, b: Any, out: Any, at: Any) -> None:
    """Write at `out[at]` the state of the events of two states, all of `early` before `late`.

    `out` may be one of the two.
    """
    if op == COUNT:
        out[at] = early[a] + late[b]
    elif op == SUM or op == SQUARES:
        total, carry = add(early[a], early[a + 1] + late[b + 1], late[b])
        n = early[a + 2] + late[b + 2]
        if op == SQUARES:
            low = early[a + 3] + late[b + 3]
            high = early[a + 4] + late[b + 4] + (low >> LIMB)
            out[at + 3] = low & _MASK
            out[at + 4] = high
        out[at] = total
        out[at + 1] = carry
        out[at + 2] = n
    elif op == TIMES:
        _merge_times(early, a, late, b, out, at)
    elif op == GAPS:
        _merge_gaps(early, a, late, b, out, at)
    else:
        chosen = early[a]
        if early[a + 1] == 0 or (
            late[b + 1] > 0
            and (
                op == LAST
                or (op == MIN and late[b] < early[a])
                or (op == MAX and late[b] > early[a])
            )
        ):
            chosen = late[b]
        n = early[a + 1] + late[b + 1]
        out[at] = chosen
        out[at + 1] = n


@register_jitable
def _merge_times(early: Any, a: Any, late: Any, b: Any, out: Any, at: Any) -> None:
    first, last, previous = early[a], early[a + 1], early[a + 2]
    n = early[a + 3] + late[b + 3]
    if early[a + 3] == 0:
        first = late[b]
    if late[b + 3] > 1:
        previous = late[b + 2]
    elif late[b + 3] == 1:
        previous = last
    if late[b + 3] > 0:
        last = late[b + 1]
    out[at] = first
    out[at + 1] = last
    out[at + 2] = previous
    out[at + 3] = n


@register_jitable
def _merge_gaps(early: Any, a: Any, late: Any, b: Any, out: Any, at: Any) -> None:
    total = early[a] + late[b]
    squares = early[a + 1] + late[b + 1]
    first, last = early[a + 3], early[a + 4]
    if early[a + 2] == 0:
        first = late[b + 3]
    elif late[b + 2] > 0:
        gap = (late[b + 3] - last) // HOUR
        total += gap
        squares += gap * gap
    if late[b + 2] > 0:
        last = late[b + 4]
    n = early[a + 2] + late[b + 2]
    out[at] = total
    out[at + 1] = squares
    out[at + 2] = n
    out[at + 3] = first
    out[at + 4] = last
