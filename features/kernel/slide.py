"""Many rows of one customer: windows slide over the events, and each enters and leaves once."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import KEY, KEYS, NEWEST, ROWS, STARTS
from features.kernel.marks import called, inlined
from features.kernel.operation import OP, SLOT, apply
from features.kernel.sorting import sort_together
from features.kernel.states import clear
from features.kernel.windows import (
    NEXT,
    known_ends,
    newest_so_far,
    place,
    place_back,
    starts,
)  # fmt: skip


@called
def slide(
    first_event: Any, last_event: Any, row_base: Any, n_rows: Any, values: Any, as_of: Any,
    row_codes: Any, instants: Any, kinds: Any, kind_offsets: Any, filters: Any,
    filter_offsets: Any, matches: Any, match_offsets: Any, windows: Any, views: Any,
    view_offsets: Any, ops: Any, missing: Any, weights: Any, weight_offsets: Any, members: Any,
    sizes: Any, ranks: Any, places: Any, lines: Any, room: Any, tally: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """Write the states of the rows from `row_base` on, all of one customer.

    Rows that have known events behind unknown ones are marked as LOOSE and left alone. The
    arguments are those of `fold.fold`.
    """
    n_streams = len(filter_offsets) - 1
    for s in range(n_streams):
        sizes[s] = 0
    for e in range(first_event, last_event):
        for s in range(n_streams):
            ranks[e - first_event, s] = sizes[s]
        kind = values[2, e]
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
        ranks[last_event - first_event, s] = sizes[s]
    place_back(
        first_event, last_event, values, windows, as_of, instants, row_base, n_rows, places, lines
    )
    for s in range(n_streams):
        for j in range(n_rows):
            lines[ROWS, j] = row_base + j
        matched = match_offsets[s] != match_offsets[s + 1]
        if matched:
            _sort_rows(row_codes, matches, match_offsets, s, lines, n_rows)
            _sort_events(values, matches, match_offsets, s, members, sizes[s], room)
        j = 0
        at = 0
        while j < n_rows:
            k, first, last = n_rows, 0, sizes[s]
            if matched:
                # Rows that ask for the same codes share the events that have them.
                wanted = lines[KEYS, j]
                k = j + 1
                while k < n_rows and lines[KEYS, k] == wanted:
                    k += 1
                first = at
                while first < sizes[s] and room[KEY, first] < wanted:
                    first += 1
                last = first
                while last < sizes[s] and room[KEY, last] == wanted:
                    last += 1
                at = last
            _stream(
                s, matched, first, last, j, k - j, row_base, values, members, ranks, places, lines,
                as_of, instants, windows, views, view_offsets, ops, missing, weights,
                weight_offsets, room, tally, out, base,
            )  # fmt: skip
            j = k


@called
def _key(codes: Any, matches: Any, offsets: Any, s: Any, at: Any, side: Any) -> Any:
    """Return one number for the codes an event has (side 0), or a row asks for (side 1).

    Equal numbers only for equal codes: a code has 31 bits, and a plan allows two matches. A code
    missing from an event and one unseen of a row are different, so they never meet.
    """
    key = 0
    for f in range(offsets[s], offsets[s + 1]):
        key = key * 2147483648 + (codes[matches[f, side], at] + 2)
    return key


@called
def _sort_rows(row_codes: Any, matches: Any, offsets: Any, s: Any, lines: Any, n_rows: Any) -> None:
    for j in range(n_rows):
        lines[KEYS, j] = _key(row_codes, matches, offsets, s, lines[ROWS, j], 1)
    sort_together(lines, KEYS, lines, ROWS, n_rows, lines, STARTS)


@called
def _sort_events(
    values: Any, matches: Any, offsets: Any, s: Any, members: Any, size: Any, room: Any
) -> None:
    for m in range(size):
        room[KEY, m] = _key(values, matches, offsets, s, members[s, m], 0)
    sort_together(room, KEY, members, s, size, room, NEWEST)


@inlined
def _stream(
    s: Any, matched: Any, first: Any, last: Any, first_row: Any, n_rows: Any, row_base: Any,
    values: Any, members: Any, ranks: Any, places: Any, lines: Any, as_of: Any, instants: Any,
    windows: Any, views: Any, view_offsets: Any, ops: Any, missing: Any, weights: Any,
    weight_offsets: Any, room: Any, tally: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """Fold the events ``members[s, first:last]`` of a stream through each of its windows."""
    if first == last:
        for o in range(views[view_offsets[s], 1], views[view_offsets[s + 1] - 1, 2]):
            for j in range(n_rows):
                clear(ops[o, OP], out, ops[o, SLOT], lines[ROWS, first_row + j] - base)
        return
    newest_so_far(values, members, s, first, last, room)
    picked = known_ends(
        values, members, s, matched, first, last, room, as_of, ranks, places, lines, first_row,
        n_rows, row_base,
    )  # fmt: skip
    for v in range(view_offsets[s], view_offsets[s + 1]):
        w = views[v, 0]
        if windows[w, 0] < NEXT:
            starts(
                values, members, s, matched, first, last, windows, w, as_of, instants, ranks,
                places, lines, row_base, picked,
            )  # fmt: skip
        else:
            # They follow those that look back, and need what those wrote no more.
            picked = place(
                values, members, s, first, last, room, windows, w, as_of, instants, lines,
                first_row, n_rows, row_base,
            )  # fmt: skip
        if picked > 0:
            for o in range(views[v, 1], views[v, 2]):
                apply(
                    o, ops, missing, values, members, s, lines, picked, room, tally, weights,
                    weight_offsets, as_of, out, base,
                )  # fmt: skip
