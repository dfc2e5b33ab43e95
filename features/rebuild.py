"""One customer's record made anew from the log and the ledger, when a late event asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features import record
from features.everybody import Ids
from features.local_time import DERIVED
from features.log import EventLog
from features.record import EVER, Record, State

if TYPE_CHECKING:
    from features.draft import Words

_opened: dict[Path, EventLog] = {}


def past(home: Path, customer_id: str, columns: Sequence[str], words: Words) -> Past:
    """Return what the log in `home` holds of a customer.

    Parameters
    ----------
    home : Path
    customer_id : str
    columns : sequence of str
        Of a store's records.
    words : Words
        Of the store: the log may have grown since, and given codes that the store has not.
    """
    log = EventLog.open(home)
    # What a log reads once, such as all customers' states, is kept until there is another log.
    held = _opened.get(home)
    if held is None or held.fingerprint != log.fingerprint:
        held = _opened[home] = log
    return Past(held, customer_id, columns, words)


class Past:
    """One customer in one log.

    Attributes
    ----------
    exported : int
        Number up to which the ledger is in the log.
    states : list of (known_at, attributes)
        All of them.
    """

    def __init__(
        self, log: EventLog, customer_id: str, columns: Sequence[str], words: Words
    ) -> None:
        self.exported = log.exported or 0
        self.states = _states(log, customer_id)
        self._log, self._customer, self._columns, self._words = log, customer_id, columns, words

    def record(self) -> Record:
        """Return all events in one record, derived columns still empty, states left out."""
        log, columns = self._log, self._columns
        blocks, places = log.locate(pa.array([self._customer], pa.string()))
        if blocks[0] < 0:
            return record.empty(len(columns))
        ref = log.blocks[int(blocks[0])]
        stored = [name for name in columns if name not in DERIVED]
        block = log.read_block(ref, stored)
        start, stop = block.offsets[places[0] : places[0] + 2].tolist()
        values = np.zeros((len(columns), stop - start), np.int64)
        for row, name in enumerate(stored):
            values[columns.index(name)] = self._coded(name, block.values[row, start:stop])
        ends, ids = Ids(log.event_ids(ref)).of(start, stop)
        return record.empty(len(columns))._replace(values=values, ends=ends, ids=ids, cut=EVER)

    def _coded(self, name: str, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return a column in the store's codes."""
        if name not in self._log.dictionaries:
            return values
        levels = self._log.dictionaries[name]
        found, places = np.unique(values, return_inverse=True)
        codes = [self._words.code(name, levels.text(code)) for code in found.tolist()]
        return np.array(codes, np.int64)[places]


def _states(log: EventLog, customer_id: str) -> list[State]:
    rows: Any = log.customers.filter(pc.field("customer_id") == customer_id)
    return [
        (row["known_at"], {k: v for k, v in row.items() if k not in ("customer_id", "known_at")})
        for row in rows.to_pylist()
    ]
