"""What an online store summed up by code or by age, for the states of a row."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import COUNTS, SEEN
from features.kernel.marks import called, inlined
from features.kernel.operation import OP, SLOT, TALLY, WEIGHTS, WINDOW
from features.kernel.states import DECAY, HOUR, LARGEST_WEIGHTED, MODE, TOO_LARGE, add


@inlined
def count_code(
    tallies: Any, t: Any, code: Any, amount: Any, stamp: Any, out: Any, o: Any, slot: Any
) -> None:
    """Count a code; the last to reach the largest count is the one used latest of those seen most.

    The tally's line of counts holds the largest so far behind the last code.
    """
    if tallies[SEEN, t, code] != stamp:
        tallies[SEEN, t, code] = stamp
        tallies[COUNTS, t, code] = 0
    tallies[COUNTS, t, code] += amount
    most = tallies.shape[2] - 1
    if out[slot + 1, o] == 0:
        tallies[COUNTS, t, most] = 0
    if tallies[COUNTS, t, code] >= tallies[COUNTS, t, most]:
        tallies[COUNTS, t, most] = tallies[COUNTS, t, code]
        out[slot, o] = code
    out[slot + 1, o] += amount


@inlined
def add_decayed(
    value: Any, n: Any, age: Any, weights: Any, weight_offsets: Any, w: Any, out: Any, o: Any,
    slot: Any,
) -> None:  # fmt: skip
    """Add a value of some age, in whole hours, with the weight of that age; none if too old."""
    if age >= weight_offsets[w + 1] - weight_offsets[w]:
        return
    out[slot + 2, o] += n
    if abs(value) >= LARGEST_WEIGHTED:
        out[slot + 1, o] += TOO_LARGE
        return
    total, carry = add(out[slot, o], out[slot + 1, o], value * weights[weight_offsets[w] + age])
    out[slot, o] = total
    out[slot + 1, o] = carry


@called
def add_cells(
    r: Any, i: Any, as_of: Any, ops: Any, edges: Any, cells: Any, cell_ranges: Any, weights: Any,
    weight_offsets: Any, tallies: Any, stamp: Any, out: Any, o: Any,
) -> None:  # fmt: skip
    """Add what an online store summed up: the events before those that are swept.

    Parameters
    ----------
    r, i, o : int
        Number of the row, and its places in `edges` and in `out`.
    stamp : int
        Of this row, larger than that of any row before.

    The other arguments are those of `fold.fold`.
    """
    for k in range(len(ops)):
        slot = ops[k, SLOT]
        t = ops[k, TALLY]
        for m in range(cell_ranges[k, 0], cell_ranges[k, 1]):
            if ops[k, OP] == DECAY:
                age = as_of[r] // HOUR - cells[m, 0] // HOUR
                w = ops[k, WEIGHTS]
                add_decayed(cells[m, 2], cells[m, 1], age, weights, weight_offsets, w, out, o, slot)
            elif cells[m, 0] >= edges[0, ops[k, WINDOW], i]:
                if ops[k, OP] == MODE:
                    count_code(tallies, t, cells[m, 1], cells[m, 2], stamp, out, o, slot)
                elif tallies[SEEN, t, cells[m, 1]] != stamp:
                    tallies[SEEN, t, cells[m, 1]] = stamp
                    out[slot, o] += 1
