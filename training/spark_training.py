"""Trees grown by several Spark executors together, each of which ends with the same booster.

The tasks of one barrier stage find each other, and LightGBM's own network does the rest: every
task holds its share of the rows, bins its share of the columns, and the histograms are summed.
Source: Meng et al., "A Communication-Efficient Parallel Algorithm for Decision Tree", NIPS 2016,
as LightGBM's `tree_learner=data` implements it.
"""

from __future__ import annotations

import hashlib
import logging
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrow_columns import to_numpy
from features.errors import NextbestError
from features.spark_workers import collected, engine_versions, map_batches
from models.booster import Booster
from models.encoder import Encoder
from models.spec import Estimator

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LIBRARIES = ("numpy", "lightgbm", "pyarrow")
SCHEMA = "worker int, rows bigint, sha256 string, text string"
MINUTES = 2
"""How long a task waits for the others before it gives up."""
# Where and among how many it was grown is no part of a model.
_PLACE = re.compile(r"^\[(machines|num_machines|local_listen_port|time_out): .*\]\n", re.MULTILINE)
# What scikit-learn's interface adds to LightGBM's own parameters.
_NOT_LIGHTGBMS = ("n_estimators", "n_jobs", "importance_type", "class_weight", "objective")


class SparkTrainingError(NextbestError):
    """Trees that the workers could not grow together."""


@dataclass(frozen=True)
class Growing:
    """What one task of the barrier stage does.

    Attributes
    ----------
    encoder : Encoder
    label : str
        The column of 0 and 1.
    order : str
        The column of integers that numbers the rows.
    parameters : dict
        LightGBM's.
    trees : int
    """

    encoder: Encoder
    label: str
    order: str
    parameters: Mapping[str, Any]
    trees: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield one row: this task's number, its rows, the booster's hash, and the first's text."""
        from pyspark import BarrierTaskContext

        context = BarrierTaskContext.get()
        worker = context.partitionId()
        host = context.getTaskInfos()[worker].address.rsplit(":", 1)[0]
        held = [batch for batch in batches if batch.num_rows]
        # Bound but not listening: who comes too early is refused and tries again.
        with socket.socket() as reserved:
            reserved.bind((socket.gethostbyname(host), 0))
            address = reserved.getsockname()
            # Everyone says how many rows it has before anyone waits for the others' trees.
            said = context.allGather(f"{address[0]}:{address[1]} {sum(b.num_rows for b in held)}")
        machines, counts = zip(*(each.split() for each in said), strict=True)
        if "0" in counts:
            raise SparkTrainingError(
                f"{counts.count('0')} of {len(counts)} workers got no rows.",
                remedy="Train with fewer workers.",
            )
        network = {
            "machines": ",".join(machines),
            "num_machines": len(machines),
            "local_listen_port": address[1],
            "time_out": MINUTES,
        }
        text = self._grown(pa.Table.from_batches(held), network if len(machines) > 1 else {})
        found = hashlib.sha256(text.encode()).hexdigest()
        if len(set(context.allGather(found))) > 1:
            raise SparkTrainingError(
                "The workers ended with different boosters.",
                remedy="Look for executors of different processors or LightGBM builds.",
            )
        yield pa.RecordBatch.from_arrays(
            [
                pa.array([worker], pa.int32()),
                pa.array([int(counts[worker])], pa.int64()),
                pa.array([found]),
                pa.array([text if worker == 0 else None], pa.string()),
            ],
            names=["worker", "rows", "sha256", "text"],
        )

    def _grown(self, table: pa.Table, network: Mapping[str, Any]) -> str:
        import lightgbm

        # LightGBM tells of each connection, whatever its verbosity.
        lightgbm.register_logger(logging.getLogger("lightgbm"))
        table = table.sort_by(self.order)  # equal rows in an equal order: equal trees
        X = self.encoder.transform(
            pd.DataFrame({name: to_numpy(table[name]) for name in self.encoder.names})
        )
        parameters = {**self.parameters, **network}
        if network:
            parameters |= {"tree_learner": "data", "pre_partition": True}
        data = lightgbm.Dataset(
            X,
            to_numpy(table[self.label]).astype(np.float64),
            categorical_feature=self.encoder.categorical,
            params=parameters,
        )
        booster = lightgbm.train(parameters, data, num_boost_round=self.trees)
        text: str = booster.free_network().model_to_string()
        return _PLACE.sub("", text)


def grow_on_spark(
    rows: DataFrame,
    encoder: Encoder,
    estimator: Estimator,
    trees: int,
    *,
    label: str,
    order: str,
    workers: int,
    threads: int = 1,
) -> Booster:
    """Return the booster that some executors grow together.

    The rows stay on the cluster; a task holds its share of them encoded in memory. The same rows,
    settings and number of workers give the same trees; another number of workers bins the columns
    from other samples and gives slightly different ones.

    Parameters
    ----------
    rows : pyspark.sql.DataFrame
        Raw feature values by name, the label and the order.
    encoder : Encoder
        Fitted before, such as on a sample of the rows: it holds the texts that have codes.
    estimator : LGBMClassifier
        Unfitted; its settings are used.
    trees : int
    label, order : str
        Columns: 0 or 1, and a number that no two rows share.
    workers : int
        Tasks, all at the same time: the cluster must have that many free slots.
    threads : int
        Of each worker; give each task as many processors (``spark.task.cpus``).

    Raises
    ------
    SparkTrainingError
        A worker has no rows, or the boosters differ.
    WorkerMismatchError
        A worker has another LightGBM, numpy or Python.
    """
    given: dict[str, Any] = {
        name: value
        for name, value in estimator.get_params().items()  # type: ignore[attr-defined]
        if name not in _NOT_LIGHTGBMS and value is not None
    }
    parameters = {**given, "objective": "binary", "num_threads": threads}
    work = Growing(encoder, label, order, parameters, trees)
    shares = rows.select(*encoder.names, label, order).repartition(workers, order)
    grown = collected(
        map_batches(shares, work, SCHEMA, barrier=True, versions=engine_versions(LIBRARIES))
    )
    hashes = set(grown["sha256"].to_pylist())
    if grown.num_rows != workers or len(hashes) != 1:
        raise SparkTrainingError(
            f"{grown.num_rows} of {workers} workers answered with {len(hashes)} boosters.",
            remedy="Look at the executors' logs.",
        )
    [text] = [text for text in grown["text"].to_pylist() if text is not None]
    return Booster(text)
