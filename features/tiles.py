"""Tiles written: a customer's older events as lines of states, by day and by hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from features.compute import NO_CELLS, Rows
from features.jit import Compiled
from features.kernel.states import DECAY, DISTINCT, HOUR
from features.plan import Stream
from features.tables import Integers
from features.tile_layout import Measure, TileLayout, TileSet
from features.window import DAY

FAR = 2**62
"""A moment after every event."""
CHUNK = 32 * DAY
"""How many days' lines are kept together: a reader wants one of them."""

Buffer = bytes | memoryview


class Reader(Protocol):
    """Reads a customer's tiles."""

    def get(self, names: Sequence[bytes]) -> Sequence[Buffer | None]:
        """Return tiles by their names; None where there is none."""
        ...


@dataclass(frozen=True)
class Lines:
    """States by time of one tile set of one customer.

    Attributes
    ----------
    ever : ndarray of int64, shape (1, width)
        Of all events before the cut.
    days : ndarray of int64, shape (n_days,)
        The midnights (UTC) of days with events.
    """

    ever: Integers
    days: Integers


@lru_cache(maxsize=4096)
def key(what: str, name: str, codes: tuple[int, ...], number: int = 0) -> bytes:
    """Return the name of a tile; those that rows ask for are the same for all customers.

    Parameters
    ----------
    what : {"i", "t", "d", "c"}
        The index (all events' line, and the days); the lines of the days of a chunk, by its
        number; the lines of a day's hours, by its day; the cells of a measure, by its number.
    name : str
        The tile set's.
    codes : tuple of int
        Those that chose the events.

    Examples
    --------
    >>> key("d", "category", (7,), 17167)
    b'd:category:7:17167'
    """
    chosen = ".".join(map(str, codes)) if codes else ""
    return f"{what}:{name}:{chosen}:{number}".encode()


def cut_before(layout: TileLayout, now: int) -> int:
    """Return the latest midnight before which events may become tiles at a moment."""
    return (now - layout.margin) // DAY * DAY


def add(
    layout: TileLayout, engine: Compiled, values: Integers, reader: Reader, cut: int
) -> dict[bytes, bytes]:
    """Return what to write so that tiles hold more of a customer's events.

    Parameters
    ----------
    layout : TileLayout
    engine : Compiled
    values : ndarray of int64, shape (n_columns, n)
        The events to add, sorted by (occurred_at, event_id): all of them after those that the
        tiles hold, and before `cut`.
    reader : Reader
        The customer's tiles so far.
    cut : int
        A midnight (UTC): where the tiles end from now on, in microseconds.

    Returns
    -------
    dict of bytes to bytes
        By name; see `key`. What is empty can be deleted.
    """
    out: dict[bytes, bytes] = {}
    for tiles in layout.sets.values():
        for codes, events in _chosen(tiles, layout.columns, values):
            out |= _add_set(layout, tiles, codes, engine, events, reader, cut)
    return out


def _chosen(
    tiles: TileSet, columns: tuple[str, ...], values: Integers
) -> Iterator[tuple[tuple[int, ...], Integers]]:
    """Yield the events of each combination of codes that a row may ask for."""
    if not tiles.matched:
        yield (), values
        return
    # Only kinds that the set's measures read: others would make tiles that nobody asks for.
    kinds = [tiles.plan.dictionaries["kind"].code(measure[0][0]) for measure in tiles.slots]
    read = values[:, np.isin(values[columns.index("kind")], kinds)]
    codes = read[[columns.index(name) for name in tiles.matched]]
    found, which = np.unique(codes, axis=1, return_inverse=True)
    for number in range(found.shape[1]):
        chosen = tuple(found[:, number].tolist())
        if min(chosen) >= 0:
            yield chosen, np.ascontiguousarray(read[:, which == number])


