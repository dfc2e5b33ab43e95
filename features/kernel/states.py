"""What the kernel remembers of some events: states of whole numbers, and how two become one.

Every function is plain Python over integers and can be compiled by numba. Nothing wraps: what
does not fit 64 bits is carried, and refused when it is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from features.kernel.marks import called, inlined

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
BY_CODE = (DISTINCT, MODE)
CELLS = (*BY_CODE, DECAY)
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


@inlined
def add(total: Any, carry: Any, value: Any) -> tuple[Any, Any]:
    """Return total + value as a number of 64 bits and a carry in units of 2**64."""
    if value > 0 and total > TOP - value:
        return (total - TOP - 1) + (value - TOP - 1), carry + 1
    if value < 0 and total < -TOP - 1 - value:
        return (total + TOP + 1) + (value + TOP + 1), carry - 1
    return total + value, carry


@called
def square(value: Any) -> tuple[Any, Any]:
    """Return the low and the high limb of value squared, of a value below 2**46."""
    size = abs(value)
    top = size >> _HALF
    rest = size & _HALF_MASK
    cross = 2 * top * rest
    low = rest * rest + ((cross & _HALF_MASK) << _HALF)
    return low & _MASK, top * top + (cross >> _HALF) + (low >> LIMB)


@inlined
def clear(op: Any, states: Any, at: Any, r: Any) -> None:
    """Write the state of no event from ``states[at, r]`` on."""
    for k in range(WIDTHS[op]):
        states[at + k, r] = 0
    if op == MIN or op == MAX or op == FIRST or op == LAST or op == MODE:
        states[at, r] = NULL
    elif op == TIMES:
        states[at, r] = NULL
        states[at + 1, r] = NULL
        states[at + 2, r] = NULL
    elif op == GAPS:
        states[at + 3, r] = NULL
        states[at + 4, r] = NULL


@called
def merge(
    op: Any, early: Any, e: Any, a: Any, late: Any, k: Any, b: Any, out: Any, o: Any, at: Any
) -> None:
    """Write from ``out[o, at]`` on the state of the events of two states.

    All events of the one from ``early[e, a]`` on come before all of the one from ``late[k, b]``
    on. `out` may be either.
    """
    if op == COUNT:
        out[o, at] = early[e, a] + late[k, b]
    elif op == SUM or op == SQUARES:
        total, carry = add(early[e, a], early[e, a + 1] + late[k, b + 1], late[k, b])
        out[o, at] = total
        out[o, at + 1] = carry
        out[o, at + 2] = early[e, a + 2] + late[k, b + 2]
        if op == SQUARES:
            low = early[e, a + 3] + late[k, b + 3]
            out[o, at + 4] = early[e, a + 4] + late[k, b + 4] + (low >> LIMB)
            out[o, at + 3] = low & _MASK
    elif op == TIMES:
        _merge_times(early, e, a, late, k, b, out, o, at)
    elif op == GAPS:
        _merge_gaps(early, e, a, late, k, b, out, o, at)
    else:
        chosen = early[e, a]
        takes_late = early[e, a + 1] == 0
        if not takes_late and late[k, b + 1] > 0:
            takes_late = (
                op == LAST
                or (op == MIN and late[k, b] < chosen)
                or (op == MAX and late[k, b] > chosen)
            )
        if takes_late:
            chosen = late[k, b]
        n = early[e, a + 1] + late[k, b + 1]
        out[o, at] = chosen
        out[o, at + 1] = n


@called
def _merge_times(
    early: Any, e: Any, a: Any, late: Any, k: Any, b: Any, out: Any, o: Any, at: Any
) -> None:
    first, last, previous = early[e, a], early[e, a + 1], early[e, a + 2]
    n_late = late[k, b + 3]
    n = early[e, a + 3] + n_late
    if early[e, a + 3] == 0:
        first = late[k, b]
    if n_late > 1:
        previous = late[k, b + 2]
    elif n_late == 1:
        previous = last
    if n_late > 0:
        last = late[k, b + 1]
    out[o, at] = first
    out[o, at + 1] = last
    out[o, at + 2] = previous
    out[o, at + 3] = n


@called
def _merge_gaps(
    early: Any, e: Any, a: Any, late: Any, k: Any, b: Any, out: Any, o: Any, at: Any
) -> None:
    total = early[e, a] + late[k, b]
    squares = early[e, a + 1] + late[k, b + 1]
    first, last = early[e, a + 3], early[e, a + 4]
    if early[e, a + 2] == 0:
        first = late[k, b + 3]
    elif late[k, b + 2] > 0:
        gap = (late[k, b + 3] - last) // HOUR
        total += gap
        squares += gap * gap
    if late[k, b + 2] > 0:
        last = late[k, b + 4]
    n = early[e, a + 2] + late[k, b + 2]
    out[o, at] = total
    out[o, at + 1] = squares
    out[o, at + 2] = n
    out[o, at + 3] = first
    out[o, at + 4] = last
