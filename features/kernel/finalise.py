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

DAY = 86_400_000_000
_MASK = (1 << LIMB) - 1


@called
def finalise(
    states: Any, n: int, first_row: int, as_of: Any, inputs: Any, instants: Any, nodes: Any,
    scales: Any, scratch: Any, floats: Any, wholes: Any, whole_slots: Any,
) -> int:  # fmt: skip
    """Write the values of a batch of rows.

    Parameters
    ----------
    states : int64[>= n, n_slots]
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
    scratch : float64[n_lines, >= n]
        For what only other nodes want.
    floats : float64[n_floats, n_rows]
        Written.
    wholes : int64[n_wholes, n_rows]
        Written: the states at `whole_slots`.

    Returns
    -------
    int
        0, or 1 + the number of a node whose sum does not fit 64 bits.
    """
    for v in range(len(nodes)):
        what, a, b, to, scale = nodes[v, WHAT], nodes[v, A], nodes[v, B], nodes[v, TO], scales[v]
        if what <= LAST_CARRIED:
            for r in range(n):
                if states[r, a + 1] != 0:
                    return int(1 + v)
            if what == CHECKED:
                continue
        for r in range(n):
            value = np.nan
            if what <= CODE:
                value = _of_states(what, states, r, a, scale)
            elif what <= DAYS_UNTIL:
                if what == SINCE_LAST:
                    if states[r, a + 3] > 0:
                        value = (as_of[first_row + r] - states[r, a + 1]) / DAY
                elif what == SINCE_FIRST:
                    if states[r, a + 3] > 0:
                        value = (as_of[first_row + r] - states[r, a]) / DAY
                elif what == INPUT:
                    value = inputs[a, first_row + r]
                elif what == DAYS_SINCE:
                    value = (as_of[first_row + r] - inputs[a, first_row + r]) / DAY
                else:
                    value = (instants[a, first_row + r] - as_of[first_row + r]) / DAY
            else:
                left = floats[a, first_row + r] if a >= 0 else scratch[-a - 1, r]
                if what == AT_LEAST:
                    value = scale if left < scale else left
                else:
                    right = floats[b, first_row + r] if b >= 0 else scratch[-b - 1, r]
                    if what == PER:
                        if right != 0:
                            value = left / right
                    elif what == MINUS:
                        value = left - right
                    elif what == PLUS:
                        value = left + right
                    else:
                        value = left * right
            if to >= 0:
                floats[to, first_row + r] = value
            else:
                scratch[-to - 1, r] = value
    for f in range(len(whole_slots)):
        for r in range(n):
            wholes[f, first_row + r] = states[r, whole_slots[f]]
    return 0


@inlined
def _of_states(what: Any, states: Any, r: Any, a: Any, scale: Any) -> Any:
    """Return a value that needs nothing but the row's states."""
    if what == TOTAL:
        return states[r, a] / scale
    if what == WHOLE:
        return float(states[r, a])
    if what == VALUE or what == CODE:
        return states[r, a] / scale if states[r, a + 1] > 0 else np.nan
    if what == MEAN:
        return states[r, a] / states[r, a + 2] / scale if states[r, a + 2] > 0 else np.nan
    if what == GAP_MEAN:
        if states[r, a + 3] > 1:
            return (states[r, a + 1] - states[r, a]) / ((states[r, a + 3] - 1) * DAY)
    elif what == LAST_GAP:
        if states[r, a + 3] > 1:
            return (states[r, a + 1] - states[r, a + 2]) / DAY
    elif what == GAP_STD:
        n = states[r, a + 2] - 1
        if n > 1:
            spread = n * states[r, a + 1] - states[r, a] * states[r, a]
            return np.sqrt(spread / (n * (n - 1))) / 24.0
    elif what == STD:
        return _deviation(states, r, a) / scale
    elif what == DECAYED:
        return states[r, a] / ONE / scale
    elif what == SOME:
        return 1.0 if states[r, a] > 0 else 0.0
    elif what == NOTHING:
        return 0.0 if states[r, a] > 0 else 1.0
    return np.nan


@called
def _deviation(states: Any, r: Any, a: Any) -> Any:
    """Return the sample standard deviation of a SQUARES state; NaN of fewer than two values.

    With the whole-number mean q and the rest of the sum, the squares about q are
    ``sum(x**2) - n q**2 - 2 q rest``, exact in two limbs; a float comes only after that.
    """
    n = states[r, a + 2]
    if n < 2:
        return np.nan
    q = states[r, a] // n
    rest = states[r, a] - q * n
    size = abs(q)
    low, high = _times(size, 0, size)
    low, high = _times(low, high, n)
    cross_low, cross_high = _times(size, 0, 2 * rest)
    if q < 0:
        cross_low = -cross_low
        cross_high = -cross_high
    low = states[r, a + 3] - low - cross_low
    high = states[r, a + 4] - high - cross_high
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
