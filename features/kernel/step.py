"""One row at a time: each of the customer's events in turn changes the states it belongs to.

The quickest way for few rows a customer, and for a row with known events behind unknown ones. For
many rows of one customer, `slide` spares going through the same events again.
"""

from __future__ import annotations

from typing import Any

from features.kernel.lines import COUNTS, SEEN
from features.kernel.marks import called, inlined
from features.kernel.states import (
    COUNT,
    DECAY,
    DISTINCT,
    FIRST,
    GAPS,
    HOUR,
    LARGEST_WEIGHTED,
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
from features.kernel.windows import UNTIL, bounds

OP_SLOT, OP_WEIGHTS, OP_WINDOW, OP_TALLY = range(2, 6)
"""Columns of the table of operations; its first two are OP and COLUMN."""
# Columns of the table of steps.
(
    OP, COLUMN, SLOT, WINDOW, WEIGHTS, TALLY, FILTER_FROM, FILTER_TO, MATCH_FROM, MATCH_TO,
    CONDITIONS,
) = range(11)  # fmt: skip


@inlined
def set_edges(windows: Any, as_of: Any, instants: Any, r: Any, edges: Any, same: Any) -> None:
    """Write the start, the end and the known-before of each window for a row.

    Where the row before had the same moment (`same`), only instants of the context are new.
    """
    for w in range(len(windows)):
        if same and windows[w, 0] != UNTIL:
            continue
        start, end, known = bounds(windows, w, as_of, instants, r)
        edges[0, w] = start
        edges[1, w] = end
        edges[2, w] = known


@inlined
def walk(
    r: Any, first: Any, last: Any, values: Any, as_of: Any, row_codes: Any, step_offsets: Any,
    steps: Any, filters: Any, matches: Any, missing: Any, weights: Any, weight_offsets: Any,
    edges: Any, tallies: Any, stamp: Any, out: Any, o: Any,
) -> None:  # fmt: skip
    """Add the events ``values[:, first:last]`` to the states of row `r`, which are in ``out[o]``.

    Parameters
    ----------
    step_offsets : int64[2 * n_kinds + 1], steps : int64[n, 11]
        What an event of each kind changes, first through windows that look back, the longest
        first, then through those that look ahead: operation, column, first slot, window, line of
        the weights, line of the tallies, its ranges in `filters` and `matches`, and whether it
        has any of those.
    edges : int64[3, n_windows]
        See `set_edges`.
    tallies : int64[2, n_tallies, vocabulary]
        When each code was last counted (a stamp), and how often since.
    stamp : int
        Of this row, larger than that of any row before.

    The other arguments are those of `fold.fold`.
    """
    n_kinds = len(step_offsets) // 2
    now = as_of[r]
    for e in range(first, last):
        at = values[0, e]
        kind = values[2, e]
        if kind < 0 or kind >= n_kinds:
            continue
        back = at < now
        if back and values[1, e] >= now:
            continue
        half = 2 * kind if back else 2 * kind + 1
        for i in range(step_offsets[half], step_offsets[half + 1]):
            w = steps[i, WINDOW]
            if back:
                # The windows that follow are shorter.
                if at < edges[0, w]:
                    break
            elif at >= edges[1, w] or values[1, e] >= edges[2, w]:
                continue
            if steps[i, CONDITIONS] == 0 or fits(
                i, e, r, values, row_codes, steps, filters, matches
            ):
                take(
                    i, e, r, values, as_of, steps, missing, weights, weight_offsets, tallies,
                    stamp, out, o,
                )  # fmt: skip


@called
def fits(
    i: Any, e: Any, r: Any, values: Any, row_codes: Any, steps: Any, filters: Any, matches: Any
) -> Any:
    """Return whether an event has the codes that a step wants."""
    for f in range(steps[i, FILTER_FROM], steps[i, FILTER_TO]):
        if values[filters[f, 0], e] != filters[f, 1]:
            return False
    for f in range(steps[i, MATCH_FROM], steps[i, MATCH_TO]):
        if values[matches[f, 0], e] != row_codes[matches[f, 1], r]:
            return False
    return True


@inlined
def take(
    i: Any, e: Any, r: Any, values: Any, as_of: Any, steps: Any, missing: Any, weights: Any,
    weight_offsets: Any, tallies: Any, stamp: Any, out: Any, o: Any,
) -> None:  # fmt: skip
    """Add an event to the state of one step."""
    op = steps[i, OP]
    slot = steps[i, SLOT]
    at = values[0, e]
    if op == COUNT:
        out[o, slot] += 1
        return
    if op == TIMES:
        if out[o, slot + 3] == 0:
            out[o, slot] = at
        out[o, slot + 2] = out[o, slot + 1]
        out[o, slot + 1] = at
        out[o, slot + 3] += 1
        return
    column = steps[i, COLUMN]
    value = 1
    if column >= 0:
        value = values[column, e]
        if value == missing[column]:
            return
    if op == SUM:
        total, carry = add(out[o, slot], out[o, slot + 1], value)
        out[o, slot] = total
        out[o, slot + 1] = carry
        out[o, slot + 2] += 1
    elif op == DISTINCT:
        t = steps[i, TALLY]
        if tallies[SEEN, t, value] != stamp:
            tallies[SEEN, t, value] = stamp
            out[o, slot] += 1
    elif op == MIN:
        if out[o, slot + 1] == 0 or value < out[o, slot]:
            out[o, slot] = value
        out[o, slot + 1] += 1
    elif op == MAX:
        if out[o, slot + 1] == 0 or value > out[o, slot]:
            out[o, slot] = value
        out[o, slot + 1] += 1
    elif op == FIRST:
        if out[o, slot + 1] == 0:
            out[o, slot] = value
        out[o, slot + 1] += 1
    elif op == LAST:
        out[o, slot] = value
        out[o, slot + 1] += 1
    elif op == SQUARES:
        _add_square(value, out, o, slot)
    elif op == GAPS:
        if out[o, slot + 2] == 0:
            out[o, slot + 3] = at
        else:
            gap = (at - out[o, slot + 4]) // HOUR
            out[o, slot] += gap
            out[o, slot + 1] += gap * gap
        out[o, slot + 2] += 1
        out[o, slot + 4] = at
    elif op == MODE:
        count_code(tallies, steps[i, TALLY], value, 1, stamp, out, o, slot)
    elif op == DECAY:
        age = as_of[r] // HOUR - at // HOUR
        add_decayed(value, 1, age, weights, weight_offsets, steps[i, WEIGHTS], out, o, slot)


@inlined
def _add_square(value: Any, out: Any, o: Any, slot: Any) -> None:
    total, carry = add(out[o, slot], out[o, slot + 1], value)
    out[o, slot] = total
    out[o, slot + 1] = carry
    out[o, slot + 2] += 1
    if abs(value) >> LIMB != 0:
        out[o, slot + 1] += TOO_LARGE
        return
    low, high = square(value)
    low += out[o, slot + 3]
    over = low >> LIMB
    out[o, slot + 3] = low - (over << LIMB)
    out[o, slot + 4] += high + over


@inlined
def count_code(
    tallies: Any, t: Any, code: Any, amount: Any, stamp: Any, out: Any, o: Any, slot: Any
) -> None:
    """Count a code; the last to reach the largest count is the one used latest of those seen most.

    The tally's line 0 of counts holds the largest so far behind the last code.
    """
    if tallies[SEEN, t, code] != stamp:
        tallies[SEEN, t, code] = stamp
        tallies[COUNTS, t, code] = 0
    tallies[COUNTS, t, code] += amount
    most = tallies.shape[2] - 1
    if out[o, slot + 1] == 0:
        tallies[COUNTS, t, most] = 0
    if tallies[COUNTS, t, code] >= tallies[COUNTS, t, most]:
        tallies[COUNTS, t, most] = tallies[COUNTS, t, code]
        out[o, slot] = code
    out[o, slot + 1] += amount


@inlined
def add_decayed(
    value: Any, n: Any, age: Any, weights: Any, weight_offsets: Any, w: Any, out: Any, o: Any,
    slot: Any,
) -> None:  # fmt: skip
    """Add a value of some age, in whole hours, with the weight of that age; none if too old."""
    if age >= weight_offsets[w + 1] - weight_offsets[w]:
        return
    out[o, slot + 2] += n
    if abs(value) >= LARGEST_WEIGHTED:
        out[o, slot + 1] += TOO_LARGE
        return
    total, carry = add(out[o, slot], out[o, slot + 1], value * weights[weight_offsets[w] + age])
    out[o, slot] = total
    out[o, slot + 1] = carry


@called
def add_cells(
    r: Any, as_of: Any, ops: Any, edges: Any, cells: Any, cell_ranges: Any, weights: Any,
    weight_offsets: Any, tallies: Any, stamp: Any, out: Any, o: Any,
) -> None:  # fmt: skip
    """Add what an online store summed up: the events before those that are walked."""
    for k in range(len(ops)):
        slot = ops[k, OP_SLOT]
        t = ops[k, OP_TALLY]
        for m in range(cell_ranges[k, 0], cell_ranges[k, 1]):
            if ops[k, OP] == DECAY:
                age = as_of[r] // HOUR - cells[m, 0] // HOUR
                w = ops[k, OP_WEIGHTS]
                add_decayed(cells[m, 2], cells[m, 1], age, weights, weight_offsets, w, out, o, slot)
            elif cells[m, 0] >= edges[0, ops[k, OP_WINDOW]]:
                if ops[k, OP] == MODE:
                    count_code(tallies, t, cells[m, 1], cells[m, 2], stamp, out, o, slot)
                elif tallies[SEEN, t, cells[m, 1]] != stamp:
                    tallies[SEEN, t, cells[m, 1]] = stamp
                    out[o, slot] += 1
