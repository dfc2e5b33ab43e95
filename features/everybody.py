"""Records of everybody in the log, made block by block to fill an online store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features import record
from features.attributes import AttributeTable
from features.compute import Plan
from features.fold_blocks import hold
from features.frame import attribute_table
from features.jit import Compiled
from features.log import EventLog
from features.progress import Report
from features.record import EVER, Record, State

STEP = "filling the online store"
_AT_ONCE = 100_000
Records = list[tuple[str, Record]]


def records(log: EventLog, plan: Plan, engine: Compiled, report: Report) -> Iterator[Records]:
    """Yield all customers and their records, those of one block at a time.

    Parameters
    ----------
    log : EventLog
    plan : Plan
        Its `columns` are those of the records.
    engine : Compiled
    report : callable
        Told how many events are done.
    """
    attributes = attribute_table(log)
    total = sum(ref.rows for ref in log.blocks)
    done = 0
    report(STEP, 0, total)
    for ref in log.blocks:
        held = hold(log, ref, plan, attributes, engine)
        rows = attributes.rows_of(held.customers).tolist()
        ids = Ids(log.event_ids(ref))
        values, offsets = held.events.values, held.events.offsets.tolist()
        found: Records = []
        for number, customer in enumerate(held.customers.to_pylist()):
            start, stop = offsets[number : number + 2]
            states = record.pack_states(_states(attributes, rows[number]))
            one = Record(values[:, start:stop], *ids.of(start, stop), states, EVER)
            found.append((customer, one))
        done += ref.rows
        report(STEP, done, total)
        yield found
    yield from _quiet(log, attributes, len(plan.columns))


def _quiet(log: EventLog, attributes: AttributeTable, n_columns: int) -> Iterator[Records]:
    """Yield those of whom only attributes are known."""
    blocks, _ = log.locate(attributes.customers)
    rows = np.flatnonzero(blocks < 0)
    nobody = record.empty(n_columns)
    for first in range(0, len(rows), _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        found: Records = []
        names = attributes.customers.take(pa.array(some)).to_pylist()
        for customer, row in zip(names, some.tolist(), strict=True):
            states = record.pack_states(_states(attributes, row))
            found.append((customer, nobody._replace(states=states)))
        yield found


def _states(attributes: AttributeTable, row: int) -> Sequence[State]:
    if row < 0:
        return ()
    changes = range(*attributes.offsets[row : row + 2].tolist())[-record.KEPT_STATES :]
    return [
        (
            int(attributes.known_at[change]),
            {name: column[change] for name, column in attributes.columns.items()},
        )
        for change in changes
    ]


class Ids:
    """The ids of a block's events, cut without making texts of them."""

    def __init__(self, ids: Any) -> None:
        _, places, content = ids.buffers()
        self._ends: NDArray[np.int32] = np.frombuffer(places, np.int32)[ids.offset :]
        self._content = memoryview(content or b"")

    def of(self, start: int, stop: int) -> tuple[NDArray[np.uint32], memoryview]:
        """Return where the ids of some events end, and all of them."""
        first = self._ends[start]
        ends = (self._ends[start + 1 : stop + 1] - first).astype(np.uint32)
        return ends, self._content[first : self._ends[stop]]
