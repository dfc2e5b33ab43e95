"""Integer columns of Arrow as rows of int64, where `NULL` stands for what is null."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.kernel import NULL

_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
_KEPT = -_BITS.astype(np.int64)
_BLANK = ~_KEPT & NULL
_GROUPS = 1 << 13
"""Groups of eight values at a time: what they need on the way fits a cache."""


def fill(row: NDArray[np.int64], column: Any) -> None:
    """Write an integer column into a row of int64, `NULL` where it is null.

    Examples
    --------
    >>> row = np.empty(3, np.int64)
    >>> fill(row, pa.array([5, None, 7]))
    >>> [value if value != NULL else None for value in row.tolist()]
    [5, None, 7]
    """
    at = 0
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        end = at + len(chunk)
        valid, content = chunk.buffers()
        kind = np.int32 if chunk.type == pa.int32() else np.int64
        row[at:end] = np.frombuffer(content, kind, count=chunk.offset + len(chunk))[chunk.offset :]
        if chunk.null_count:
            bits = np.frombuffer(valid, np.uint8)
            if chunk.offset:
                own = slice(chunk.offset, chunk.offset + len(chunk))
                bits = np.packbits(np.unpackbits(bits, bitorder="little")[own], bitorder="little")
            _blank(row[at:end], bits)
        at = end


def _blank(row: NDArray[np.int64], bits: NDArray[np.uint8]) -> None:
    """Write `NULL` where a bit is not set, eight values at a time.

    Looking up what to keep and what to set is arithmetic on whole vectors: assigning by a mask
    takes five times as long.
    """
    whole = len(row) // 8
    groups = row[: 8 * whole].reshape(-1, 8)
    for start in range(0, whole, _GROUPS):
        octets = bits[start : min(start + _GROUPS, whole)]
        some = groups[start : start + len(octets)]
        some &= _KEPT.take(octets, axis=0, mode="clip")
        some |= _BLANK.take(octets, axis=0, mode="clip")
    rest = len(row) - 8 * whole
    if rest:
        row[-rest:] &= _KEPT[bits[whole], :rest]
        row[-rest:] |= _BLANK[bits[whole], :rest]
