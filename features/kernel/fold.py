"""The fold: a customer's events, sorted by time, into the states of each of the customer's rows."""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from features.kernel.lines import (
    HIGH,
    KEY,
    KEYS,
    LOOSE,
    LOW,
    NEWEST,
    PICKED,
    ROWS,
    STARTS,
)  # fmt: skip
from features.kernel.operation import OP, SLOT, apply
from features.kernel.sorting import sort_together
from features.kernel.states import clear
from features.kernel.windows import bounds, newest_so_far, place

KIND = 2
"""The column of `values` that holds the kind of event."""


def fold(
    values: Any, offsets: Any, row_offsets: Any, as_of: Any, row_codes: Any, instants: Any,
    kinds: Any, kind_offsets: Any, filters: Any, filter_offsets: Any, matches: Any,
    match_offsets: Any, windows: Any, views: Any, view_offsets: Any, ops: Any, missing: Any,
    weights: Any, weight_offsets: Any, cells: Any, cell_ranges: Any, members: Any, sizes: Any,
    lines: Any, room: Any, tally: Any, out: Any,
) -> None:  # fmt: skip
    """Fold each customer's events into the states of each of the customer's rows.

    Parameters
    ----------
    values : int64[n_columns, n_events]
        Rows 0, 1 and 2 are occurred_at, recorded_at and kind; events sorted by
        (customer, occurred_at, event_id).
    offsets, row_offsets : int64[n_customers + 1]
        Where each customer's events and rows begin. Rows are sorted by moment; the first line of
        `out` belongs to the first row.
    as_of : int64[n_rows]
    row_codes : int64[n_matches, n_rows]
        The rows' own codes for filters by context.
    instants : int64[n_instants, n_rows]
        Where windows end that the context ends.
    kinds : int64[n], kind_offsets : int64[n_kinds + 1]
        The streams that take events of each kind.
    filters : int64[n_filters, 2], filter_offsets : int64[n_streams + 1]
        (column, code) pairs that hold for all events of a stream.
    matches : int64[n, 2], match_offsets : int64[n_streams + 1]
        (column, line of `row_codes`) pairs that are compared for each row.
    windows : int64[n_windows, 4]
        Mode, length, lag and line of `instants`; see `windows`.
    views : int64[n_views, 3], view_offsets : int64[n_streams + 1]
        A stream through a window: the window, and the first and last + 1 operation.
    ops : int64[n_ops, 4]
        Operation, column, first slot, line of the weights.
    missing : int64[n_columns]
        What stands for a missing value in each column.
    weights : int64[n], weight_offsets : int64[n + 1]
    cells : int64[n, 3], cell_ranges : int64[n_ops, 2]
        What an online store summed up already, and which of it belongs to each operation.
    members : int64[n_streams + 2, longest], sizes : int64[n_streams]
        Room for the events of one customer by stream, and for two selections of them.
    lines : int64[N_LINES, most rows of a customer or longest]
        See `lines`.
    room : int64[N_ROOM, longest + 2]
        Scratch.
    tally : int64[vocabulary]
        Zero before and after; longer than any code of a column that is counted by code.
    out : int64[n_rows, n_slots]
        Written.

    Notes
    -----
    Nothing is allocated, so that numba compiles it without counting references: counting would
    take most of the time.
    """
    n_streams = len(filter_offsets) - 1
    base = row_offsets[0]
    for c in range(len(offsets) - 1):
        n_rows = row_offsets[c + 1] - row_offsets[c]
        if n_rows == 0:
            continue
        for s in range(n_streams):
            sizes[s] = 0
        for e in range(offsets[c], offsets[c + 1]):
            kind = values[KIND, e]
            if kind < 0 or kind >= len(kind_offsets) - 1:
                continue
            for k in range(kind_offsets[kind], kind_offsets[kind + 1]):
                s = kinds[k]
                fits = True
                for f in range(filter_offsets[s], filter_offsets[s + 1]):
                    if values[filters[f, 0], e] != filters[f, 1]:
                        fits = False
                        break
                if fits:
                    members[s, sizes[s]] = e
                    sizes[s] += 1
        for s in range(n_streams):
            for j in range(n_rows):
                lines[ROWS, j] = row_offsets[c] + j
            matched = match_offsets[s] != match_offsets[s + 1]
            if matched and n_rows > 1:
                _sort_rows(row_codes, matches, match_offsets, s, lines, n_rows)
                _sort_events(values, matches, match_offsets, s, members, sizes[s], room)
            j = 0
            at = 0
            while j < n_rows:
                k, line, first, last = n_rows, s, 0, sizes[s]
                if matched:
                    # Rows that ask for the same codes share the events that have them.
                    wanted = _key(row_codes, matches, match_offsets, s, lines[ROWS, j], 1)
                    k = j + 1
                    while k < n_rows and lines[KEYS, k] == wanted:
                        k += 1
                    if n_rows == 1:
                        line, last = n_streams, 0
                        for m in range(sizes[s]):
                            e = members[s, m]
                            if _key(values, matches, match_offsets, s, e, 0) == wanted:
                                members[n_streams, last] = e
                                last += 1
                    else:
                        first = at
                        while first < sizes[s] and room[KEY, first] < wanted:
                            first += 1
                        last = first
                        while last < sizes[s] and room[KEY, last] == wanted:
                            last += 1
                        at = last
                _stream(
                    s, line, first, last, j, k - j, values, members, lines, as_of, instants,
                    windows, views, view_offsets, ops, missing, weights, weight_offsets, cells,
                    cell_ranges, room, tally, out, base,
                )  # fmt: skip
                j = k


