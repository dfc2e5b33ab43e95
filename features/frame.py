"""Features of many rows, offline: the log is streamed bucket by bucket through the kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.attributes import AttributeTable
from features.campaigns import with_campaign
from features.feature import Feature
from features.finalise import Rows, finalise
from features.jit import Compiled, compiled
from features.log import EventLog
from features.plan import Plan, compile_plan
from features.spine import Spine

Progress = Callable[[int, int], None]


def frame(
    log: EventLog,
    spine: Spine,
    features: Sequence[Feature],
    *,
    progress: Progress | None = None,
    threads: int = 2,
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
        Called with (buckets done, buckets in all).
    threads : int
        Buckets folded at the same time.
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
    plan = compile_plan(features, log.columns, log.dictionaries)
    spine = with_campaign(spine, log.campaigns, _needed(features))
    attributes = attribute_table(log)
    who, codes = np.unique(spine.customer_id.astype(str), return_inverse=True)
    bucket_of = np.array([log.bucket_of(customer) for customer in who], dtype=np.int64)
    bucket_of_row = bucket_of[codes] if len(who) else np.empty(0, np.int64)
    buckets = np.unique(bucket_of_row)

    def part(bucket: int) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
        rows = np.flatnonzero(bucket_of_row == bucket)
        # Rows of one customer stand together, and those of one moment beside each other.
        rows = rows[np.lexsort((rows, spine.as_of[rows], codes[rows]))]
        return rows, _bucket(log, int(bucket), plan, spine.take(rows), attributes, engine)

    columns: dict[str, NDArray[Any]] = {}
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for done, (rows, values) in enumerate(pool.map(part, buckets.tolist()), start=1):
            for name, column in values.items():
                if name not in columns:
                    columns[name] = np.empty(len(spine), dtype=column.dtype)
                columns[name][rows] = column
            if progress is not None:
                progress(done, len(buckets))
    if not columns:
        return pd.DataFrame({feature.name: [] for feature in features})
    # Said explicitly: pandas would make its own text type of what is None or str.
    return pd.DataFrame(
        {f.name: pd.Series(columns[f.name], dtype=columns[f.name].dtype) for f in features},
        copy=False,
    )


def _bucket(
    log: EventLog,
    bucket: int,
    plan: Plan,
    spine: Spine,
    attributes: AttributeTable,
    engine: Compiled,
) -> dict[str, NDArray[Any]]:
    """Return the values of one bucket's rows, sorted by customer and moment."""
    held = log.read(bucket)
    customers, first = np.unique(spine.customer_id.astype(str), return_index=True)
    row_offsets = np.append(np.sort(first), len(spine)).astype(np.int64)
    position = {customer: number for number, customer in enumerate(held.customers.tolist())}
    found = [position.get(customer, -1) for customer in customers.tolist()]
    offsets, chosen = _events_of(found, held.offsets)
    values = held.values if chosen is None else np.ascontiguousarray(held.values[:, chosen])
    states = plan.run(engine, values, offsets, row_offsets, spine.as_of, spine.context)
    changes = np.empty(len(spine), np.int64)
    engine.latest(
        attributes.offsets, attributes.known_at, attributes.rows_of(spine.customer_id),
        spine.as_of, changes,
    )  # fmt: skip
    rows = Rows(states, spine.as_of, spine.context, attributes, changes, log.source.currency)
    return finalise(plan, rows)


def _events_of(
    found: list[int], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Return where the events of the found customers begin, and which events those are.

    None for the second means all of them, in the order they stand in.
    """
    if found == list(range(len(offsets) - 1)):
        return offsets, None
    pieces = [
        np.arange(offsets[number], offsets[number + 1]) if number >= 0 else np.empty(0, np.int64)
        for number in found
    ]
    sizes = [len(piece) for piece in pieces]
    return np.cumsum([0, *sizes], dtype=np.int64), np.concatenate(pieces).astype(np.int64)


def attribute_table(log: EventLog) -> AttributeTable:
    """Return a log's customers as the table the kernel looks changes up in."""
    table = log.customers
    names = [name for name in table.column_names if name not in ("customer_id", "known_at")]
    columns: Mapping[str, NDArray[Any]] = {
        name: np.array(table.column(name).to_pylist(), dtype=object)
        if "float" not in str(table.schema.field(name).type)
        and "double" not in str(table.schema.field(name).type)
        else table.column(name).to_numpy(zero_copy_only=False).astype(np.float64)
        for name in names
    }
    ids = table.column("customer_id").to_pylist()
    known_at = table.column("known_at").to_numpy(zero_copy_only=False).astype(np.int64)
    return AttributeTable.build(ids, known_at, columns)


def _needed(features: Sequence[Feature]) -> frozenset[str]:
    return frozenset[str]().union(*(feature.reads for feature in features))