def _add_set(
    layout: TileLayout, tiles: TileSet, codes: tuple[int, ...], engine: Compiled, values: Integers,
    reader: Reader, cut: int,
) -> dict[bytes, bytes]:  # fmt: skip
    hours = values[0] // HOUR * HOUR
    starts = np.flatnonzero(np.diff(hours, prepend=hours[:1] - 1))
    hour = hours[starts]
    day = hour // DAY * DAY
    lines = _states(tiles, engine, values, np.append(starts, len(hours)))
    engine.suffixes(tiles.measures, day, lines)
    first = np.flatnonzero(np.diff(day, prepend=day[:1] - 1))
    days = day[first]
    tops = lines[first].copy()
    engine.suffixes(tiles.measures, np.zeros(len(tops), np.int64), tops)

    ever = tops[:1].copy()
    old = decode(tiles, reader.get([key("i", tiles.name, codes)])[0])
    if old is not None:
        ever = old.ever.copy()
        engine.extend(tiles.measures, ever, tops[:1])
        before = _tops(tiles, codes, old.days, reader)
        engine.extend(tiles.measures, before, tops[:1])
        days = np.concatenate([old.days, days])
        tops = np.concatenate([before, tops])
    recent = days >= cut - layout.longest - DAY
    out = {key("d", tiles.name, codes, gone // DAY): b"" for gone in days[~recent].tolist()}
    out |= {
        key("t", tiles.name, codes, chunk): b"" for chunk in set((days[~recent] // CHUNK).tolist())
    }
    days, tops = days[recent], tops[recent]
    out[key("i", tiles.name, codes)] = ever.tobytes() + days.tobytes()
    for chunk in np.unique(days // CHUNK).tolist():
        out[key("t", tiles.name, codes, chunk)] = tops[days // CHUNK == chunk].tobytes()
    ends = np.append(first, len(hour))
    for number, start in enumerate(first.tolist()):
        if day[start] >= cut - layout.longest - DAY:
            stop = ends[number + 1]
            held = hour[start:stop].tobytes() + lines[start:stop].tobytes()
            out[key("d", tiles.name, codes, int(day[start]) // DAY)] = held
    return out | _cells(layout, tiles, codes, values, reader)


def decode(tiles: TileSet, index: Buffer | None) -> Lines | None:
    """Return a set's index as it was written; None where none was."""
    if index is None:
        return None
    width = tiles.plan.width
    held = np.frombuffer(index, np.int64)
    return Lines(held[:width].reshape(1, width), held[width:])


def _tops(tiles: TileSet, codes: tuple[int, ...], days: Integers, reader: Reader) -> Integers:
    chunks = np.unique(days // CHUNK).tolist()
    blobs = reader.get([key("t", tiles.name, codes, chunk) for chunk in chunks])
    held = b"".join(bytes(blob) for blob in blobs if blob is not None)
    return np.frombuffer(held, np.int64).reshape(-1, tiles.plan.width).copy()


def _states(tiles: TileSet, engine: Compiled, values: Integers, offsets: Integers) -> Integers:
    """Return the states of the events between each offset and the next."""
    n = len(offsets) - 1
    plan = tiles.plan
    out = np.empty((plan.width, n), np.int64)
    rows = Rows(np.arange(n + 1, dtype=np.int64), np.full(n, FAR, np.int64), {}, {})
    none = np.empty((0, n), np.int64)
    # Texts that came with these very events are in no dictionary before they are all written.
    counted = [plan.columns.index(name) for name in plan.counted]
    desk = plan.desk(0, 1, int(values[counted].max(initial=-1)) + 1)
    plan.states(engine, values, offsets.astype(np.int64), rows, (none, none), desk, out)
    return np.ascontiguousarray(out.T)


def empty(tiles: TileSet, engine: Compiled) -> Integers:
    """Return the line of no event, shape (1, width)."""
    nothing = np.empty((len(tiles.plan.columns), 0), np.int64)
    return _states(tiles, engine, nothing, np.zeros(2, np.int64))


def _cells(
    layout: TileLayout, tiles: TileSet, codes: tuple[int, ...], values: Integers, reader: Reader
) -> dict[bytes, bytes]:
    names = [key("c", tiles.name, codes, number) for number in range(len(tiles.cells))]
    out = {}
    for name, measure, old in zip(names, tiles.cells, reader.get(names), strict=True):
        new = cells_of(layout.columns, measure, tiles.plan.dictionaries, values)
        held = np.frombuffer(old or b"", np.int64).reshape(-1, 3)
        both = np.concatenate([held, new])
        if measure[1] == DISTINCT:
            # Only the last time of each code matters.
            _, last = np.unique(both[::-1, 1], return_index=True)
            both = both[np.sort(len(both) - 1 - last)]
        out[name] = np.ascontiguousarray(both).tobytes()
    return out


def cells_of(
    columns: tuple[str, ...], measure: Measure, dictionaries: Mapping[str, Any], values: Integers
) -> Integers:
    """Return the cells of some events, sorted by time: instant, code and amount.

    Of DISTINCT: the last time of each code. Of MODE: the last time of each code in each hour, and
    how often. Of DECAY: each hour, how many values (in the code's place), and their sum.
    """
    stream, op, column, _ = measure
    taken = _taken(columns, stream, dictionaries, values)
    if column:
        line = values[columns.index(column)]
        taken &= line != (-1 if column in dictionaries else np.iinfo(np.int64).min)
        read = line[taken]
    else:
        read = np.ones(int(taken.sum()), np.int64)
    at = values[0, taken]
    if not len(at):
        return NO_CELLS
    if op == DECAY:
        hour, first = np.unique(at // HOUR * HOUR, return_index=True)
        counts = np.diff(np.append(first, len(at)))
        return np.stack([hour, counts, np.add.reduceat(read, first)], axis=1)
    group = read if op == DISTINCT else np.stack([at // HOUR, read])
    _, last, counts = np.unique(group[..., ::-1], axis=-1, return_index=True, return_counts=True)
    last = len(at) - 1 - last
    order = np.argsort(last, kind="stable")
    return np.stack([at[last[order]], read[last[order]], counts[order]], axis=1)


def _taken(
    columns: tuple[str, ...], stream: Stream, dictionaries: Mapping[str, Any], values: Integers
) -> Any:
    kind, fixed, _ = stream
    taken = values[columns.index("kind")] == dictionaries["kind"].code(kind)
    for name, text in fixed:
        code = dictionaries[name].code(text)
        taken &= (values[columns.index(name)] == code) & (code >= 0)
    return taken
