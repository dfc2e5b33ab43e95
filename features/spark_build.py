"""Features of many rows on Spark: it spreads the log's blocks and joins the rows to them.

The log is sorted when it is written, so its events are not sorted again: Spark partitions and
sorts the rows by where their customers lie, and each worker folds whole blocks by the kernel.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.arrow_columns import to_arrow, to_numpy
from features.campaigns import with_campaign
from features.catalog import CATALOG
from features.clock import to_iso
from features.feature import Feature
from features.fold_blocks import known_attributes
from features.frame import Progress, attribute_table, attributes_read, plan_for
from features.jit import compiled
from features.log import EventLog
from features.people import ids_of
from features.spark_fold import FoldBlocks
from features.spark_workers import collected, errors_of_workers, map_batches, sent
from features.spine import Spine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SPARK_TYPES = {"int64": "bigint", "double": "double", "string": "string", "bool": "boolean"}
PARTS_A_SLOT = 3
"""Partitions for each of the cluster's slots: more cost more to start, fewer wait for the last."""


def frame_on_spark(
    spark: SparkSession,
    log: EventLog,
    spine: Spine,
    features: Sequence[Feature],
    *,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return what `features.frame.frame` returns for a log, a spine and features.

    The rows go to the cluster and the values come back, so both have to fit into this process.

    Parameters
    ----------
    spark : SparkSession
    log : EventLog
        In a folder that every worker sees under the same path.
    spine : Spine
    features : sequence of Feature
    progress : callable, optional
        Called at the end only: Spark shows its own.

    Raises
    ------
    WorkerMismatchError
        A worker has another kernel, Python or library than this process.
    DeclarationError, MissingContextError, UnknownCampaignError, FeatureOverflowError
        As `frame` raises them.
    """
    table = collected(spine_on_spark(spark, log, spine, features)).sort_by("row")
    if progress is not None:
        progress(1, 1)
    columns = {f.name: to_numpy(table[f.name]) for f in features}
    return pd.DataFrame(
        {name: pd.Series(values, dtype=values.dtype) for name, values in columns.items()},
        copy=False,
    )


def spine_on_spark(
    spark: SparkSession, log: EventLog, spine: Spine, features: Sequence[Feature]
) -> DataFrame:
    """Return the features of a spine's rows as a table of Spark, which nothing has computed yet.

    Beside the features it has `row` (the row's place in the spine), `customer_id` and `as_of`.
    """
    engine = compiled(log.home / "numba")  # the workers find it compiled
    plan = plan_for(log, features)
    needed = frozenset[str]().union(*(feature.reads for feature in features))
    spine = with_campaign(spine, log.campaigns, needed)
    attributes = attribute_table(log, attributes_read(plan))
    ids = ids_of(spine)
    codes = ids.indices.to_numpy()
    block, position = log.locate(ids.dictionary)
    position = np.where(block < 0, np.arange(len(position)), position)
    described = attributes.rows_of(ids.dictionary)[codes]
    known = known_attributes(plan, attributes, described, spine.as_of, engine)
    context = {name: to_arrow(values) for name, values in spine.context.items()}
    stated = {name: to_arrow(values) for name, values in known.items()}
    work = FoldBlocks(
        log.home.absolute(),
        json.dumps(log.content),
        tuple(features),
        tuple((name, values.type) for name, values in context.items()),
        tuple((name, values.type) for name, values in stated.items()),
    )
    given = [np.arange(len(spine)), spine.customer_id, spine.as_of, block[codes], position[codes]]
    columns = [*map(to_arrow, given), *context.values(), *stated.values()]
    rows = sent(spark, dict(zip(work.rows.names, columns, strict=True)))
    parts = max(1, min(len(np.unique(block)), PARTS_A_SLOT * spark.sparkContext.defaultParallelism))
    placed = rows.repartitionByRange(parts, "block").sortWithinPartitions(
        "block", "position", "as_of"
    )
    schema = ", ".join(f"`{field.name}` {SPARK_TYPES[str(field.type)]}" for field in work.answers)
    return map_batches(placed, work, schema)


def snapshot_on_spark(
    spark: SparkSession,
    log: EventLog,
    as_ofs: Sequence[int],
    features: Sequence[Feature] | None = None,
) -> DataFrame:
    """Return the features of all customers at each of some moments, as a table of Spark.

    It has the columns and rows of `features.snapshots.snapshot`, in any order of rows.
    """
    chosen = tuple(f for f in CATALOG if not f.reads) if features is None else tuple(features)
    customers = log.customers["customer_id"].unique().to_numpy(zero_copy_only=False)
    rows = Spine(
        "customer",
        np.arange(len(customers) * len(as_ofs)),
        np.tile(customers, len(as_ofs)),
        np.repeat(np.array(as_ofs, np.int64), len(customers)),
    )
    return spine_on_spark(spark, log, rows, chosen).drop("row")


def write_snapshot_on_spark(spark: SparkSession, log: EventLog, home: Path, as_of: int) -> Path:
    """Write the snapshot of one moment as a folder of Parquet files and return its path.

    The folder is named as the file of `features.snapshots.write_snapshot` without its ending.
    """
    path = home / "features" / to_iso(as_of).replace(":", "")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with errors_of_workers():
        table = snapshot_on_spark(spark, log, [as_of])
        table.write.mode("overwrite").parquet(str(draft.absolute()))
    if path.exists():
        shutil.rmtree(path)
    draft.rename(path)
    return path
