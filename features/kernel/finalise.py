"""States to values: means, deviations, ratios and days, the same for one row or a million."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from features.kernel.states import LIMB, ONE

(
    WHOLE, TOTAL, MEAN, VALUE, SINCE_FIRST, SINCE_LAST, GAP_MEAN, LAST_GAP, GAP_STD, STD, DECAYED,
    CODE, SOME, NOTHING, INPUT, DAYS_UNTIL, PER, MINUS, PLUS, TIMES, AT_LEAST,
) = range(21)  # fmt: skip
"""What a node computes; see `finalise`."""

# Columns of the table of nodes.
WHAT, A, B = range(3)

DAY = 86_400_000_000
_MASK = (1 << LIMB) - 1


def finalise(
    states: Any, first_row: int, as_of: Any, inputs: Any, instants: Any, nodes: Any, scales: Any,
    values: Any, floats: Any, float_nodes: Any, wholes: Any, whole_slots: Any,
) -> int:  # fmt: skip
    """Write the values of a batch of rows.

    Parameters
    ----------
    states : int64[k, n_slots]
        What `fold` wrote for the rows from `first_row` on.
    first_row : int
    as_of : int64[n_rows]
    inputs : float64[n_inputs, n_rows]
        Numbers that attributes and the context bring along.
    instants : int64[n_instants, n_rows]
    nodes : int64[n_nodes, 3]
        What to compute, of which slot, node, input or instant; operands come before their use.
    scales : float64[n_nodes]
        What sums are divided by, or the bound of AT_LEAST.
    values : float64[n_nodes, >= k]
        Room for intermediate values.
    floats : float64[n_floats, n_rows]
        Written: the nodes listed in `float_nodes`.
    wholes : int64[n_wholes, n_rows]
        Written: the states at `whole_slots`.

    Returns
    -------
    int
        0, or 1 + the number of a node whose sum does not fit 64 bits.
    """
    k = len(states)
    for v in range(len(nodes)):
        what, a, b, scale = nodes[v, WHAT], nodes[v, A], nodes[v, B], scales[v]
        if what == TOTAL or what == MEAN or what == STD or what == DECAYED:
            for r in range(k):
                if states[r, a + 1] != 0:
                    return int(1 + v)
        for r in range(k):
            value = np.nan
            if what == WHOLE:
                value = float(states[r, a])
            elif what == TOTAL:
                value = states[r, a] / scale
            elif what == MEAN:
                if states[r, a + 2] > 0:
                    value = states[r, a] / states[r, a + 2] / scale
            elif what == VALUE or what == CODE:
                if states[r, a + 1] > 0:
                    value = states[r, a] / scale
            elif what == SINCE_FIRST:
                if states[r, a + 3] > 0:
                    value = (as_of[first_row + r] - states[r, a]) / DAY
            elif what == SINCE_LAST:
                if states[r, a + 3] > 0:
                    value = (as_of[first_row + r] - states[r, a + 1]) / DAY
            elif what == GAP_MEAN:
                if states[r, a + 3] > 1:
                    value = (states[r, a + 1] - states[r, a]) / ((states[r, a + 3] - 1) * DAY)
            elif what == LAST_GAP:
                if states[r, a + 3] > 1:
                    value = (states[r, a + 1] - states[r, a + 2]) / DAY
            elif what == GAP_STD:
                n = states[r, a + 2] - 1
                if n > 1:
                    spread = n * states[r, a + 1] - states[r, a] * states[r, a]
                    value = np.sqrt(spread / (n * (n - 1))) / 24.0
            elif what == STD:
                value = _deviation(states[r], a) / scale
            elif what == DECAYED:
                value = states[r, a] / ONE / scale
            elif what == SOME:
                value = 1.0 if states[r, a] > 0 else 0.0
            elif what == NOTHING:
                value = 0.0 if states[r, a] > 0 else 1.0
            elif what == INPUT:
                value = inputs[a, first_row + r]
            elif what == DAYS_UNTIL:
                value = (instants[a, first_row + r] - as_of[first_row + r]) / DAY
            elif what == PER:
                if values[b, r] != 0:
                    value = values[a, r] / values[b, r]
            elif what == MINUS:
                value = values[a, r] - values[b, r]
            elif what == PLUS:
                value = values[a, r] + values[b, r]
            elif what == TIMES:
                value = values[a, r] * values[b, r]
            elif what == AT_LEAST:
                value = values[a, r]
                value = max(value, scale)
            values[v, r] = value
    for f in range(len(float_nodes)):
        for r in range(k):
            floats[f, first_row + r] = values[float_nodes[f], r]
    for f in range(len(whole_slots)):
        for r in range(k):
            wholes[f, first_row + r] = states[r, whole_slots[f]]
    return 0


@register_jitable
def _deviation(state: Any, a: Any) -> Any:
    """Return the sample standard deviation of a SQUARES state; NaN of fewer than two values.

    With the whole-number mean q and the rest r of the sum, the squares about q are
    ``sum(x**2) - n q**2 - 2 q r``, exact in two limbs; a float comes only after that.
    """
    n = state[a + 2]
    if n < 2:
        return np.nan
    q = state[a] // n
    r = state[a] - q * n
    size = abs(q)
    low, high = _times(size, 0, size)
    low, high = _times(low, high, n)
    cross_low, cross_high = _times(size, 0, 2 * r)
    if q < 0:
        cross_low = -cross_low
        cross_high = -cross_high
    low = state[a + 3] - low - cross_low
    high = state[a + 4] - high - cross_high
    about = float(high) * float(1 << LIMB) + float(low)
    return np.sqrt(max(about - r * (r / n), 0.0) / (n - 1))


@register_jitable
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
