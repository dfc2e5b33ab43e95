"""Values put where they belong, while other threads go on."""

from __future__ import annotations

from typing import Any


def spread(values: Any, rows: Any, out: Any) -> None:
    """Write each column of `values` to the rows given.

    Parameters
    ----------
    values : float64 or int64[n_columns, k]
    rows : int64[k]
    out : of the same type, [n_columns, n]
        Written.
    """
    for f in range(len(values)):
        for r in range(len(rows)):
            out[f, rows[r]] = values[f, r]
