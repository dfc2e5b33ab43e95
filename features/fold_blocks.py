"""Blocks of the log through the kernel: several at a time, in order, within a bound of memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.attributes import AttributeTable
from features.compute import Events, Plan, Rows
from features.jit import Compiled
from features.local_time import DERIVED, derive, offsets_of
from features.log import EventLog
from features.tables import Integers

In = TypeVar("In")
Out = TypeVar("Out")


class Held(NamedTuple):
    """A block's customers (sorted) and their events, in the plan's columns."""

    customers: pa.StringArray
    events: Events


def hold(log: EventLog, ref: Any, plan: Plan, attributes: AttributeTable, engine: Compiled) -> Held:
    """Return a block of the log as a plan reads it, with the columns that no log stores."""
    stored = [name for name in plan.columns if name not in DERIVED]
    block = log.read_block(ref, stored)
    if len(stored) == len(plan.columns):
        return Held(block.customers, Events(block.values, block.offsets))
    values = np.empty((len(plan.columns), block.values.shape[1]), np.int64)
    ahead = local_offsets(
        log.source.timezone, attributes, engine, block.customers,
        np.diff(block.offsets), block.values[0], block.values[1],
    )  # fmt: skip
    for line, name in enumerate(plan.columns):
        if name in DERIVED:
            values[line] = derive(name, block.values[0], ahead)
        else:
            values[line] = block.values[stored.index(name)]
    return Held(block.customers, Events(values, block.offsets))


def local_offsets(
    zone: str, attributes: AttributeTable, engine: Compiled, customers: pa.StringArray,
    counts: Integers, occurred_at: Integers, recorded_at: Integers,
) -> Integers:  # fmt: skip
    """Return how far each event's local time was ahead of UTC, in microseconds.

    Parameters
    ----------
    zone : str
        The source's own, for customers whose zone was not known when the event was recorded.
    customers, counts
        Whose events they are, and how many each has.
    """
    if "timezone" not in attributes.columns:
        return offsets_of([zone], np.zeros(len(occurred_at), np.int64), occurred_at)
    who = np.repeat(attributes.rows_of(customers), counts)
    changes = np.empty(len(who), np.int64)
    engine.latest(attributes.offsets, attributes.known_at, who, recorded_at, changes)
    named = attributes.take("timezone", changes, number=False)
    named[named == None] = zone  # noqa: E711 - elementwise
    zones, numbers = np.unique(named.astype(str), return_inverse=True)
    return offsets_of(zones.tolist(), numbers, occurred_at)


def rows_of(
    customers: int, position: Integers, as_of: Integers, context: dict[str, NDArray[Any]],
    attributes: dict[str, NDArray[Any]],
) -> Rows:  # fmt: skip
    """Return rows sorted by (position of the customer, moment) as the kernel reads them."""
    offsets = np.zeros(customers + 1, np.int64)
    np.cumsum(np.bincount(position, minlength=customers), out=offsets[1:])
    return Rows(offsets, as_of, context, attributes)


def in_order(work: Callable[[In], Out], tasks: Iterable[In], threads: int) -> Iterator[Out]:
    """Yield the results of tasks in their order, no more than `threads` + 1 waiting at a time."""
    if threads <= 1:
        yield from map(work, tasks)
        return
    waiting: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(work, task))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def known_attributes(
    plan: Plan, attributes: AttributeTable, numbers: Integers, as_of: Integers, engine: Compiled
) -> dict[str, NDArray[Any]]:
    """Return what was known of customers at each moment, by attribute.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Each row's customer, as `AttributeTable.rows_of` numbers them.
    as_of : ndarray of int64, shape (n,)
    """
    wanted = plan.attributes
    if not wanted:
        return {}
    changes = np.empty(len(as_of), np.int64)
    engine.latest(attributes.offsets, attributes.known_at, numbers, as_of, changes)
    return {f.name: attributes.take(f.name, changes, f.dtype == "float") for f in wanted}


def nobody(plan: Plan, n_customers: int) -> Events:
    """Return the events of customers of whom none is stored."""
    return Events(np.empty((len(plan.columns), 0), np.int64), np.zeros(n_customers + 1, np.int64))


def threads_within(
    ceiling: int | None, largest: int, columns: int, features: int, threads: int | None
) -> int:
    """Return how many blocks may be in work at a time without passing a ceiling of memory.

    Parameters
    ----------
    ceiling : int or None
        Bytes.
    largest : int
        Events of the largest block.
    columns, features : int
        What is read of each event and computed of each row, 8 bytes each.
    threads : int or None
        As many as there are to use; None for as many as there are processors.
    """
    threads = threads or os.cpu_count() or 1
    if ceiling is None:
        return threads
    # A block is held as it is read and as it is decoded, and its result waits beside it.
    a_block = 8 * max(largest, 1) * (2 * columns + 2) + 8 * largest * features // 4
    return max(1, min(threads, ceiling // a_block - 1))
