"""Features of all customers at given moments, block by block, so that any number of them fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.attributes import AttributeTable
from features.catalog import CATALOG
from features.clock import to_iso
from features.compute import Plan, Rows
from features.errors import MissingContextError
from features.feature import Feature
from features.fold_blocks import hold, in_order, known_attributes, nobody, threads_within
from features.frame import Progress, attribute_table, attributes_read, plan_for
from features.jit import Compiled, compiled
from features.log import EventLog


class Part(NamedTuple):
    """The features of some customers at each moment.

    Attributes
    ----------
    customers : pyarrow.StringArray of length n
    as_ofs : ndarray of int64, shape (m,)
        Microseconds UTC, in order.
    values : dict of str to ndarray, each of shape (n * m,)
        Customer by customer, and for each in the order of `as_ofs`.
    """

    customers: pa.StringArray
    as_ofs: NDArray[np.int64]
    values: dict[str, NDArray[Any]]

    def table(self) -> pa.Table:
        """Return the part with customer_id and as_of before the features."""
        n, m = len(self.customers), len(self.as_ofs)
        who: Any = self.customers
        if m != 1:
            who = who.take(pa.array(np.repeat(np.arange(n), m)))
        columns: dict[str, Any] = {"customer_id": who, "as_of": pa.array(np.tile(self.as_ofs, n))}
        for name, values in self.values.items():
            text = values.dtype == object
            columns[name] = pa.array(values, pa.string()) if text else pa.array(values)
        return pa.table(columns)


def snapshot_parts(
    log: EventLog,
    as_ofs: Sequence[int],
    features: Sequence[Feature] | None = None,
    *,
    progress: Progress | None = None,
    threads: int | None = None,
    memory: int | None = None,
    engine: Compiled | None = None,
) -> Iterator[Part]:
    """Yield the features of all customers, some thousand customers at a time.

    Parameters
    ----------
    log : EventLog
    as_ofs : sequence of int
        Microseconds UTC.
    features : sequence of Feature, optional
        By default all of the catalogue that need no context.
    progress : callable, optional
        Called with (blocks done, blocks in all).
    threads : int, optional
        Blocks folded at the same time; by default as many as there are processors.
    memory : int, optional
        Bytes that blocks in work may take; fewer threads are used where they would take more.
    engine : Compiled, optional
        The kernel; compiled by default.

    Raises
    ------
    MissingContextError
        A feature needs context, which customers as such do not have.
    """
    chosen = customer_features() if features is None else tuple(features)
    for feature in chosen:
        if feature.reads:
            raise MissingContextError(
                f"{feature.name!r} needs the context of a row: {', '.join(sorted(feature.reads))}.",
                remedy="Compute it for a spine whose rows carry it, with features.frame.",
            )
    engine = engine or compiled(log.home / "numba")
    plan = plan_for(log, chosen)
    attributes = attribute_table(log, attributes_read(plan))
    work = _Work(log, plan, attributes, np.unique(np.array(as_ofs, np.int64)), engine)
    tasks = [*log.blocks, *([None] if len(work.eventless()) else [])]
    largest = max((ref.rows for ref in log.blocks), default=0)
    threads = threads_within(memory, largest, len(plan.columns), len(chosen), threads)
    for done, part in enumerate(in_order(work.__call__, tasks, threads), start=1):
        yield part
        if progress is not None:
            progress(done, len(tasks))


class _Work(NamedTuple):
    log: EventLog
    plan: Plan
    attributes: AttributeTable
    as_ofs: NDArray[np.int64]
    engine: Compiled

    def eventless(self) -> pa.StringArray:
        """Return the customers of whom only attributes are known."""
        ids = pc.unique(self.log.stated.column("customer_id"))
        block, _ = self.log.locate(ids)
        return ids.filter(pa.array(block < 0))

    def __call__(self, ref: Any) -> Part:
        if ref is None:
            customers = self.eventless()
            events = nobody(self.plan, len(customers))
        else:
            customers, events = hold(self.log, ref, self.plan, self.attributes, self.engine)
        n, m = len(customers), len(self.as_ofs)
        as_of = np.tile(self.as_ofs, n)
        known: dict[str, NDArray[Any]] = {}
        if self.plan.attributes:
            numbers = np.repeat(self.attributes.rows_of(customers), m)
            known = known_attributes(self.plan, self.attributes, numbers, as_of, self.engine)
        rows = Rows(np.arange(0, n * m + 1, m, dtype=np.int64), as_of, {}, known)
        return Part(customers, self.as_ofs, self.plan.compute(self.engine, events, rows))


def customer_features() -> tuple[Feature, ...]:
    """Return the features of the catalogue that a customer has without any context."""
    return tuple(feature for feature in CATALOG if not feature.reads)


def snapshot_table(
    log: EventLog,
    as_ofs: Sequence[int],
    features: Sequence[Feature] | None = None,
    *,
    progress: Progress | None = None,
    threads: int | None = None,
) -> pa.Table:
    """Return what `snapshot_parts` yields as one Arrow table, without copying it."""
    parts = snapshot_parts(log, as_ofs, features, progress=progress, threads=threads)
    tables = [part.table() for part in parts]
    if not tables:
        names = [f.name for f in customer_features() if features is None or f in features]
        return pa.table({name: [] for name in ("customer_id", "as_of", *names)})
    return pa.concat_tables(tables)


def snapshot(
    log: EventLog,
    as_ofs: Sequence[int],
    features: Sequence[Feature] | None = None,
    *,
    progress: Progress | None = None,
    threads: int | None = None,
) -> pd.DataFrame:
    """Return the features of all customers at each of some moments, as pandas likes them.

    Returns
    -------
    DataFrame
        One row a moment and customer, sorted, with customer_id, as_of (microseconds UTC) and a
        column each feature.
    """
    table = snapshot_table(log, as_ofs, features, progress=progress, threads=threads)
    order = [("as_of", "ascending"), ("customer_id", "ascending")]
    out: pd.DataFrame = table.sort_by(order).to_pandas()
    return out


def write_snapshot(
    log: EventLog,
    home: Path,
    as_of: int,
    *,
    progress: Progress | None = None,
    threads: int | None = None,
    memory: int | None = None,
) -> Path:
    """Write the snapshot of one moment as Parquet under ``<home>/features`` and return its path.

    The file appears when it is whole; one part is held at a time.
    """
    folder = home / "features"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{to_iso(as_of).replace(':', '')}.parquet"
    draft = path.with_suffix(".draft")
    writer: pq.ParquetWriter | None = None
    parts = snapshot_parts(log, [as_of], progress=progress, threads=threads, memory=memory)
    for part in parts:
        table = part.table()
        writer = writer or pq.ParquetWriter(draft, table.schema)
        writer.write_table(table)
    if writer is None:
        pq.write_table(snapshot_table(log, [as_of]), draft)
    else:
        writer.close()
    draft.replace(path)
    return path
