"""Which arriving events are new: each event_id once, whatever its customer and bucket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features import duplicates, id_index
from features.incoming import ARRIVAL, FILE
from features.keys import Keys, buckets
from features.validate import ROW, comparable


class Conflict(NamedTuple):
    """An event whose id the log, or an earlier batch, has with other content."""

    file: int
    row: int
    column: str
    event: dict[str, Any]


class Admission(NamedTuple):
    """What becomes of arriving events.

    Attributes
    ----------
    kept : ndarray of bool
        For each event whether it is new.
    repeated : int
        How many are in the log, or came earlier, with the same content.
    conflicts : list of Conflict
        The others.
    """

    kept: NDArray[np.bool_]
    repeated: int
    conflicts: list[Conflict]


class _Sorted(NamedTuple):
    """Events that agree with the first of their id, and those that must be looked at."""

    kept: NDArray[np.int64]
    repeated: int
    doubtful: NDArray[np.int64]
    stored: Keys


def admit(
    arrived: Keys,
    segments: Sequence[Keys],
    arrived_rows: Callable[[NDArray[np.int64]], pa.Table],
    stored_rows: Callable[[Keys], pa.Table],
    columns: Sequence[str],
) -> Admission:
    """Return which events are new.

    Nearly all are told by their keys alone. Rows are read only where one id's hash came with
    several contents: a conflict, or a collision of hashes.

    Parameters
    ----------
    arrived : Keys
        In order of arrival; may be mapped.
    segments : sequence of Keys
        The log's index.
    arrived_rows : callable
        Returns the events of some arrival numbers, with `incoming.ARRIVAL`.
    stored_rows : callable
        Returns the log's events that have one of some keys' ids, from those keys' buckets.
    columns : sequence of str
        What an event consists of, `event_id` and `customer_id` among them.
    """
    kept = np.zeros(len(arrived.ids), dtype=bool)
    repeated = 0
    doubtful, stored = [], []
    for bounds in id_index.ranges(len(arrived.ids)):
        rows = id_index.within(arrived.ids, bounds)
        if len(rows):
            part = _sort(arrived.take(rows), segments)
            kept[rows[part.kept]] = True
            repeated += part.repeated
            doubtful.append(rows[part.doubtful])
            stored.append(part.stored)
    looked_at = np.sort(np.concatenate(doubtful)) if doubtful else np.empty(0, dtype=np.int64)
    if not len(looked_at):
        return Admission(kept, repeated, [])
    new = arrived_rows(looked_at).sort_by(ARRIVAL)
    ids, contents = (np.concatenate(words) for words in zip(*stored, strict=True))
    old = stored_rows(Keys(ids, contents)) if len(ids) else new.slice(0, 0)
    names = list(columns)
    rows = pa.concat_tables([old.select(names), new.select(names).cast(old.select(names).schema)])
    content = {name: comparable(rows[name]) for name in names if name != "event_id"}
    found = duplicates.find(duplicates.codes(rows["event_id"]), content)
    fresh = ~(found.repeated | found.conflicting)[old.num_rows :]
    kept[looked_at[fresh]] = True
    conflicts = [
        Conflict(
            new[FILE][row].as_py(),
            new[ROW][row].as_py(),
            str(found.column[old.num_rows + row]),
            new.select(names).slice(row, 1).to_pylist()[0],
        )
        for row in np.flatnonzero(found.conflicting[old.num_rows :]).tolist()
    ]
    return Admission(kept, repeated + int(found.repeated.sum()), conflicts)


def _sort(arrived: Keys, segments: Sequence[Keys]) -> _Sorted:
    order = np.argsort(arrived.ids, kind="stable")
    keys = arrived.take(order)
    first = np.concatenate([[True], keys.ids[1:] != keys.ids[:-1]])
    group = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    known = id_index.find(segments, keys.ids[starts])
    said = np.where(known.times == 1, known.contents, keys.contents[starts])
    doubt = known.times > 1
    doubt |= np.bincount(group, weights=keys.contents != said[group]) > 0
    sure = ~doubt[group]
    new = first & (known.times == 0)[group]
    asked = doubt & (known.times > 0)
    return _Sorted(
        kept=order[sure & new],
        repeated=int((sure & ~new).sum()),
        doubtful=order[~sure],
        stored=_stored(segments, keys.ids[starts[asked]]),
    )


def _stored(segments: Sequence[Keys], ids: NDArray[np.uint64]) -> Keys:
    """Return every key of the log that has one of some ids' hashes."""
    nothing = np.empty(0, dtype=np.uint64)
    found = [Keys(nothing, nothing)]
    for segment in segments:
        for each in ids if len(segment.ids) else ():
            first, end = (int(np.searchsorted(segment.ids, each, side=s)) for s in _SIDES)
            found.append(segment.take(slice(first, end)))
    joined = (np.concatenate(words) for words in zip(*found, strict=True))
    return Keys(*joined)


_SIDES: tuple[Any, Any] = ("left", "right")


def buckets_asked(asked: Keys) -> dict[int, NDArray[np.uint64]]:
    """Return the hashes of ids that are to be looked for in each bucket."""
    of = buckets(asked)
    return {int(number): asked.ids[of == number] for number in np.unique(of)}
