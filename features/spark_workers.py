"""Functions over Arrow batches in Spark's workers, which must compute what the driver would."""

from __future__ import annotations

import importlib
import json
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from features.errors import NextbestError
from features.jit import kernel_hash
from features.spark_session import pandas_is_newer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Batches = Iterator[pa.RecordBatch]
OURS = ("kernel", "python")
LIBRARIES = ("numpy", "numba", "pyarrow")
_SAID = re.compile(r'NEXTBEST-ERROR (\{"module".*\})')


class WorkerMismatchError(NextbestError):
    """A Spark worker would compute something else than the driver."""


@cache
def engine_versions(libraries: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """Return what a worker must have in common with the driver: kernel, Python, libraries."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        "kernel": kernel_hash(),
        "python": python,
        **{name: version(name) for name in libraries},
    }


def require_same(driver: Mapping[str, str], worker: Mapping[str, str]) -> None:
    """Refuse a worker that differs from the driver.

    Raises
    ------
    WorkerMismatchError
        Naming everything that differs.

    Examples
    --------
    >>> require_same({"numpy": "2.4.6"}, {"numpy": "2.4.6"})
    """
    differ = [
        f"{name} is {worker.get(name)} in the worker and {wanted} in the driver"
        for name, wanted in driver.items()
        if worker.get(name) != wanted
    ]
    if differ:
        raise WorkerMismatchError(
            f"A Spark worker would compute something else: {'; '.join(differ)}.",
            remedy="Install the same release with the same constraints.txt on every executor.",
        )


def map_batches(
    frame: DataFrame,
    function: Callable[[Batches], Batches],
    schema: Any,
    *,
    barrier: bool = False,
    versions: Mapping[str, str] | None = None,
) -> DataFrame:
    """Return what a function makes of each partition, in workers that equal the driver.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
    function : callable
        From an iterator of record batches to another one; pickled, so it must come from a module
        that the executors have too.
    schema : pyspark.sql.types.StructType
        Of what it yields.
    barrier : bool
        Whether all partitions run at the same time.
    versions : mapping of str to str, optional
        What every worker must have; by default what this process has, see `engine_versions`.
    """
    guarded = Guarded(function, dict(engine_versions() if versions is None else versions))
    with pandas_is_newer():
        return frame.mapInArrow(guarded.__call__, schema, barrier)


@dataclass(frozen=True)
class Guarded:
    """A function over batches that runs only where everything equals the driver.

    Attributes
    ----------
    function : callable
    versions : dict of str to str
        The driver's.
    """

    function: Callable[[Batches], Batches]
    versions: Mapping[str, str]

    def __call__(self, batches: Batches) -> Batches:
        """Yield what the function yields; Nextbest's own errors travel as text Spark can carry."""
        libraries = tuple(name for name in self.versions if name not in OURS)
        try:
            require_same(self.versions, engine_versions(libraries))
            yield from self.function(batches)
        except NextbestError as error:
            said = {
                "module": type(error).__module__,
                "name": type(error).__name__,
                "message": error.message,
                "remedy": error.remedy,
            }
            raise RuntimeError(f"NEXTBEST-ERROR {json.dumps(said)}") from error


@contextmanager
def errors_of_workers() -> Iterator[None]:
    """Raise what a worker raised, where it is one of Nextbest's own errors.

    Spark knows Python's exceptions as text; here they become exceptions again.
    """
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        own = own_error(str(error))
        if own is None:
            raise
        raise own from None


def sent(spark: SparkSession, columns: Mapping[str, pa.Array]) -> DataFrame:
    """Return columns of this process as a Spark table."""
    with pandas_is_newer():
        return spark.createDataFrame(pa.table(dict(columns)))


def collected(frame: DataFrame) -> pa.Table:
    """Return a Spark table in this process.

    Raises
    ------
    NextbestError
        As a worker raised it.
    """
    with errors_of_workers(), pandas_is_newer():
        return frame.toArrow()


def own_error(text: str) -> NextbestError | None:
    """Return the error of Nextbest that a text of Spark's carries, None if there is none.

    Examples
    --------
    >>> own_error("Job aborted: ValueError") is None
    True
    """
    found = _SAID.search(text)
    if found is None:
        return None
    said = json.loads(found.group(1))
    kind = getattr(importlib.import_module(said["module"]), said["name"], None)
    if not (isinstance(kind, type) and issubclass(kind, NextbestError)):
        kind = NextbestError
    try:
        return kind(said["message"], remedy=said["remedy"])
    except TypeError:  # an error with parts of its own
        return NextbestError(said["message"], remedy=said["remedy"])
