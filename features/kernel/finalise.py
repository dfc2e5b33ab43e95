"""States to values: means, deviations, ratios and days, the same for one row or a million."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.kernel.marks import called, inlined
from features.kernel.states import LIMB, ONE

(
    TOTAL, MEAN, STD, DECAYED, CHECKED,
    WHOLE, VALUE, GAP_MEAN, LAST_GAP, GAP_STD, SOME, NOTHING, CODE,
    SINCE_FIRST, SINCE_LAST, INPUT, DAYS_SINCE, DAYS_UNTIL,
    PER, MINUS, PLUS, TIMES, AT_LEAST,
) = range(23)  # fmt: skip
"""What a node computes: of sums that may not fit, of other states, of a row, of other nodes."""
LAST_CARRIED = CHECKED
"""Nodes up to this one refuse a sum that does not fit; CHECKED does nothing else."""

# Columns of the table of nodes.
WHAT, A, B, TO = range(4)

HELD, OTHER = range(2)
"""Lines of `scratch` for the values of the node at hand, and for its second operand."""
OWN = 2
"""Where the lines of nodes that only others want begin."""

DAY = 86_400_000_000
_MASK = (1 << LIMB) - 1


@called
def finalise(
    states: Any, n: int, first_row: int, as_of: Any, inputs: Any, instants: Any, nodes: Any,
    scales: Any, scratch: Any, at: int, floats: Any, wholes: Any, whole_slots: Any,
) -> int:  # fmt: skip
    """Write the values of a batch of rows.

    Parameters
    ----------
    states : int64[n_slots, >= n]
        What `fold` wrote for n rows from `first_row` on.
    n, first_row : int
    as_of : int64[n_rows]
    inputs : float64[n_inputs, n_rows]
        Numbers that attributes and the context bring along.
    instants : int64[n_instants, n_rows]
    nodes : int64[n_nodes, 4]
        What to compute, of which slot, input, instant or operands, and where it goes: a line of
        `floats`, or below zero, from -1 on, one of `scratch`. Operands come before their use.
    scales : float64[n_nodes]
        What sums are divided by, or the bound of AT_LEAST.
    scratch : float64[OWN + n_lines, >= n]
        For what only other nodes want.
    at : int
        Where the values of row 0 go.
    floats : float64[n_floats, >= at + n_rows]
        Written.
    wholes : int64[n_wholes, >= at + n_rows]
        Written: the states at `whole_slots`.

    Returns
    -------
    int
        0, or 1 + the number of a node whose sum does not fit 64 bits.

    Notes
    -----
    A node's values are made one after the other by the same few instructions, so that a processor
    makes some at a time.
    """
    to_row = at + first_row
    for v in range(len(nodes)):
        what, a, b, to, scale = nodes[v, WHAT], nodes[v, A], nodes[v, B], nodes[v, TO], scales[v]
        if what <= LAST_CARRIED:
            carried = 0
            for r in range(n):
                carried |= states[a + 1, r]
            if carried != 0:
                return int(1 + v)
            if what == CHECKED:
                continue
        if what <= CODE:
            _of_states(what, states, n, a, scale, scratch)
        elif what <= DAYS_UNTIL:
            _of_row(what, states, n, a, first_row, as_of, inputs, instants, scratch)
        else:
            _of_nodes(what, n, a, b, scale, to_row, floats, scratch)
        if to >= 0:
            for r in range(n):
                floats[to, to_row + r] = scratch[HELD, r]
        else:
            for r in range(n):
                scratch[OWN - 1 - to, r] = scratch[HELD, r]
    for f in range(len(whole_slots)):
        slot = whole_slots[f]
        for r in range(n):
            wholes[f, to_row + r] = states[slot, r]
    return 0


@called
def _of_states(what: Any, states: Any, n: Any, a: Any, scale: Any, scratch: Any) -> None:
    """Write values that need nothing but the rows' states."""
    if what == TOTAL:
        for r in range(n):
            scratch[HELD, r] = states[a, r] / scale
    elif what == WHOLE:
        for r in range(n):
            scratch[HELD, r] = float(states[a, r])
    elif what == VALUE or what == CODE:
        for r in range(n):
            value, count = states[a, r], states[a + 1, r]
            scratch[HELD, r] = value / scale if count > 0 else np.nan
    elif what == MEAN:
        for r in range(n):
            total, count = states[a, r], states[a + 2, r]
            scratch[HELD, r] = total / count / scale if count > 0 else np.nan
    elif what == GAP_MEAN:
        for r in range(n):
            first, last, gaps = states[a, r], states[a + 1, r], states[a + 3, r] - 1
            scratch[HELD, r] = (last - first) / (gaps * DAY) if gaps > 0 else np.nan
    elif what == LAST_GAP:
        for r in range(n):
            last, previous, count = states[a + 1, r], states[a + 2, r], states[a + 3, r]
            scratch[HELD, r] = (last - previous) / DAY if count > 1 else np.nan
    elif what == GAP_STD:
        for r in range(n):
            total, squares, gaps = states[a, r], states[a + 1, r], states[a + 2, r] - 1
            spread = gaps * squares - total * total
            deviation = np.sqrt(spread / (gaps * (gaps - 1))) if gaps > 1 else np.nan
            scratch[HELD, r] = deviation / 24.0
    elif what == STD:
        for r in range(n):
            scratch[HELD, r] = _deviation(states, r, a) / scale
    elif what == DECAYED:
        for r in range(n):
            scratch[HELD, r] = states[a, r] / ONE / scale
    elif what == SOME:
        for r in range(n):
            scratch[HELD, r] = 1.0 if states[a, r] > 0 else 0.0
    else:
        for r in range(n):
            scratch[HELD, r] = 0.0 if states[a, r] > 0 else 1.0


