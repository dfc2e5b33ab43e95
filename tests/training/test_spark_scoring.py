"""Scores made by Spark's workers are those of this process, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.arrow_columns import to_arrow
from features.spark_workers import (
    WorkerMismatchError,
    collected,
    engine_versions,
    map_batches,
    sent,
)
from models.bundle import Bundle, BundleError
from tests.models.conftest import customers
from training.batch import answers_of, reasons_of
from training.spark_scoring import ScoreBatches, SparkAnswers, packed, scored, unpacked

ROWS = 20_000


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    columns = customers(ROWS, seed=9)
    return pd.DataFrame({name: pd.Series(held, dtype=held.dtype) for name, held in columns.items()})


def test_twenty_thousand_scores_of_spark_equal_those_of_this_process(
    spark: Any, any_bundle: Bundle, rows: pd.DataFrame
) -> None:
    found = SparkAnswers(spark).answers(any_bundle, rows)
    pd.testing.assert_frame_equal(found, answers_of(any_bundle, rows), check_exact=True)


def test_reasons_of_spark_equal_those_of_this_process(
    spark: Any, made: Any, rows: pd.DataFrame
) -> None:
    few = rows.iloc[:500]
    assert list(SparkAnswers(spark).reasons(made.bundle, few)) == list(reasons_of(made.bundle, few))


def test_what_is_kept_stands_beside_its_own_answer(
    spark: Any, made: Any, rows: pd.DataFrame
) -> None:
    few = rows.iloc[:300]
    columns = {str(name): to_arrow(few[name].to_numpy()) for name in few}
    ids = pa.array([f"c{number}" for number in range(len(few))])
    table = sent(spark, {"customer_id": ids, **columns}).repartition(3)
    found = collected(scored(made.bundle, table, ["customer_id", "orders"], reasons=True))
    expected = answers_of(made.bundle, few)
    number = [int(text[1:]) for text in found["customer_id"].to_pylist()]
    assert sorted(number) == list(range(300))
    assert found["orders"].to_pylist() == few["orders"].iloc[number].tolist()
    assert found["margin"].to_pylist() == expected["margin"].iloc[number].tolist()
    assert found.column_names[-1] == "reasons"


def test_a_worker_computes_what_its_driver_does(made: Any, rows: pd.DataFrame) -> None:
    # The function that Spark runs, run here.
    few = rows.iloc[:10]
    batch = pa.RecordBatch.from_pydict({n: to_arrow(few[n].to_numpy()) for n in few})
    work = ScoreBatches(packed(made.bundle), ("orders",), ("margin", "reasons"))
    [found] = work([batch])
    assert found.column("margin").to_pylist() == answers_of(made.bundle, few)["margin"].tolist()
    assert found.column("orders").to_pylist() == few["orders"].tolist()


def test_a_bundle_survives_its_journey(any_bundle: Bundle) -> None:
    assert unpacked(packed(any_bundle)).spec == any_bundle.spec


def test_a_worker_that_answers_otherwise_refuses_to_score(made: Any) -> None:
    other = replace(made.bundle.golden, answers={"margin": [9.0], "probability": [0.5]})
    with pytest.raises(BundleError, match=r"golden\.json"):
        unpacked(packed(replace(made.bundle, golden=other)))


def test_an_error_of_a_worker_arrives_as_itself(spark: Any, made: Any) -> None:
    broken = replace(made.bundle, golden=replace(made.bundle.golden, answers={}))
    rows = pd.DataFrame({n: pd.Series(v, dtype=v.dtype) for n, v in customers(5, seed=1).items()})
    with pytest.raises(Exception, match=r"golden\.json") as raised:
        SparkAnswers(spark).answers(broken, rows)
    assert "Train and publish it again" in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_a_worker_with_other_libraries_is_refused_by_name(spark: Any) -> None:
    other = {**engine_versions(), "numpy": "1.0.0"}
    frame = map_batches(
        sent(spark, {"n": pa.array(np.arange(3))}), iter, "n bigint", versions=other
    )
    with pytest.raises(WorkerMismatchError, match=r"numpy is 2\.\S+ in the worker and 1\.0\.0 in"):
        collected(frame)
