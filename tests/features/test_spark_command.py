"""``build --engine spark``: the same table as a folder, and mistakes that are told."""

from __future__ import annotations

import argparse
import sys
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features.__main__ import main
from features.errors import BadInputError
from features.spark_session import (
    SparkMissingError,
    add_engine_arguments,
    chosen_engine,
    parse_settings,
    spark_session,
)
from tests.small_log import write_small_log

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, machine_code: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "numba").symlink_to(machine_code)
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    events = [
        {"customer_id": f"c{number % 7}", "kind": "order", "amount": number, "store": "s",
         "occurred_at": f"2017-03-{1 + number % 28:02d}"}
        for number in range(60)
    ]  # fmt: skip
    write_small_log(tmp_path, events)
    return tmp_path


def built(home: Path, *words: str) -> dict[str, list[Any]]:
    before = set((home / "features").glob("*"))
    assert main(["build", *words]) == 0
    [path] = set((home / "features").iterdir()) - before
    table = pq.read_table(path).sort_by("customer_id")
    # What is missing is null or NaN.
    return {
        name: [
            None if isinstance(value, float) and isnan(value) else value
            for value in table[name].to_pylist()
        ]
        for name in sorted(table.column_names)
    }


def test_a_build_on_spark_writes_the_same_table_in_several_files(
    spark: Any, home: Path, capsys: Printed
) -> None:
    words = ("--as-of", "2017-03-20")
    alone = built(home, *words)
    on_spark = built(home, *words, "--engine", "spark", "--master", "local[2]")
    assert on_spark == alone
    assert alone["customer_id"] == [f"c{number}" for number in range(7)]
    assert capsys.readouterr().out.count("as of 2017-03-19T23:00:00Z") == 2


def test_sparks_settings_without_spark_are_a_mistake(home: Path, capsys: Printed) -> None:
    assert main(["build", "--master", "local[2]"]) == 2
    assert "Add --engine spark" in capsys.readouterr().err


def test_a_date_that_is_none_is_a_mistake(home: Path, capsys: Printed) -> None:
    assert main(["build", "--as-of", "soon"]) == 2
    assert "'soon' is no date or time" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["spark.executor.memory", "=8g", ""])
def test_a_setting_without_name_or_value_is_a_mistake(text: str) -> None:
    with pytest.raises(BadInputError, match="is no setting"):
        parse_settings([text])


def test_a_session_that_ran_before_goes_on(spark: Any) -> None:
    parser = argparse.ArgumentParser()
    add_engine_arguments(parser)
    with chosen_engine(parser.parse_args(["--engine", "spark"])) as session:
        assert session is not None
        assert session.sparkContext.applicationId == spark.sparkContext.applicationId
    assert spark.range(3).count() == 3


def test_without_java_or_pyspark_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SparkMissingError, match="Install Java 17"):
        spark_session("local[2]")
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SparkMissingError, match=r"nextbest\[spark\]"):
        spark_session("local[2]")
