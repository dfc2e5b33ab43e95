"""The room in which the kernel works: made once, so that nothing is allocated inside it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.kernel.lines import EVENTS_AT_ONCE, N_LINES, N_LISTS, N_ROOM, ROWS_AT_ONCE
from features.tables import Integers, Tables


class Desk(NamedTuple):
    """Scratch arrays, in the order in which `features.kernel.fold` describes them."""

    members: Integers
    sizes: Integers
    ranks: NDArray[np.uint32]
    places: Integers
    lines: Integers
    room: Integers
    tally: Integers
    tallies: Integers
    stamp: Integers
    edges: Integers
    lists: NDArray[np.uint32]
    counts: Integers


def desk_for(tables: Tables, tallies: int, codes: int, events: int, rows: int) -> Desk:
    """Return room for customers one after the other.

    Parameters
    ----------
    tables : Tables
    tallies : int
        Operations that count by code.
    codes : int
        Two more than the largest code that they meet.
    events, rows : int
        The most of one customer.
    """
    streams, windows = len(tables.filter_offsets) - 1, len(tables.windows)
    # Only several rows of one customer slide.
    sliding = events if rows > 1 else 0
    return Desk(
        members=np.empty((streams, sliding), np.int64),
        sizes=np.empty(streams, np.int64),
        ranks=np.empty((sliding + 1, streams), np.uint32),
        places=np.empty((windows + 1, rows), np.int64),
        lines=np.empty((N_LINES, rows), np.int64),
        room=np.empty((N_ROOM, sliding + 2), np.int64),
        tally=np.zeros(codes, np.int64),
        tallies=np.zeros((2, tallies, codes), np.int64),
        stamp=np.zeros(1, np.int64),
        edges=np.empty((3, windows, ROWS_AT_ONCE), np.int64),
        lists=np.empty((N_LISTS, EVENTS_AT_ONCE), np.uint32),
        counts=np.zeros(2 * len(tables.kind_offsets) - 1, np.int64),
    )
