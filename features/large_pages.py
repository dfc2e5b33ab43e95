"""Large matrices where the system hands memory over in large pages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGE_PAGE = 1 << 21
"""Bytes. numpy asks the system for large pages, but its arrays start anywhere between two."""


def spacious(rows: int, columns: int) -> NDArray[np.int64]:
    """Return an uninitialised int64 matrix that starts where a large page does, if it fills one.

    A page of 4 kB costs the system as much trouble as one of 2 MB: handing out a large matrix
    that is written once took a fifth of a build's time.

    Examples
    --------
    >>> spacious(3, 100_000).ctypes.data % LARGE_PAGE
    0
    """
    size = rows * columns
    if 8 * size < LARGE_PAGE:
        return np.empty((rows, columns), np.int64)
    held = np.empty(size + LARGE_PAGE // 8, np.int64)
    skipped = -held.ctypes.data % LARGE_PAGE // 8
    return held[skipped : skipped + size].reshape(rows, columns)
