"""Values laid into a larger table, while other threads go on."""

from __future__ import annotations

from typing import Any


def lay(values: Any, at: int, out: Any) -> None:
    """Write the columns of `values` side by side into `out`.

    Parameters
    ----------
    values : float64 or int64[n_columns, k]
    at : int
        Where the first of the k rows goes.
    out : of the same type, [n_columns, >= at + k]
        Written.
    """
    for f in range(values.shape[0]):
        for r in range(values.shape[1]):
            out[f, at + r] = values[f, r]
