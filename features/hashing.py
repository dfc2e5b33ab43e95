"""64-bit hashes of whole columns at once, the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_ODD = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_WORD = 8


def mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return each word with its bits spread over all 64.

    Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).

    Examples
    --------
    >>> mixed(np.array([0, 1], dtype=np.uint64)).tolist()
    [0, 6238072747940578789]
    """
    x = words ^ (words >> np.uint64(30))
    x *= _FIRST
    x ^= x >> np.uint64(27)
    x *= _SECOND
    x ^= x >> np.uint64(31)
    return x


def texts(column: Any) -> NDArray[np.uint64]:
    """Return a hash of each text of a column's UTF-8 bytes; a missing text is the empty one.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray of string

    Examples
    --------
    >>> found = texts(pa.array(["anna", "ben", "anna"]))
    >>> bool(found[0] == found[2]), bool(found[0] == found[1])
    (True, False)
    """
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(flat, pa.ChunkedArray):
        flat = pa.concat_arrays(flat.chunks)
    n = len(flat)
    if n == 0:
        return np.empty(0, dtype=np.uint64)
    _, places, content = flat.buffers()
    offsets = np.frombuffer(places, np.int32, count=flat.offset + n + 1)[flat.offset :]
    first, last = int(offsets[0]), int(offsets[-1])
    # Two words more, so that the word after the last one can be looked at.
    padded = np.zeros((last - first) // _WORD + 2, dtype=np.uint64)
    if last > first:
        padded.view(np.uint8)[: last - first] = np.frombuffer(content, np.uint8)[first:last]
    starts, lengths = offsets[:-1] - np.int64(first), np.diff(offsets)
    found = lengths.astype(np.uint64) * _ODD
    rows: Any = slice(None)
    for done in range(0, max(int(lengths.max()), 1), _WORD):
        if done:
            rows = np.flatnonzero(lengths > done)
        word = _word(padded, starts[rows] + done, lengths[rows] - done)
        found[rows] = mixed((found[rows] ^ word) + _ODD)
    return found


def _word(
    padded: NDArray[np.uint64], start: NDArray[np.int64], left: NDArray[Any]
) -> NDArray[np.uint64]:
    """Return the (at most) eight bytes that begin at each start, as little-endian words."""
    place, shift = start >> 3, ((start & 7) << 3).astype(np.uint64)
    word: NDArray[np.uint64] = padded[place] >> shift
    # A shift by a word's whole width is nothing in numpy, as it should be.
    word |= padded[place + 1] << (np.uint64(64) - shift)
    spare = (np.clip(_WORD - left, 0, _WORD) << 3).astype(np.uint64)
    word <<= spare
    word >>= spare
    return word
