"""Which of a stream's events lie in a window, and whether all of them were known in time."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import HIGH, LOOSE, LOW, NEWEST, PICKED, ROWS
from features.kernel.marks import inlined
from features.kernel.states import HOUR

EVER, EXACT, HOURLY, NEXT, UNTIL = range(5)
"""Since ever; a length back; the same from the full hour before; a length ahead; to an instant."""
ALWAYS = -(2**62)
"""An instant before every event."""


@inlined
def bounds(windows: Any, w: Any, as_of: Any, instants: Any, r: Any) -> tuple[Any, Any, Any]:
    """Return (start, end, known before) of a row's window, microseconds UTC.

    An event counts if ``start <= occurred_at < end`` and ``recorded_at < known before``.
    """
    at = as_of[r]
    mode = windows[w, 0]
    if mode == EVER:
        return ALWAYS, at, at
    if mode == EXACT:
        return at - windows[w, 1], at, at
    if mode == HOURLY:
        return (at - windows[w, 1]) // HOUR * HOUR, at, at
    end = at + windows[w, 1]
    if mode == UNTIL:
        end = instants[windows[w, 3], r]
    return at, end, end + windows[w, 2]


@inlined
def newest_so_far(values: Any, members: Any, s: Any, first: Any, last: Any, room: Any) -> None:
    """Write for each place when the last of the events up to it was recorded."""
    so_far = ALWAYS
    for m in range(first, last):
        so_far = max(so_far, values[1, members[s, m]])
        room[NEWEST, m] = so_far


@inlined
def place(
    values: Any, members: Any, s: Any, first: Any, last: Any, room: Any, windows: Any, w: Any,
    as_of: Any, instants: Any, lines: Any, first_row: Any, n_rows: Any,
    row_base: Any,
) -> Any:  # fmt: skip
    """Write the windows ``[LOW, HIGH)`` of rows among ``members[s, first:last]``.

    Rows whose window holds exactly the events known in time are PICKED, in order; the others are
    marked as LOOSE.

    Parameters
    ----------
    first_row, n_rows : int
        Which entries of the line ROWS.
    row_base : int
        The customer's first row.

    Returns
    -------
    int
        How many rows were picked.
    """
    picked = 0
    low = first
    stop = first
    before = ALWAYS
    for j in range(n_rows):
        r = lines[ROWS, first_row + j]
        start, end, known = bounds(windows, w, as_of, instants, r)
        # From moment to moment windows move on, so each search goes on where the last one ended;
        # instants of the context may lie anywhere.
        if start < before or windows[w, 0] == UNTIL:
            low = first
            stop = first
        before = start
        low = _first(values, members, s, start, low, last)
        stop = _first(values, members, s, end, max(stop, low), last)
        sure = stop
        if stop > first and room[NEWEST, stop - 1] >= known:
            bottom = first
            while bottom < sure:
                middle = (bottom + sure) // 2
                if room[NEWEST, middle] < known:
                    bottom = middle + 1
                else:
                    sure = middle
        high = max(sure, low)
        loose = False
        for m in range(high, stop):
            if values[1, members[s, m]] < known:
                loose = True
                break
        if loose:
            lines[LOOSE, r - row_base] = 1
            continue
        lines[PICKED, picked] = r
        lines[LOW, picked] = low
        lines[HIGH, picked] = high
        picked += 1
    return picked


@inlined
def _first(values: Any, members: Any, s: Any, instant: Any, low: Any, high: Any) -> Any:
    """Return the first place from `low` on whose event did not occur before an instant."""
    if high - low < 16:
        while low < high and values[0, members[s, low]] < instant:
            low += 1
        return low
    while low < high:
        middle = (low + high) // 2
        if values[0, members[s, middle]] < instant:
            low = middle + 1
        else:
            high = middle
    return low
