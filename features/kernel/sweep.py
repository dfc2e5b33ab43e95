"""Some rows at a time: the events that they meet, by kind, through one operation after another.

The quickest way for few rows a customer, and for a row with known events behind unknown ones. A
processor guesses which way a branch goes; what each operation does to each event is then always
the same. For many rows of one customer, `slide` spares going through the same events again.
"""

from __future__ import annotations

from typing import Any

from features.kernel.cells import add_cells
from features.kernel.lines import ASKING, CHOSEN, EVENT, GROUP, MET, ROW, WITHIN
from features.kernel.marks import called, inlined
from features.kernel.take import take
from features.kernel.windows import EVER, NEXT, UNTIL, bounds


@inlined
def set_edges(windows: Any, as_of: Any, instants: Any, r: Any, edges: Any, i: Any) -> None:
    """Write the start, the end and the known-before of each window for a row, at place `i`.

    Where the row before had the same moment, only instants of the context are new.
    """
    same = i > 0 and as_of[r] == as_of[r - 1]
    for w in range(len(windows)):
        if same and windows[w, 0] != UNTIL:
            edges[0, w, i] = edges[0, w, i - 1]
            edges[1, w, i] = edges[1, w, i - 1]
            edges[2, w, i] = edges[2, w, i - 1]
        else:
            start, end, known = bounds(windows, w, as_of, instants, r)
            edges[0, w, i] = start
            edges[1, w, i] = end
            edges[2, w, i] = known


@inlined
def meet(
    first: Any, last: Any, now: Any, i: Any, values: Any, n_kinds: Any, lists: Any, counts: Any,
    met: Any,
) -> Any:  # fmt: skip
    """Add the events ``values[:, first:last]`` to those that the row at place `i` meets.

    An event's group is its kind twice, and one more if it lies ahead of the row's moment; what
    was not known then, or is of no kind, is in the last group.

    Returns
    -------
    int
        How many events are met so far; `met` is how many were before.
    """
    for e in range(first, last):
        kind = values[2, e]
        back = values[0, e] < now
        group = 2 * kind if back else 2 * kind + 1
        if kind < 0 or kind >= n_kinds or (back and values[1, e] >= now):
            group = 2 * n_kinds
        lists[MET, met] = e
        lists[ASKING, met] = i
        lists[GROUP, met] = group
        counts[group] += 1
        met += 1
    return met


@called
def sweep(
    base: Any, first_row: Any, done: Any, n_rows: Any, met: Any, values: Any, as_of: Any,
    row_codes: Any, kinds: Any, kind_offsets: Any, filters: Any, filter_offsets: Any,
    matches: Any, match_offsets: Any, windows: Any, views: Any, view_offsets: Any, ops: Any,
    missing: Any, weights: Any, weight_offsets: Any, nothing: Any, cells: Any, cell_ranges: Any,
    tallies: Any, stamp: Any, edges: Any, lists: Any, counts: Any, out: Any,
) -> None:  # fmt: skip
    """Add the events that rows meet to their states, from ``out[:, first_row - base]`` on.

    Parameters
    ----------
    base : int
        The row number of the first column of `out`.
    first_row, n_rows : int
        Which rows.
    done : int
        Rows, of the first ones, that have states of earlier events already.
    met : int
        How many events `meet` wrote down.

    The other arguments are those of `fold.fold`.
    """
    at = first_row - base
    for k in range(len(nothing)):
        for i in range(done, n_rows):
            out[k, at + i] = nothing[k]
    if len(cells) > 0:
        for i in range(done, n_rows):
            add_cells(
                first_row + i, i, as_of, ops, edges, cells, cell_ranges, weights, weight_offsets,
                tallies, stamp[0] + 1 + i, out, at + i,
            )  # fmt: skip
    _sort(lists, counts, met)
    begin = 0
    for kind in range(len(kind_offsets) - 1):
        back = counts[2 * kind]
        ahead = counts[2 * kind + 1]
        for half in range(2):
            # First the events before the rows' moments, then those that lie ahead of them.
            start = back if half else begin
            end = ahead if half else back
            if start == end:
                continue
            for k in range(kind_offsets[kind], kind_offsets[kind + 1]):
                s = kinds[k]
                n = _choose(
                    s, start, end, first_row, values, row_codes, filters, filter_offsets, matches,
                    match_offsets, lists,
                )  # fmt: skip
                for v in range(view_offsets[s], view_offsets[s + 1]):
                    w = views[v, 0]
                    if (windows[w, 0] >= NEXT) != (half == 1):
                        continue
                    line = CHOSEN
                    size = n
                    if half:
                        line = WITHIN
                        size = _before(w, values, edges, lists, n)
                    elif windows[w, 0] != EVER:
                        # The windows that follow are shorter.
                        n = _since(w, values, edges, lists, n)
                        size = n
                    if size == 0:
                        continue
                    for o in range(views[v, 1], views[v, 2]):
                        take(
                            o, size, line, first_row, at, values, as_of, ops, missing, weights,
                            weight_offsets, tallies, stamp[0] + 1, lists, out,
                        )  # fmt: skip
        begin = ahead
    for group in range(len(counts)):
        counts[group] = 0


