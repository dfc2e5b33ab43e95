"""Which events the log has: their keys, sorted by the id's hash, in files that are mapped."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.keys import Keys

AT_ONCE = 1 << 22
"""Keys sorted in memory at a time."""
_TOP = 2**64


class Found(NamedTuple):
    """What an index says of ids.

    Attributes
    ----------
    times : ndarray of int64
        How many events of the log have this hash: 0 or 1, and more after a collision.
    contents : ndarray of uint64
        What one of them says; anything where there is none.
    """

    times: NDArray[np.int64]
    contents: NDArray[np.uint64]


def load(path: Path) -> Keys:
    """Return the keys of an index file, mapped."""
    if not path.stat().st_size:
        nothing = np.empty(0, dtype=np.uint64)
        return Keys(nothing, nothing)
    words = np.memmap(path, dtype="<u8", mode="r")
    half = len(words) // 2
    return Keys(words[:half], words[half:])


def find(segments: Sequence[Keys], ids: NDArray[np.uint64]) -> Found:
    """Return what the segments of an index say of ids, sorted and each given once."""
    times = np.zeros(len(ids), dtype=np.int64)
    contents = np.zeros(len(ids), dtype=np.uint64)
    for segment in segments:
        if len(segment.ids):
            first = np.searchsorted(segment.ids, ids, side="left")
            held = np.searchsorted(segment.ids, ids, side="right") - first
            times += held
            there = held > 0
            contents[there] = segment.contents[first[there]]
    return Found(times, contents)


def ranges(rows: int, at_once: int = AT_ONCE) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of ranges of hashes, ascending, each with few enough of `rows` keys.

    Examples
    --------
    >>> list(ranges(10)) == [(0, 2**64)]
    True
    """
    parts = max(-(-rows // at_once), 1)
    bounds = [_TOP * number // parts for number in range(parts + 1)]
    yield from pairwise(bounds)


def within(ids: NDArray[np.uint64], bounds: tuple[int, int]) -> NDArray[np.int64]:
    """Return which of unsorted ids lie in a range."""
    if bounds == (0, _TOP):
        return np.arange(len(ids))
    return np.flatnonzero((ids >= np.uint64(bounds[0])) & (ids <= np.uint64(bounds[1] - 1)))


def write(path: Path, parts: Iterable[Keys]) -> None:
    """Write an index of keys that come in ascending ranges, each in any order."""
    with path.open("wb") as ids, tempfile.TemporaryFile(dir=path.parent) as contents:
        for part in parts:
            order = np.argsort(part.ids, kind="stable")
            ids.write(part.ids[order].tobytes())
            contents.write(part.contents[order].tobytes())
        contents.seek(0)
        shutil.copyfileobj(contents, ids, 1 << 20)


def merge(path: Path, segments: Sequence[Keys], at_once: int = AT_ONCE) -> None:
    """Write several indexes as one, a range at a time."""
    rows = sum(len(segment.ids) for segment in segments)
    write(path, (_joined(segments, bounds) for bounds in ranges(rows, at_once)))


def _joined(segments: Sequence[Keys], bounds: tuple[int, int]) -> Keys:
    parts = []
    for segment in segments:
        first = np.searchsorted(segment.ids, np.uint64(bounds[0]), side="left")
        end: Any = len(segment.ids)
        if bounds[1] < _TOP:
            end = np.searchsorted(segment.ids, np.uint64(bounds[1]), side="left")
        parts.append(segment.take(slice(int(first), int(end))))
    return Keys(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.contents for part in parts]),
    )
