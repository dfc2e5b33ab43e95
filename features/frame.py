"""Features of many rows, offline: the log is streamed block by block through the kernel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.attributes import AttributeTable
from features.campaigns import with_campaign
from features.compute import Plan
from features.feature import Feature
from features.fold_blocks import (
    hold,
    in_order,
    known_attributes,
    nobody,
    rows_of,
    threads_within,
)
from features.jit import Compiled, compiled
from features.local_time import DERIVED
from features.log import EventLog
from features.money import minor_units
from features.plan import compile_plan
from features.spine import Spine

Progress = Callable[[int, int], None]


def frame(
    log: EventLog,
    spine: Spine,
    features: Sequence[Feature],
    *,
    progress: Progress | None = None,
    threads: int = 2,
    memory: int | None = None,
    engine: Compiled | None = None,
) -> pd.DataFrame:
    """Return the values of features as they were known at each row's own moment.

    Parameters
    ----------
    log : EventLog
    spine : Spine
        n rows.
    features : sequence of Feature
        Populations and labels (conditions) are allowed among them.
    progress : callable, optional
        Called with (blocks done, blocks in all).
    threads : int
        Blocks folded at the same time.
    memory : int, optional
        Bytes that blocks in work may take; fewer threads are used where they would take more.
    engine : Compiled, optional
        The kernel; compiled by default.

    Returns
    -------
    DataFrame of shape (n, len(features))
        In the spine's order, with a RangeIndex. int64 or float64 (NaN where missing) for numbers,
        bool for conditions, object (None where missing) for text.

    Raises
    ------
    DeclarationError, MissingContextError, UnknownCampaignError, FeatureOverflowError
    """
    engine = engine or compiled(log.home / "numba")
    plan = plan_for(log, features)
    spine = with_campaign(spine, log.campaigns, _needed(features))
    attributes = attribute_table(log, attributes_read(plan))
    columns: dict[str, NDArray[Any]] = {}
    tasks = list(_tasks(log, spine, attributes))
    work = _Work(log, plan, spine, attributes, engine)
    largest = max((ref.rows for ref in log.blocks), default=0)
    threads = threads_within(memory, largest, len(plan.columns), len(features), threads)
    for done, (rows, values) in enumerate(in_order(work.__call__, tasks, threads), start=1):
        for name, column in values.items():
            if name not in columns:
                columns[name] = np.empty(len(spine), dtype=column.dtype)
            columns[name][rows] = column
        if progress is not None:
            progress(done, len(tasks))
    if not columns:
        return pd.DataFrame({feature.name: [] for feature in features})
    # Said explicitly: pandas would make its own text type of what is None or str.
    return pd.DataFrame(
        {f.name: pd.Series(columns[f.name], dtype=columns[f.name].dtype) for f in features},
        copy=False,
    )


class _Task(NamedTuple):
    """The rows about customers of one block."""

    block: Any
    rows: NDArray[np.int64]
    position: NDArray[np.int64]
    described: NDArray[np.int64]


class _Work(NamedTuple):
    log: EventLog
    plan: Plan
    spine: Spine
    attributes: AttributeTable
    engine: Compiled

    def __call__(self, task: _Task) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
        order = np.lexsort((self.spine.as_of[task.rows], task.position))
        rows, position = task.rows[order], task.position[order]
        if task.block is None:
            _, position = np.unique(position, return_inverse=True)
            events = nobody(self.plan, int(position.max()) + 1)
        else:
            events = hold(self.log, task.block, self.plan, self.attributes, self.engine).events
        as_of = np.ascontiguousarray(self.spine.as_of[rows])
        context = {name: values[rows] for name, values in self.spine.context.items()}
        known = known_attributes(
            self.plan, self.attributes, task.described[order], as_of, self.engine
        )
        wanted = rows_of(len(events.offsets) - 1, position, as_of, context, known)
        return rows, self.plan.compute(self.engine, events, wanted)


def _tasks(log: EventLog, spine: Spine, attributes: AttributeTable) -> Iterator[_Task]:
    if not len(spine):
        return
    ids = pa.array(spine.customer_id, pa.string()).dictionary_encode()
    codes = ids.indices.to_numpy()
    block, position = log.locate(ids.dictionary)
    described = attributes.rows_of(ids.dictionary)
    # Customers without events are told apart by their code.
    position = np.where(block < 0, np.arange(len(position)), position)
    block_of_row = block[codes]
    order = np.argsort(block_of_row.astype(np.int32), kind="stable")
    numbers, starts = np.unique(block_of_row[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    for number, start, end in zip(numbers.tolist(), starts.tolist(), ends.tolist(), strict=True):
        rows = order[start:end]
        ref = None if number < 0 else log.blocks[number]
        yield _Task(ref, rows, position[codes[rows]], described[codes[rows]])


def plan_for(log: EventLog, features: Sequence[Feature]) -> Plan:
    """Return features compiled for a log."""
    minor = minor_units(log.source.currency)
    return compile_plan(features, log.columns, log.dictionaries, minor)


def attributes_read(plan: Plan) -> frozenset[str]:
    """Return the names of the customers' attributes that a plan reads."""
    names = {feature.name for feature in plan.attributes}
    return frozenset(names | ({"timezone"} if set(plan.columns) & set(DERIVED) else set()))


def attribute_table(log: EventLog, wanted: Collection[str] | None = None) -> AttributeTable:
    """Return a log's customers as the table the kernel looks changes up in.

    Parameters
    ----------
    log : EventLog
    wanted : collection of str, optional
        Attributes; all of them by default.
    """
    table = log.stated
    if wanted is not None and not wanted:
        table = table.slice(0, 0)
    names = [name for name in table.column_names if name not in ("customer_id", "known_at")]
    columns: Mapping[str, NDArray[Any]] = {
        name: table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
        if pa.types.is_floating(table.schema.field(name).type)
        else np.array(table.column(name).to_pylist(), dtype=object)
        for name in names
        if wanted is None or name in wanted
    }
    known_at = table.column("known_at").to_numpy(zero_copy_only=False).astype(np.int64)
    return AttributeTable.build(table.column("customer_id"), known_at, columns)


def _needed(features: Sequence[Feature]) -> frozenset[str]:
    return frozenset[str]().union(*(feature.reads for feature in features))
