"""What one Spark worker does: rows sorted by block and customer go in, values come out.

A block of the log holds whole customers, sorted; a worker reads the blocks of its rows and folds
them as one machine does. Nothing here knows Spark: Arrow in, Arrow out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.arrow_columns import to_arrow, to_numpy
from features.attributes import AttributeTable
from features.compute import Events, Plan
from features.feature import Feature
from features.fold_blocks import hold, nobody, rows_of
from features.frame import attribute_table, plan_for
from features.jit import PLAIN, Compiled, compiled
from features.local_time import DERIVED
from features.log import EventLog

Types = tuple[tuple[str, pa.DataType], ...]
IDENTITY = ("row", "customer_id", "as_of")


@dataclass(frozen=True)
class FoldBlocks:
    """Features of rows, each beside where its customer lies in the log.

    Attributes
    ----------
    home : Path
        Absolute: the same folder on every machine.
    manifest : str
        What the log consisted of when the job began, so that a later ingest changes nothing.
    features : tuple of Feature
    context, attributes : tuple of (str, DataType)
        Columns `c0`, ... and `a0`, ... of the rows: what a row brings along, and what was known
        of its customer.
    """

    home: Path
    manifest: str
    features: tuple[Feature, ...]
    context: Types
    attributes: Types

    @property
    def rows(self) -> pa.Schema:
        """The columns of a row.

        `block` is the number of the customer's block and `position` the place there; without
        events -1, and a number of the customer's own.
        """
        given = [(f"c{n}", kind) for n, (_, kind) in enumerate(self.context)]
        given += [(f"a{n}", kind) for n, (_, kind) in enumerate(self.attributes)]
        where = [("row", pa.int64()), ("customer_id", pa.string()), ("as_of", pa.int64())]
        return pa.schema([*where, ("block", pa.int64()), ("position", pa.int64()), *given])

    @property
    def answers(self) -> pa.Schema:
        """The columns that come back: what says which row it is, then the features."""
        plan = _prepared(self).plan
        none = pa.RecordBatch.from_pylist([], schema=self.rows)
        return self._fold(plan, none, np.empty(0, np.int64), nobody(plan, 0), PLAIN).schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the values of rows that are sorted by block, position and as_of."""
        engine = compiled((self.home / "numba").resolve())
        log, plan, zones = _prepared(self)
        held, events = -1, nobody(plan, 0)
        for batch in batches:
            for block, rows in runs(batch):
                position = to_numpy(rows.column("position"))
                if block < 0:
                    who, position = np.unique(position, return_inverse=True)
                    events = nobody(plan, len(who))
                elif block != held:
                    events = hold(log, log.blocks[block], plan, zones, engine).events
                held = block
                yield self._fold(plan, rows, position, events, engine)

    def _fold(
        self,
        plan: Plan,
        rows: pa.RecordBatch,
        position: NDArray[np.int64],
        events: Events,
        engine: Compiled,
    ) -> pa.RecordBatch:
        def columns(letter: str, types: Types) -> dict[str, NDArray[Any]]:
            return {t[0]: to_numpy(rows.column(f"{letter}{n}")) for n, t in enumerate(types)}

        wanted = rows_of(
            len(events.offsets) - 1,
            position,
            to_numpy(rows.column("as_of")),
            columns("c", self.context),
            columns("a", self.attributes),
        )
        values = plan.compute(engine, events, wanted)
        return pa.RecordBatch.from_arrays(
            [*(rows.column(name) for name in IDENTITY), *map(to_arrow, values.values())],
            names=[*IDENTITY, *values],
        )


def runs(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows of each block beside its number, in their order.

    Examples
    --------
    >>> batch = pa.record_batch({"block": pa.array([4, 4, 7]), "row": pa.array([0, 1, 2])})
    >>> [(block, rows["row"].to_pylist()) for block, rows in runs(batch)]
    [(4, [0, 1]), (7, [2])]
    """
    blocks = to_numpy(batch.column("block"))
    starts = np.flatnonzero(np.diff(blocks, prepend=np.iinfo(np.int64).min))
    for start, end in pairwise([*starts.tolist(), len(blocks)]):
        yield int(blocks[start]), batch.slice(start, end - start)


class _Prepared(NamedTuple):
    log: EventLog
    plan: Plan
    zones: AttributeTable


@lru_cache(maxsize=1)
def _prepared(work: FoldBlocks) -> _Prepared:
    """Return what a process needs for all of a job's tasks that come to it."""
    log = EventLog(work.home, json.loads(work.manifest))
    plan = plan_for(log, work.features)
    derived = bool(set(plan.columns) & set(DERIVED))
    zones = attribute_table(log, ["timezone"]) if derived else _NOBODY
    return _Prepared(log, plan, zones)


_NOBODY = AttributeTable(
    pa.array([], pa.string()), np.zeros(1, np.int64), np.empty(0, np.int64), {}
)
