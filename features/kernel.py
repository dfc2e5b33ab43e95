"""The fold: the one piece of code that turns a customer's events into states.

It is plain Python over integers, compiled by numba in `features.jit`. Everything it must know
stands in the tables that `features.plan` makes from declarations, so that adding a feature never
touches it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NULL = int(np.iinfo(np.int64).min)
"""A missing integer."""
NO_CODE = -1
"""A missing text in a column of codes."""
UNSEEN = -2
"""A text that no dictionary holds: equal to no event's code."""

COUNT, SUM, MIN, MAX, FIRST, LAST, TIMES, DISTINCT, MODE, GAPS = range(10)
WIDTHS = (1, 2, 2, 2, 2, 2, 3, 1, 2, 3)
"""How many integers the state of each operation holds."""

# Columns of the table of operations.
OP, STREAM, COLUMN, WINDOW, SLOT, MATCH_FROM, MATCH_TO = range(7)

_TOP = int(np.iinfo(np.int64).max)
_HOUR = 3_600_000_000


def fold(
    values: Any,
    offsets: Any,
    row_offsets: Any,
    starts: Any,
    ends: Any,
    knowns: Any,
    row_codes: Any,
    filters: Any,
    filter_offsets: Any,
    matches: Any,
    ops: Any,
    missing: Any,
    vocabulary: int,
    out: Any,
) -> int:
    """Fold each customer's events into the states of each of the customer's rows.

    Parameters
    ----------
    values : int64[n_columns, n_events]
        Row 0 is occurred_at and row 1 recorded_at; events sorted by
        (customer, occurred_at, event_id).
    offsets : int64[n_customers + 1]
        Where each customer's events begin.
    row_offsets : int64[n_customers + 1]
        Where each customer's rows begin.
    starts, ends, knowns : int64[n_windows, n_rows]
        An event counts if ``start <= occurred_at < end`` and ``recorded_at < known``.
    row_codes : int64[n_matches, n_rows]
        The row's own codes for filters by context.
    filters : int64[n_filters, 2]
        (column, code) pairs that hold for all events of a stream.
    filter_offsets : int64[n_streams + 1]
    matches : int64[n_matches]
        The column compared with each row of `row_codes`.
    ops : int64[n_ops, 7]
        Operation, stream, column, window, first slot, first and last + 1 of its matches.
    missing : int64[n_columns]
        What stands for a missing value in each column.
    vocabulary : int
        One more than the largest code of any column that is counted by code.
    out : int64[n_rows, n_slots]
        Written in place.

    Returns
    -------
    int
        0, or 1 + the number of the operation whose sum does not fit 64 bits.
    """
    n_streams = len(filter_offsets) - 1
    longest = 0
    for c in range(len(offsets) - 1):
        longest = max(longest, offsets[c + 1] - offsets[c])
    members = np.empty((n_streams, max(longest, 1)), np.int64)
    sizes = np.zeros(n_streams, np.int64)
    tally = np.zeros(vocabulary + 1, np.int64)
    seen_at = np.zeros(vocabulary + 1, np.int64)

    for c in range(len(offsets) - 1):
        if row_offsets[c] == row_offsets[c + 1]:
            continue
        for s in range(n_streams):
            size = 0
            for e in range(offsets[c], offsets[c + 1]):
                fits = True
                for f in range(filter_offsets[s], filter_offsets[s + 1]):
                    if values[filters[f, 0], e] != filters[f, 1]:
                        fits = False
                        break
                if fits:
                    members[s, size] = e
                    size += 1
            sizes[s] = size

        for r in range(row_offsets[c], row_offsets[c + 1]):
            for o in range(len(ops)):
                op = ops[o, OP]
                stream = ops[o, STREAM]
                column = ops[o, COLUMN]
                window = ops[o, WINDOW]
                slot = ops[o, SLOT]
                start = starts[window, r]
                end = ends[window, r]
                known = knowns[window, r]

                # Rows of one customer at one moment share all that does not depend on the row.
                if (
                    r > row_offsets[c]
                    and ops[o, MATCH_FROM] == ops[o, MATCH_TO]
                    and starts[window, r - 1] == start
                    and ends[window, r - 1] == end
                    and knowns[window, r - 1] == known
                ):
                    stop = ops[o + 1, SLOT] if o + 1 < len(ops) else out.shape[1]
                    for k in range(slot, stop):
                        out[r, k] = out[r - 1, k]
                    continue

                low = 0
                high = sizes[stream]
                while low < high:
                    middle = (low + high) // 2
                    if values[0, members[stream, middle]] < start:
                        low = middle + 1
                    else:
                        high = middle
                first_member = low

                n = 0
                total = 0
                squares = 0
                earliest = NULL
                latest = NULL
                state = NULL
                stopped = sizes[stream]
                for m in range(first_member, sizes[stream]):
                    e = members[stream, m]
                    at = values[0, e]
                    if at >= end:
                        stopped = m
                        break
                    if values[1, e] >= known:
                        continue
                    fits = True
                    for k in range(ops[o, MATCH_FROM], ops[o, MATCH_TO]):
                        if values[matches[k], e] != row_codes[k, r]:
                            fits = False
                            break
                    if not fits:
                        continue
                    value = 0
                    if column >= 0:
                        value = values[column, e]
                        if value == missing[column]:
                            continue
                    if op == SUM:
                        if (value > 0 and total > _TOP - value) or (
                            value < 0 and total < -_TOP - value
                        ):
                            return int(1 + o)
                        total += value
                    elif op == MIN:
                        if n == 0 or value < state:
                            state = value
                    elif op == MAX:
                        if n == 0 or value > state:
                            state = value
                    elif op == FIRST:
                        if n == 0:
                            state = value
                    elif op == LAST:
                        state = value
                    elif op == DISTINCT:
                        if tally[value] == 0:
                            total += 1
                        tally[value] += 1
                        seen_at[value] = m
                    elif op == MODE:
                        tally[value] += 1
                        seen_at[value] = m
                    elif op == GAPS and n > 0:
                        gap = (at - latest) // _HOUR
                        total += gap
                        squares += gap * gap
                    if n == 0:
                        earliest = at
                    latest = at
                    n += 1

                if op == COUNT:
                    out[r, slot] = n
                elif op == SUM:
                    out[r, slot] = total
                    out[r, slot + 1] = n
                elif op == TIMES:
                    out[r, slot] = earliest
                    out[r, slot + 1] = latest
                    out[r, slot + 2] = n
                elif op == GAPS:
                    out[r, slot] = total
                    out[r, slot + 1] = squares
                    out[r, slot + 2] = n
                elif op in (DISTINCT, MODE):
                    # Backward over the events that counted: the code used latest wins a tie, and
                    # the tally is zero again afterwards.
                    best = 0
                    for m in range(stopped - 1, first_member - 1, -1):
                        value = values[column, members[stream, m]]
                        if value != missing[column] and tally[value] > 0 and seen_at[value] == m:
                            if tally[value] > best:
                                best = tally[value]
                                state = value
                            tally[value] = 0
                    if op == DISTINCT:
                        out[r, slot] = total
                    else:
                        out[r, slot] = state
                        out[r, slot + 1] = n
                else:
                    out[r, slot] = state
                    out[r, slot + 1] = n
    return 0


def latest(offsets: Any, known_at: Any, rows: Any, as_of: Any, out: Any) -> None:
    """Write for each row the last change of its customer that was known before its moment.

    Parameters
    ----------
    offsets : int64[n_customers + 1]
        Where each customer's changes begin.
    known_at : int64[n_changes]
        Sorted within a customer.
    rows : int64[n]
        The customer's number of each row; -1 where the customer is unknown.
    as_of : int64[n]
    out : int64[n]
        Position among the changes; -1 where nothing was known.
    """
    for r in range(len(rows)):
        out[r] = -1
        if rows[r] < 0:
            continue
        low = offsets[rows[r]]
        high = offsets[rows[r] + 1]
        first = low
        while low < high:
            middle = (low + high) // 2
            if known_at[middle] < as_of[r]:
                low = middle + 1
            else:
                high = middle
        if low > first:
            out[r] = low - 1
