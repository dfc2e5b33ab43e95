"""Which of a stream's events lie in a window, and whether all of them were known in time."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import HIGH, LOOSE, LOW, NEWEST, PICKED, ROWS, UNSURE
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
def place_back(
    first_event: Any, last_event: Any, values: Any, windows: Any, as_of: Any, instants: Any,
    row_base: Any, n_rows: Any, places: Any, lines: Any,
) -> None:  # fmt: skip
    """Write where the windows of rows that look back start and end among a customer's events.

    ``places[w, j]`` is the first event of window `w`, and the last line the first event at or
    after each row's moment, both counted from the customer's first event on. A row is UNSURE if
    any event before that was recorded at its moment or later.
    """
    for w in range(len(windows)):
        if windows[w, 0] < NEXT:
            low = first_event
            for j in range(n_rows):
                start, _, _ = bounds(windows, w, as_of, instants, row_base + j)
                # From moment to moment windows move on: each search begins where the last ended.
                low = _first_of(values, start, low, last_event)
                places[w, j] = low - first_event
    stop = first_event
    seen = first_event
    newest = ALWAYS
    for j in range(n_rows):
        now = as_of[row_base + j]
        stop = _first_of(values, now, stop, last_event)
        while seen < stop:
            newest = max(newest, values[1, seen])
            seen += 1
        places[len(windows), j] = stop - first_event
        lines[UNSURE, j] = newest >= now


@inlined
def known_ends(
    values: Any, members: Any, s: Any, matched: Any, first: Any, last: Any, room: Any, as_of: Any,
    ranks: Any, places: Any, lines: Any, first_row: Any, n_rows: Any, row_base: Any,
) -> Any:  # fmt: skip
    """Write where the windows of rows that look back end among ``members[s, first:last]``: HIGH.

    Rows with exactly the events known in time before that are PICKED, in order; the others are
    marked as LOOSE.

    Parameters
    ----------
    matched : bool
        Whether these are some of the stream's events only; if not, ``ranks[e, s]`` says how many
        of the customer's first `e` events are in the stream.
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
    stop = first
    for j in range(n_rows):
        r = lines[ROWS, first_row + j]
        i = r - row_base
        now = as_of[r]
        if matched:
            stop = _first(values, members, s, now, stop, last)
        else:
            stop = ranks[places[len(places) - 1, i], s]
        high = stop
        if lines[UNSURE, i] != 0:
            high = _sure(room, now, first, stop)
            if _known_later(values, members, s, now, high, stop):
                lines[LOOSE, i] = 1
                continue
        lines[PICKED, picked] = r
        lines[HIGH, picked] = high
        picked += 1
    return picked


@inlined
def starts(
    values: Any, members: Any, s: Any, matched: Any, first: Any, last: Any, windows: Any, w: Any,
    as_of: Any, instants: Any, ranks: Any, places: Any, lines: Any, row_base: Any, picked: Any,
) -> None:  # fmt: skip
    """Write where a window that looks back starts for each row that was picked: LOW."""
    low = first
    for j in range(picked):
        r = lines[PICKED, j]
        if matched:
            start, _, _ = bounds(windows, w, as_of, instants, r)
            low = _first(values, members, s, start, low, last)
        else:
            low = ranks[places[w, r - row_base], s]
        lines[LOW, j] = min(low, lines[HIGH, j])


@inlined
def place(
    values: Any, members: Any, s: Any, first: Any, last: Any, room: Any, windows: Any, w: Any,
    as_of: Any, instants: Any, lines: Any, first_row: Any, n_rows: Any,
    row_base: Any,
) -> Any:  # fmt: skip
    """Write the windows ``[LOW, HIGH)`` that look ahead of rows; see `known_ends`."""
    picked = 0
    low = first
    stop = first
    for j in range(n_rows):
        r = lines[ROWS, first_row + j]
        start, end, known = bounds(windows, w, as_of, instants, r)
        # Instants of the context may lie anywhere.
        if windows[w, 0] == UNTIL:
            stop = first
        low = _first(values, members, s, start, low, last)
        stop = _first(values, members, s, end, max(stop, low), last)
        high = max(_sure(room, known, first, stop), low)
        if _known_later(values, members, s, known, high, stop):
            lines[LOOSE, r - row_base] = 1
            continue
        lines[PICKED, picked] = r
        lines[LOW, picked] = low
        lines[HIGH, picked] = high
        picked += 1
    return picked


@inlined
def _sure(room: Any, known: Any, first: Any, stop: Any) -> Any:
    """Return the place up to which all events were recorded before an instant."""
    if stop == first or room[NEWEST, stop - 1] < known:
        return stop
    bottom = first
    sure = stop
    while bottom < sure:
        middle = (bottom + sure) // 2
        if room[NEWEST, middle] < known:
            bottom = middle + 1
        else:
            sure = middle
    return sure


@inlined
def _known_later(values: Any, members: Any, s: Any, known: Any, high: Any, stop: Any) -> Any:
    """Return whether any of the places from `high` on was recorded before an instant."""
    found = False
    for m in range(high, stop):
        if values[1, members[s, m]] < known:
            found = True
            break
    return found


@inlined
def _first(values: Any, members: Any, s: Any, instant: Any, low: Any, high: Any) -> Any:
    """Return the first place from `low` on whose event did not occur before an instant."""
    # From one row to the next a window moves by few events.
    near = min(low + 8, high)
    while low < near:
        if values[0, members[s, low]] >= instant:
            return low
        low += 1
    while low < high:
        middle = (low + high) // 2
        if values[0, members[s, middle]] < instant:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _first_of(values: Any, instant: Any, low: Any, high: Any) -> Any:
    """Return the first event from `low` on that did not occur before an instant."""
    near = min(low + 8, high)
    while low < near:
        if values[0, low] >= instant:
            return low
        low += 1
    while low < high:
        middle = (low + high) // 2
        if values[0, middle] < instant:
            low = middle + 1
        else:
            high = middle
    return low
