"""Fold and finalise together, batch by batch, so that states never leave the nearest cache."""

from __future__ import annotations

from typing import Any

from features.kernel.finalise import finalise
from features.kernel.fold import fold

BATCH = 256
"""Rows whose states are held at a time: enough that values are written in runs of whole lines."""


def run(
    values: Any, offsets: Any, row_offsets: Any, as_of: Any, row_codes: Any, instants: Any,
    kinds: Any, kind_offsets: Any, filters: Any, filter_offsets: Any, matches: Any,
    match_offsets: Any, windows: Any, views: Any, view_offsets: Any, ops: Any, missing: Any,
    weights: Any, weight_offsets: Any, nothing: Any, cells: Any, cell_ranges: Any, members: Any,
    sizes: Any, ranks: Any, places: Any, lines: Any, room: Any, tally: Any, tallies: Any,
    stamp: Any, edges: Any, lists: Any, counts: Any, states: Any,
    inputs: Any, nodes: Any, scales: Any, scratch: Any, at: Any, floats: Any, wholes: Any,
    whole_slots: Any,
) -> int:  # fmt: skip
    """Write the values of all rows of all customers.

    `states` has room for a batch of rows, and for all rows of any one customer. The arguments are
    those of `fold.fold` and `finalise.finalise`, and so is what is returned.
    """
    at_once = states.shape[1]
    first = 0
    while first < len(offsets) - 1:
        last = first + 1
        while last < len(offsets) - 1 and row_offsets[last + 1] - row_offsets[first] <= at_once:
            last += 1
        fold(
            values, offsets, row_offsets, as_of, row_codes, instants, kinds, kind_offsets,
            filters, filter_offsets, matches, match_offsets, windows, views, view_offsets, ops,
            missing, weights, weight_offsets, nothing, cells, cell_ranges, members, sizes, ranks,
            places, lines, room, tally, tallies, stamp, edges, lists, counts, states, first, last,
        )  # fmt: skip
        start = row_offsets[first]
        failed = finalise(
            states, row_offsets[last] - start, start, as_of, inputs, instants, nodes, scales,
            scratch, at, floats, wholes, whole_slots,
        )  # fmt: skip
        if failed != 0:
            return int(failed)
        first = last
    return 0
