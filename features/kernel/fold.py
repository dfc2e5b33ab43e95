"""The fold: a customer's events, sorted by time, into the states of each of the customer's rows."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import LOOSE, ROWS_AT_ONCE
from features.kernel.marks import called
from features.kernel.slide import slide
from features.kernel.sweep import meet, set_edges, sweep


@called
def fold(
    values: Any, offsets: Any, row_offsets: Any, as_of: Any, row_codes: Any, instants: Any,
    kinds: Any, kind_offsets: Any, filters: Any, filter_offsets: Any, matches: Any,
    match_offsets: Any, windows: Any, views: Any, view_offsets: Any, ops: Any, missing: Any,
    weights: Any, weight_offsets: Any, nothing: Any, cells: Any, cell_ranges: Any, members: Any,
    sizes: Any, ranks: Any, places: Any, lines: Any, room: Any, tally: Any, tallies: Any,
    stamp: Any, edges: Any, lists: Any, counts: Any, out: Any, first: int, last: int,
) -> None:  # fmt: skip
    """Fold the events of customers `first` to `last` into the states of each of their rows.

    Parameters
    ----------
    values : int64[n_columns, n_events]
        Rows 0, 1 and 2 are occurred_at, recorded_at and kind; events sorted by
        (customer, occurred_at, event_id).
    offsets, row_offsets : int64[n_customers + 1]
        Where each customer's events and rows begin. Rows are sorted by moment; the first column of
        `out` belongs to the first row of customer `first`.
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
        A stream through a window: the window, and the first and last + 1 operation. Of a stream,
        first the windows that look back, the longest before the shorter ones.
    ops : int64[n_ops, 6]
        Operation, column, first slot, line of the weights, window, and line of `tallies`.
    missing : int64[n_columns]
        What stands for a missing value in each column.
    weights : int64[n], weight_offsets : int64[n + 1]
        Of decayed sums, by age in hours.
    nothing : int64[n_slots]
        The states of no event.
    cells : int64[n, 3], cell_ranges : int64[n_ops, 2]
        What an online store summed up already, and which of it belongs to each operation.
    members : int64[n_streams, longest], sizes : int64[n_streams]
        Room for the events of one customer by stream.
    ranks : uint32[longest + 1, n_streams], places : int64[n_windows + 1, most rows]
        Room; see `windows.place_back`.
    lines : int64[N_LINES, most rows of a customer], room : int64[N_ROOM, longest + 2]
        See `lines`.
    tally : int64[vocabulary + 1]
        Zero before and after; longer than any code of a column that is counted by code.
    tallies : int64[2, n_tallies, vocabulary + 1]
        When each code was last counted (a stamp), and how often since; behind the last code, the
        largest count of the row at hand.
    stamp : int64[1]
        Larger than all that is in ``tallies[SEEN]``; grows.
    edges : int64[3, n_windows, >= ROWS_AT_ONCE], lists : uint32[N_LISTS, some thousands]
        Room; see `sweep`.
    counts : int64[2 * n_kinds + 1]
        Zero before and after.
    out : int64[n_slots, n_rows]
        Written.

    Notes
    -----
    Nothing is allocated, so that numba compiles it without counting references: counting would
    take most of the time.
    """
    base = row_offsets[first]
    n_kinds = len(kind_offsets) - 1
    # What a store summed up is counted row by row.
    at_once = 1 if len(cells) > 0 else ROWS_AT_ONCE
    held = lists.shape[1]
    first_row = 0
    done = 0
    n = 0
    met = 0
    for c in range(first, last):
        start = offsets[c]
        stop = offsets[c + 1]
        row_base = row_offsets[c]
        n_rows = row_offsets[c + 1] - row_base
        slid = n_rows * (stop - start) > 4 * (n_rows + stop - start) and len(cells) == 0
        if slid:
            for j in range(n_rows):
                lines[LOOSE, j] = 0
            slide(
                start, stop, row_base, n_rows, values, as_of, row_codes, instants, kinds,
                kind_offsets, filters, filter_offsets, matches, match_offsets, windows, views,
                view_offsets, ops, missing, weights, weight_offsets, members, sizes, ranks, places,
                lines, room, tally, out, base,
            )  # fmt: skip
        for r in range(row_base, row_base + n_rows):
            if slid and lines[LOOSE, r - row_base] == 0:
                continue
            begun = False
            e = start
            while not begun or e < stop:
                apart = not begun and (n == at_once or r != first_row + n)
                if n > 0 and (apart or met == held):
                    sweep(
                        base, first_row, done, n, met, values, as_of, row_codes, kinds,
                        kind_offsets, filters, filter_offsets, matches, match_offsets, windows,
                        views, view_offsets, ops, missing, weights, weight_offsets, nothing, cells,
                        cell_ranges, tallies, stamp, edges, lists, counts, out,
                    )  # fmt: skip
                    # A row whose events did not all find room goes on.
                    done = 1 if begun else 0
                    stamp[0] += n - done
                    n = 0
                    met = 0
                if n == 0:
                    first_row = r
                if n == 0 or not begun:
                    set_edges(windows, as_of, instants, r, edges, n)
                    n += 1
                begun = True
                some = min(stop - e, held - met)
                met = meet(e, e + some, as_of[r], n - 1, values, n_kinds, lists, counts, met)
                e += some
    if n > 0:
        sweep(
            base, first_row, done, n, met, values, as_of, row_codes, kinds, kind_offsets, filters,
            filter_offsets, matches, match_offsets, windows, views, view_offsets, ops, missing,
            weights, weight_offsets, nothing, cells, cell_ranges, tallies, stamp, edges, lists,
            counts, out,
        )  # fmt: skip
        stamp[0] += n