@register_jitable
def _key(codes: Any, matches: Any, offsets: Any, s: Any, at: Any, side: Any) -> Any:
    """Return one number for the codes an event has (side 0), or a row asks for (side 1).

    Equal numbers only for equal codes: a code has 31 bits, and a plan allows two matches. A code
    missing from an event and one unseen of a row are different, so they never meet.
    """
    key = 0
    for f in range(offsets[s], offsets[s + 1]):
        key = key * 2147483648 + (codes[matches[f, side], at] + 2)
    return key


@register_jitable
def _sort_rows(row_codes: Any, matches: Any, offsets: Any, s: Any, lines: Any, n_rows: Any) -> None:
    for j in range(n_rows):
        lines[KEYS, j] = _key(row_codes, matches, offsets, s, lines[ROWS, j], 1)
    sort_together(lines, KEYS, lines, ROWS, n_rows, lines, STARTS)


@register_jitable
def _sort_events(
    values: Any, matches: Any, offsets: Any, s: Any, members: Any, size: Any, room: Any
) -> None:
    for m in range(size):
        room[KEY, m] = _key(values, matches, offsets, s, members[s, m], 0)
    sort_together(room, KEY, members, s, size, room, NEWEST)


@register_jitable(forceinline=True)
def _stream(
    s: Any, line: Any, first: Any, last: Any, first_row: Any, n_rows: Any, values: Any,
    members: Any, lines: Any, as_of: Any, instants: Any, windows: Any, views: Any,
    view_offsets: Any, ops: Any, missing: Any, weights: Any, weight_offsets: Any, cells: Any,
    cell_ranges: Any, room: Any, tally: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """Fold the events ``members[line, first:last]`` of a stream through each of its windows."""
    if first == last and len(cells) == 0:
        for o in range(views[view_offsets[s], 1], views[view_offsets[s + 1] - 1, 2]):
            for j in range(n_rows):
                clear(ops[o, OP], out, lines[ROWS, first_row + j] - base, ops[o, SLOT])
        return
    newest_so_far(values, members, line, first, last, room)
    for v in range(view_offsets[s], view_offsets[s + 1]):
        w = views[v, 0]
        picked = place(
            values, members, line, first, last, room, windows, w, as_of, instants, lines,
            first_row, n_rows,
        )  # fmt: skip
        # Where all that occurred in time was known in time, windows slide over the members. Each
        # row that has known events behind unknown ones then folds its own selection.
        folded = picked
        from_line = line
        j = 0
        while True:
            if picked > 0:
                for o in range(views[v, 1], views[v, 2]):
                    apply(
                        o, ops, missing, values, members, from_line, lines, picked, room, tally,
                        weights, weight_offsets, as_of, cells, cell_ranges, out, base,
                    )  # fmt: skip
            if folded == n_rows:
                break
            while lines[LOOSE, j] == 0:
                j += 1
            from_line = members.shape[0] - 1
            r = lines[ROWS, first_row + j]
            start, _, known = bounds(windows, w, as_of, instants, r)
            picked = 1
            lines[PICKED, 0] = r
            lines[STARTS, 0] = start
            lines[LOW, 0] = 0
            lines[HIGH, 0] = 0
            for m in range(first, lines[LOOSE, j]):
                e = members[line, m]
                if values[0, e] >= start and values[1, e] < known:
                    members[from_line, lines[HIGH, 0]] = e
                    lines[HIGH, 0] += 1
            folded += 1
            j += 1
