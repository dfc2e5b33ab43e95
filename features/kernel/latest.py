"""The latest change known before a moment."""

from __future__ import annotations

from typing import Any


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
