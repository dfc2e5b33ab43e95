"""A Spark session that can run Nextbest's own code in its workers."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from features.errors import BadInputError, NextbestError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = {
    # Nothing of a session on one machine listens to, or asks, any other machine.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
}
EVERYWHERE = {
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Fewer, larger batches: each costs a worker the same few calls.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.session.timeZone": "UTC",
}


class SparkMissingError(NextbestError):
    """Spark or Java is not installed here."""


def spark_session(master: str = "", settings: Mapping[str, str] | None = None) -> SparkSession:
    """Return the running Spark session, or start one.

    Parameters
    ----------
    master : str
        Such as ``local[2]`` or ``spark://host:7077``; empty leaves it to ``spark-submit`` and
        Spark's own configuration.
    settings : mapping of str to str, optional
        Spark's own, such as ``{"spark.executor.memory": "8g"}``; they win over those set here.

    Raises
    ------
    SparkMissingError
        The extra `spark` is not installed, or there is no Java.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkMissingError(
            "pyspark is not installed.", remedy='Install it: pip install "nextbest[spark]"'
        ) from None
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise SparkMissingError(
            "Spark needs Java, and there is none.",
            remedy="Install Java 17 (Debian: apt-get install openjdk-17-jre-headless) "
            "or set JAVA_HOME.",
        )
    # The workers are this Python, whatever `python3` is on the path; on a cluster it lies at the
    # same place, or PYSPARK_PYTHON says where.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    chosen = dict(EVERYWHERE)
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", LOCAL["spark.driver.host"])
        chosen |= LOCAL
    builder = SparkSession.builder.appName("nextbest")
    if master:
        builder = builder.master(master)
    for name, value in {**chosen, **(settings or {})}.items():
        builder = builder.config(name, value)
    with pandas_is_newer():
        return builder.getOrCreate()


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command be run on Spark."""
    parser.add_argument(
        "--engine", choices=("single", "spark"), default="single",
        help="this machine alone, or Spark (default: single)",
    )  # fmt: skip
    parser.add_argument(
        "--master", default="", help="Spark's, such as local[2] or spark://host:7077"
    )
    parser.add_argument(
        "--conf", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of Spark; may be repeated",
    )  # fmt: skip


@contextmanager
def chosen_engine(arguments: argparse.Namespace) -> Iterator[SparkSession | None]:
    """Give the Spark session that a command line asks for, None for this machine alone.

    A session that ran before goes on; one that was started here is stopped at the end.

    Raises
    ------
    BadInputError
        Spark's settings are given, but not Spark as the engine.
    """
    if arguments.engine != "spark":
        if arguments.master or arguments.conf:
            raise BadInputError(
                "--master and --conf are for Spark.",
                remedy="Add --engine spark, or leave them out.",
            )
        yield None
        return
    loaded = sys.modules.get("pyspark.sql")
    ran_before = loaded is not None and loaded.SparkSession.getActiveSession() is not None
    session = spark_session(arguments.master, parse_settings(arguments.conf))
    try:
        yield session
    finally:
        if not ran_before:
            session.stop()


def parse_settings(given: Sequence[str]) -> dict[str, str]:
    """Return the settings of ``--conf name=value``, as spark-submit takes them.

    Raises
    ------
    BadInputError
        One has no equals sign.

    Examples
    --------
    >>> parse_settings(["spark.executor.memory=8g"])
    {'spark.executor.memory': '8g'}
    """
    pairs = [text.partition("=") for text in given]
    wrong = [text for text, (name, equals, _) in zip(given, pairs, strict=True)
             if not (name and equals)]  # fmt: skip
    if wrong:
        raise BadInputError(
            f"--conf {wrong[0]!r} is no setting.",
            remedy="Give name=value, such as spark.executor.memory=8g.",
        )
    return {name: value for name, _, value in pairs}


@contextmanager
def pandas_is_newer() -> Iterator[None]:
    """Leave out pyspark 4.3's wish for pandas 2: of pandas nothing is used but the import."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "PySpark does not yet fully support pandas", FutureWarning
        )
        yield
