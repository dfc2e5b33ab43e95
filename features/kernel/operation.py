"""One operation over the windows of one customer's rows: each event enters once and leaves once.

A window is ``members[s, low:high]``. Rows come in the order of their moments, so that the window
slides; where it jumps back or away, it starts anew.
"""

from __future__ import annotations

from typing import Any

from features.kernel.codes import distinct, mode
from features.kernel.lines import HIGH, LOW, PICKED
from features.kernel.marks import inlined
from features.kernel.order import ends, extremes, times
from features.kernel.states import (
    COUNT,
    DECAY,
    DISTINCT,
    FIRST,
    GAPS,
    LAST,
    MAX,
    MIN,
    SQUARES,
    SUM,
    TIMES,
)  # fmt: skip
from features.kernel.sums import decayed, gaps, squares, sums

# Columns of the table of operations.
OP, COLUMN, SLOT, WEIGHTS, WINDOW, TALLY = range(6)


@inlined
def apply(
    o: Any, ops: Any, missing: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any,
    room: Any, tally: Any, weights: Any, weight_offsets: Any, as_of: Any, out: Any,
    base: Any,
) -> None:  # fmt: skip
    """Write the state of operation `o` for the picked rows of one customer.

    Parameters
    ----------
    members : int64[n, longest]
        Line `s` holds the events of the operation's stream, in order.
    lines : int64[N_LINES, longest]
        The picked rows and their windows; see `lines`.
    n_rows : int
        How many.
    base : int
        The row number of the first column of `out`.

    The other arguments are those of `fold.fold`.
    """
    op = ops[o, OP]
    slot = ops[o, SLOT]
    column = ops[o, COLUMN]
    if op == COUNT:
        for j in range(n_rows):
            out[slot, lines[PICKED, j] - base] = lines[HIGH, j] - lines[LOW, j]
        return
    if op == TIMES:
        times(slot, values, members, s, lines, n_rows, out, base)
        return
    null = missing[column] if column >= 0 else 0
    if op == SUM:
        sums(column, null, slot, values, members, s, lines, n_rows, out, base)
    elif op == SQUARES:
        squares(column, null, slot, values, members, s, lines, n_rows, out, base)
    elif op == MIN or op == MAX:
        extremes(op, column, null, slot, values, members, s, lines, n_rows, room, out, base)
    elif op == FIRST or op == LAST:
        ends(op, column, null, slot, values, members, s, lines, n_rows, out, base)
    elif op == GAPS:
        gaps(slot, values, members, s, lines, n_rows, out, base)
    elif op == DISTINCT:
        distinct(
            column, null, slot, values, members, s, lines, n_rows, tally, out,
            base,
        )  # fmt: skip
    elif op == DECAY:
        w = ops[o, WEIGHTS]
        decayed(
            column, null, slot, values, members, s, lines, n_rows, weights, weight_offsets[w],
            weight_offsets[w + 1] - weight_offsets[w], as_of, out, base,
        )  # fmt: skip
    else:
        mode(
            column, null, slot, values, members, s, lines, n_rows, room, tally,
            out, base,
        )  # fmt: skip
