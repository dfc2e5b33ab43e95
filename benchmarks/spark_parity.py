"""Whether Spark's tables and scores are those of one machine, and how long each takes.

    python -m benchmarks.spark_parity --master local[2]

Features: all customers of the log under ``NEXTBEST_HOME``, at its last instant and at twelve
moments, and its spines, each row at its own moment. Scores: a million rows drawn from the
customers' own values, column by column.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from features import command
from features.catalog import CATALOG
from features.frame import frame
from features.log import EventLog
from features.settings import Settings
from features.spark_build import frame_on_spark
from features.spark_session import parse_settings, spark_session
from features.spine import Spine
from features.window import DAY
from models import catalog
from models.booster import Booster
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.encoder import Encoder
from models.published import PublishedSpec
from training.batch import answers_of
from training.dataset import Dataset, build, customer_ids
from training.spark_scoring import SparkAnswers

TREES = 100
Frames = Callable[[], pd.DataFrame]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 1 if a value differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark_parity", description=__doc__)
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--conf", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--rows", type=int, default=1_000_000, help="scored (default: 1,000,000)")
    arguments = parser.parse_args(argv)
    return command.run(lambda: measure(arguments, EventLog.open(Settings.from_environment().home)))


def measure(arguments: argparse.Namespace, log: EventLog) -> int:
    quiet = {"spark.ui.showConsoleProgress": "false", "spark.driver.memory": "4g"}
    spark = spark_session(arguments.master, {**quiet, **parse_settings(arguments.conf)})
    differ = 0
    events = sum(kind.rows for kind in log.kinds.values())
    print(f"{events:,} events, {len(log.blocks)} blocks")
    asked = {f"{n} moments": everyone(log, n) for n in (1, 12)}
    asked |= {name: log.spine(name) for name in log.spine_names}
    for name, rows in asked.items():
        features = [f for f in CATALOG if f.needs <= set(rows.context)]
        differ += compared(
            f"{len(rows):,} rows ({name}), {len(features)} features",
            partial(frame, log, rows, features),
            partial(frame_on_spark, spark, log, rows, features),
        )
    spec = catalog.spec("churn")
    data = build(spec, log, log.last_instant)
    bundle = published(data)
    X = drawn(data.X, arguments.rows)
    differ += compared(
        f"{len(X):,} scores",
        partial(answers_of, bundle, X),
        partial(SparkAnswers(spark).answers, bundle, X),
    )
    spark.stop()
    return int(differ > 0)


def everyone(log: EventLog, moments: int) -> Spine:
    """Return every customer at the log's last instant, and every 28 days before."""
    as_ofs = log.last_instant - 28 * DAY * np.arange(moments)
    who = customer_ids(log)
    rows = np.arange(len(who) * moments)
    return Spine("customer", rows, np.tile(who, moments), np.repeat(as_ofs, len(who)))


def published(data: Dataset) -> Bundle:
    """Return trees that are good enough to be scored with."""
    spec = catalog.spec("churn")
    encoder = Encoder.fit(data.X, spec.features)
    X, y = encoder.transform(data.X), data.y.to_numpy()
    settings = {"objective": "binary", "verbosity": -1, "num_leaves": 8, "seed": 0}
    table = lightgbm.Dataset(X, y, categorical_feature=encoder.categorical, params=settings)
    booster = Booster(lightgbm.train(settings, table, TREES).model_to_string())
    facts: dict[str, Any] = {"horizon": "28d", "base_rate": float(y.mean()), "currency": "USD"}
    facts |= {"as_of": 0, "trained_at": 0, "code_version": "benchmark", "engine": "LightGBM"}
    facts |= {"metrics": {}, "baselines": {}}
    described = PublishedSpec.of(spec, **facts)
    return Bundle.of(described, encoder, booster, Calibrator.sigmoid(1.1, -0.2), X)


def drawn(X: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return rows whose columns are drawn from those of X, each on its own."""
    rng = np.random.default_rng(0)
    columns = {name: X[name].to_numpy()[rng.integers(0, len(X), rows)] for name in X}
    return pd.DataFrame({n: pd.Series(v, dtype=v.dtype) for n, v in columns.items()}, copy=False)


def timed(work: Frames) -> tuple[float, pd.DataFrame]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def compared(what: str, single: Frames, spark: Frames) -> int:
    """Print how many values are equal, bit for bit, and return how many are not."""
    single()  # the first run of each compiles and starts workers
    alone, one = timed(single)
    spark()
    many, two = timed(spark)
    unequal = sum(int((~same(one[name], two[name])).sum()) for name in one)
    values = one.shape[0] * one.shape[1]
    if list(one) != list(two) or (one.dtypes != two.dtypes).any():
        unequal = values
    print(
        f"{what}: {values - unequal:,} of {values:,} values equal; "
        f"single {alone:.2f} s, Spark {many:.2f} s"
    )
    return unequal


def same(one: pd.Series[Any], two: pd.Series[Any]) -> Any:
    if one.dtype == np.float64:
        return (one.to_numpy().view(np.int64) == two.to_numpy().view(np.int64)) | (
            one.isna().to_numpy() & two.isna().to_numpy()
        )
    return (one.to_numpy() == two.to_numpy()) | (one.isna() & two.isna()).to_numpy()


if __name__ == "__main__":
    sys.exit(main())
