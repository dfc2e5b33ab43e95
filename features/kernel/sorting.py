"""A stable sort that needs no memory of its own."""

from __future__ import annotations

from typing import Any

from features.kernel.marks import called


@called
def sort_together(keys: Any, k: Any, along: Any, a: Any, n: Any, room: Any, r: Any) -> None:
    """Sort ``keys[k, :n]``, and ``along[a, :n]`` in the same way; equals keep their order.

    Parameters
    ----------
    room : int64[>= r + 2, >= n]
        Two lines from `r` on that may be written.
    """
    width = 1
    while width < n:
        for start in range(0, n, 2 * width):
            i = start
            middle = min(start + width, n)
            j = middle
            end = min(start + 2 * width, n)
            for m in range(start, end):
                if j >= end or (i < middle and keys[k, i] <= keys[k, j]):
                    room[r, m] = keys[k, i]
                    room[r + 1, m] = along[a, i]
                    i += 1
                else:
                    room[r, m] = keys[k, j]
                    room[r + 1, m] = along[a, j]
                    j += 1
        for m in range(n):
            keys[k, m] = room[r, m]
            along[a, m] = room[r + 1, m]
        width *= 2
