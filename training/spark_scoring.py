"""Batch scores on Spark: the published files answer in its workers as they answer here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrow_columns import to_arrow, to_numpy
from features.spark_workers import collected, engine_versions, map_batches, sent
from models.bundle import Bundle
from training.batch import answers_of, reasons_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LIBRARIES = ("numpy", "lightgbm", "pyarrow")
PROBABILITY = {
    "probability": "double",
    "margin": "double",
    "percentile": "double",
    "grade": "string",
    "abstained": "string",
}
SEGMENT = {"segment": "string"}

Files = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class ScoreBatches:
    """What one worker does: rows of raw feature values in, answers out.

    Attributes
    ----------
    files : tuple of (str, bytes)
        The published folder.
    keep : tuple of str
        Columns handed through.
    answers : tuple of str
        Columns added; "reasons" among them are JSON.
    """

    files: Files
    keep: tuple[str, ...]
    answers: tuple[str, ...]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the kept columns and the answers, row by row."""
        bundle = unpacked(self.files)
        for batch in batches:
            X = pd.DataFrame({name: to_numpy(batch.column(name)) for name in bundle.encoder.names})
            found: dict[str, Any] = {}
            if set(self.answers) - {"reasons"}:
                table = answers_of(bundle, X)
                found = {str(name): table[name].to_numpy() for name in table}
            if "reasons" in self.answers:
                encoded = [msgspec.json.encode(why).decode() for why in reasons_of(bundle, X)]
                found["reasons"] = np.array(encoded, dtype=object)
            columns = [to_arrow(found[name]) for name in self.answers]
            yield pa.RecordBatch.from_arrays(
                [*(batch.column(name) for name in self.keep), *columns],
                names=[*self.keep, *self.answers],
            )


def scored(
    bundle: Bundle,
    rows: DataFrame,
    keep: Sequence[str],
    *,
    answers: bool = True,
    reasons: bool = False,
) -> DataFrame:
    """Return the answers about rows of a Spark table, beside the columns kept.

    Every worker proves the published golden rows before its first answer.

    Parameters
    ----------
    bundle : Bundle
    rows : pyspark.sql.DataFrame
        A column for each feature of the model, and those to keep.
    keep : sequence of str
        Columns handed through, such as customer_id and as_of.
    answers, reasons : bool
        Whether probability, margin, percentile, grade and abstention (or segment) are wanted, and
        whether the reasons, as JSON.
    """
    kinds = SEGMENT if bundle.spec.output == "segment" else PROBABILITY
    added = {**(kinds if answers else {}), **({"reasons": "string"} if reasons else {})}
    held = [f"`{name}` {kind}" for name, kind in rows.select(*keep).dtypes]
    schema = ", ".join([*held, *(f"{name} {kind}" for name, kind in added.items())])
    work = ScoreBatches(packed(bundle), tuple(keep), tuple(added))
    needed = rows.select(*dict.fromkeys([*keep, *bundle.encoder.names]))
    return map_batches(needed, work, schema, versions=engine_versions(LIBRARIES))


class SparkAnswers:
    """What `training.batch.score` asks of a model, answered by Spark.

    Parameters
    ----------
    spark : SparkSession
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def answers(self, bundle: Bundle, X: pd.DataFrame) -> pd.DataFrame:
        """Return what `training.batch.answers_of` returns."""
        table = self._collected(bundle, X, answers=True)
        return pd.DataFrame({name: to_numpy(table[name]) for name in table.column_names[1:]})

    def reasons(self, bundle: Bundle, X: pd.DataFrame) -> Iterator[list[dict[str, Any]]]:
        """Yield what `training.batch.reasons_of` yields."""
        for why in self._collected(bundle, X, reasons=True)["reasons"]:
            yield msgspec.json.decode(why.as_py())

    def _collected(
        self, bundle: Bundle, X: pd.DataFrame, answers: bool = False, reasons: bool = False
    ) -> pa.Table:
        rows = {"row": pa.array(np.arange(len(X)))}
        rows |= {name: to_arrow(X[name].to_numpy()) for name in bundle.encoder.names}
        table = sent(self._spark, rows)
        return collected(scored(bundle, table, ["row"], answers=answers, reasons=reasons)).sort_by(
            "row"
        )


def packed(bundle: Bundle) -> Files:
    """Return the files of a published bundle, by name."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = bundle.save(Path(scratch) / "bundle")
        return tuple((file.name, file.read_bytes()) for file in sorted(folder.iterdir()))


@lru_cache(maxsize=4)
def unpacked(files: Files) -> Bundle:
    """Return a bundle from its files, golden rows proven; one a process.

    Raises
    ------
    BundleError
        This machine answers otherwise than the one that published it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in files:
            (Path(scratch) / name).write_bytes(content)
        bundle = Bundle.load(Path(scratch))
    bundle.verify(bundle.spec.feature_hash)
    return bundle
