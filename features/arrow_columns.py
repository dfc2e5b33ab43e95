"""Columns of features between numpy and Arrow, without a change of a single bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def to_arrow(values: NDArray[Any]) -> pa.Array:
    """Return values as Arrow: a NaN stays one, None becomes null.

    Parameters
    ----------
    values : ndarray
        Numbers, bools, or objects that are str or None.

    Examples
    --------
    >>> to_arrow(np.array([1.5, np.nan])).to_pylist(), to_arrow(np.array([None])).to_pylist()
    ([1.5, nan], [None])
    """
    return pa.array(values, pa.string() if values.dtype == object else None)


def to_numpy(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Return what `to_arrow` was given: NaN for a null among numbers, None among texts.

    Examples
    --------
    >>> to_numpy(pa.array(["a", None])).tolist()
    ['a', None]
    """
    if pa.types.is_floating(column.type) or not column.null_count:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return np.array(column.to_pylist(), dtype=object)
        found = column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(False)
        return np.array(found)
    return np.array(column.to_pylist(), dtype=object)