@inlined
def _sort(lists: Any, counts: Any, met: Any) -> None:
    """Write events and rows group by group, in their order; `counts` become the groups' ends."""
    start = 0
    for group in range(len(counts)):
        size = counts[group]
        counts[group] = start
        start += size
    for m in range(met):
        group = lists[GROUP, m]
        place = counts[group]
        counts[group] = place + 1
        lists[EVENT, place] = lists[MET, m]
        lists[ROW, place] = lists[ASKING, m]


@inlined
def _choose(
    s: Any, first: Any, last: Any, first_row: Any, values: Any, row_codes: Any, filters: Any,
    filter_offsets: Any, matches: Any, match_offsets: Any, lists: Any,
) -> Any:  # fmt: skip
    """Write those of a group's events that are in stream `s`, and return how many."""
    for m in range(first, last):
        lists[CHOSEN, m - first] = lists[EVENT, m]
        lists[CHOSEN + 1, m - first] = lists[ROW, m]
    n = last - first
    for f in range(filter_offsets[s], filter_offsets[s + 1]):
        column = filters[f, 0]
        code = filters[f, 1]
        kept = 0
        for m in range(n):
            e = lists[CHOSEN, m]
            _put(lists, CHOSEN, kept, e, lists[CHOSEN + 1, m])
            kept += values[column, e] == code
        n = kept
    for f in range(match_offsets[s], match_offsets[s + 1]):
        column = matches[f, 0]
        line = matches[f, 1]
        kept = 0
        for m in range(n):
            e = lists[CHOSEN, m]
            i = lists[CHOSEN + 1, m]
            _put(lists, CHOSEN, kept, e, i)
            kept += values[column, e] == row_codes[line, first_row + i]
        n = kept
    return n


@inlined
def _since(w: Any, values: Any, edges: Any, lists: Any, n: Any) -> Any:
    """Keep the chosen events that are in a window, and return how many."""
    kept = 0
    for m in range(n):
        e = lists[CHOSEN, m]
        i = lists[CHOSEN + 1, m]
        _put(lists, CHOSEN, kept, e, i)
        kept += values[0, e] >= edges[0, w, i]
    return kept


@inlined
def _before(w: Any, values: Any, edges: Any, lists: Any, n: Any) -> Any:
    """Write the chosen events that are in a window that looks ahead, and return how many."""
    kept = 0
    for m in range(n):
        e = lists[CHOSEN, m]
        i = lists[CHOSEN + 1, m]
        _put(lists, WITHIN, kept, e, i)
        kept += values[0, e] < edges[1, w, i] and values[1, e] < edges[2, w, i]
    return kept


@inlined
def _put(lists: Any, line: Any, place: Any, e: Any, i: Any) -> None:
    lists[line, place] = e
    lists[line + 1, place] = i