@called
def _of_row(
    what: Any, states: Any, n: Any, a: Any, first_row: Any, as_of: Any, inputs: Any,
    instants: Any, scratch: Any,
) -> None:  # fmt: skip
    """Write values that need the rows' moments, or what they bring along."""
    if what == SINCE_LAST:
        for r in range(n):
            now, last, count = as_of[first_row + r], states[a + 1, r], states[a + 3, r]
            scratch[HELD, r] = (now - last) / DAY if count > 0 else np.nan
    elif what == SINCE_FIRST:
        for r in range(n):
            now, first, count = as_of[first_row + r], states[a, r], states[a + 3, r]
            scratch[HELD, r] = (now - first) / DAY if count > 0 else np.nan
    elif what == INPUT:
        for r in range(n):
            scratch[HELD, r] = inputs[a, first_row + r]
    elif what == DAYS_SINCE:
        for r in range(n):
            scratch[HELD, r] = (as_of[first_row + r] - inputs[a, first_row + r]) / DAY
    else:
        for r in range(n):
            scratch[HELD, r] = (instants[a, first_row + r] - as_of[first_row + r]) / DAY


@called
def _of_nodes(
    what: Any, n: Any, a: Any, b: Any, scale: Any, to_row: Any, floats: Any, scratch: Any
) -> None:
    """Write arithmetic on what other nodes made."""
    _fetch(n, a, HELD, to_row, floats, scratch)
    if what == AT_LEAST:
        for r in range(n):
            left = scratch[HELD, r]
            scratch[HELD, r] = scale if left < scale else left
        return
    _fetch(n, b, OTHER, to_row, floats, scratch)
    if what == PER:
        for r in range(n):
            left, right = scratch[HELD, r], scratch[OTHER, r]
            scratch[HELD, r] = left / right if right != 0 else np.nan
    elif what == MINUS:
        for r in range(n):
            scratch[HELD, r] -= scratch[OTHER, r]
    elif what == PLUS:
        for r in range(n):
            scratch[HELD, r] += scratch[OTHER, r]
    else:
        for r in range(n):
            scratch[HELD, r] *= scratch[OTHER, r]


@inlined
def _fetch(n: Any, node: Any, line: Any, to_row: Any, floats: Any, scratch: Any) -> None:
    if node >= 0:
        for r in range(n):
            scratch[line, r] = floats[node, to_row + r]
    else:
        for r in range(n):
            scratch[line, r] = scratch[OWN - 1 - node, r]


@called
def _deviation(states: Any, r: Any, a: Any) -> Any:
    """Return the sample standard deviation of a SQUARES state; NaN of fewer than two values.

    With the whole-number mean q and the rest of the sum, the squares about q are
    ``sum(x**2) - n q**2 - 2 q rest``, exact in two limbs; a float comes only after that.
    """
    n = states[a + 2, r]
    if n < 2:
        return np.nan
    q = states[a, r] // n
    rest = states[a, r] - q * n
    size = abs(q)
    low, high = _times(size, 0, size)
    low, high = _times(low, high, n)
    cross_low, cross_high = _times(size, 0, 2 * rest)
    if q < 0:
        cross_low = -cross_low
        cross_high = -cross_high
    low = states[a + 3, r] - low - cross_low
    high = states[a + 4, r] - high - cross_high
    about = float(high) * float(1 << LIMB) + float(low)
    return np.sqrt(max(about - rest * (rest / n), 0.0) / (n - 1))


@called
def _times(low: Any, high: Any, factor: Any) -> tuple[Any, Any]:
    """Return a number of two limbs times a factor below 2**48."""
    out_low = 0
    out_high = 0
    for step in range(2, -1, -1):
        part = (factor >> (16 * step)) & 0xFFFF
        out_low = (out_low << 16) + low * part
        out_high = (out_high << 16) + high * part + (out_low >> LIMB)
        out_low &= _MASK
    return out_low, out_high
