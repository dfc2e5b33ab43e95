"""One operation over a list of events, each of which changes the state of the row beside it."""

from __future__ import annotations

from typing import Any

from features.kernel.cells import add_decayed, count_code
from features.kernel.lines import SEEN
from features.kernel.marks import called, inlined
from features.kernel.operation import COLUMN, OP, SLOT, TALLY, WEIGHTS
from features.kernel.states import (
    COUNT,
    DECAY,
    DISTINCT,
    GAPS,
    HOUR,
    LAST,
    LIMB,
    MAX,
    MIN,
    MODE,
    SQUARES,
    SUM,
    TIMES,
    TOO_LARGE,
    add,
    square,
)  # fmt: skip


@called
def take(
    o: Any, n: Any, line: Any, first_row: Any, at: Any, values: Any, as_of: Any, ops: Any,
    missing: Any, weights: Any, weight_offsets: Any, tallies: Any, stamp: Any, lists: Any,
    out: Any,
) -> None:  # fmt: skip
    """Add events to the states of operation `o`.

    Parameters
    ----------
    n, line : int
        How many events, and the line of `lists` that holds them; the next line holds the places
        of their rows. Events of a row stand together, in order.
    first_row, at : int
        Number of the row at place 0, and the column of its states in `out`.
    stamp : int
        Of that row; each row's is one more than that of the row before.

    The other arguments are those of `fold.fold`.
    """
    op = ops[o, OP]
    slot = ops[o, SLOT]
    column = ops[o, COLUMN]
    if op == COUNT:
        for m in range(n):
            out[slot, at + lists[line + 1, m]] += 1
    elif op == TIMES:
        _times(n, line, at, values, slot, lists, out)
    elif op == GAPS:
        _gaps(n, line, at, values, slot, lists, out)
    elif op == DECAY:
        for m in range(n):
            e = lists[line, m]
            i = lists[line + 1, m]
            value = 1
            if column >= 0:
                value = values[column, e]
                if value == missing[column]:
                    continue
            age = as_of[first_row + i] // HOUR - values[0, e] // HOUR
            w = ops[o, WEIGHTS]
            add_decayed(value, 1, age, weights, weight_offsets, w, out, at + i, slot)
    elif op == DISTINCT or op == MODE:
        t = ops[o, TALLY]
        null = missing[column]
        for m in range(n):
            code = values[column, lists[line, m]]
            i = lists[line + 1, m]
            if code == null:
                continue
            if op == MODE:
                count_code(tallies, t, code, 1, stamp + i, out, at + i, slot)
            else:
                out[slot, at + i] += tallies[SEEN, t, code] != stamp + i
                tallies[SEEN, t, code] = stamp + i
    else:
        _values(op, n, line, at, values, column, missing[column], slot, lists, out)


@inlined
def _values(
    op: Any, n: Any, line: Any, at: Any, values: Any, column: Any, null: Any, slot: Any,
    lists: Any, out: Any,
) -> None:  # fmt: skip
    """Add the values that are not missing: to sums, or to the smallest, largest, first or last."""
    if op == SUM:
        for m in range(n):
            value = values[column, lists[line, m]]
            i = at + lists[line + 1, m]
            if value != null:
                total, carry = add(out[slot, i], out[slot + 1, i], value)
                out[slot, i] = total
                out[slot + 1, i] = carry
                out[slot + 2, i] += 1
    elif op == SQUARES:
        for m in range(n):
            value = values[column, lists[line, m]]
            if value != null:
                _add_square(value, out, at + lists[line + 1, m], slot)
    else:
        for m in range(n):
            value = values[column, lists[line, m]]
            i = at + lists[line + 1, m]
            if value != null:
                held = out[slot, i]
                count = out[slot + 1, i]
                better = (
                    count == 0
                    or op == LAST
                    or (op == MIN and value < held)
                    or (op == MAX and value > held)
                )
                out[slot, i] = value if better else held
                out[slot + 1, i] = count + 1


@inlined
def _add_square(value: Any, out: Any, i: Any, slot: Any) -> None:
    total, carry = add(out[slot, i], out[slot + 1, i], value)
    out[slot, i] = total
    out[slot + 1, i] = carry
    out[slot + 2, i] += 1
    if abs(value) >> LIMB != 0:
        out[slot + 1, i] += TOO_LARGE
        return
    low, high = square(value)
    low += out[slot + 3, i]
    over = low >> LIMB
    out[slot + 3, i] = low - (over << LIMB)
    out[slot + 4, i] += high + over


@inlined
def _times(n: Any, line: Any, at: Any, values: Any, slot: Any, lists: Any, out: Any) -> None:
    for m in range(n):
        moment = values[0, lists[line, m]]
        i = at + lists[line + 1, m]
        count = out[slot + 3, i]
        first = out[slot, i]
        out[slot, i] = moment if count == 0 else first
        out[slot + 2, i] = out[slot + 1, i]
        out[slot + 1, i] = moment
        out[slot + 3, i] = count + 1


@inlined
def _gaps(n: Any, line: Any, at: Any, values: Any, slot: Any, lists: Any, out: Any) -> None:
    for m in range(n):
        moment = values[0, lists[line, m]]
        i = at + lists[line + 1, m]
        if out[slot + 2, i] == 0:
            out[slot + 3, i] = moment
        else:
            gap = (moment - out[slot + 4, i]) // HOUR
            out[slot, i] += gap
            out[slot + 1, i] += gap * gap
        out[slot + 2, i] += 1
        out[slot + 4, i] = moment
