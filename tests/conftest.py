"""What tests of several folders share: one Spark session, which costs seconds to start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from features import jit
from features.spark_session import SparkMissingError, spark_session
from models.shapley import machine_code as reasons

# How long an example takes says how busy the machine is; speed is measured in benchmarks.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

SMALL = {
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "FATAL",  # failures that a test asks for are raised, and need no log
}


@pytest.fixture(scope="session", autouse=True)
def machine_code(pytestconfig: pytest.Config) -> Path:
    """A folder to link as ``numba`` into several homes: compiling takes longer than most tests.

    It outlives the tests, and what is compiled in this process comes from it.
    """
    folder = pytestconfig.rootpath / ".nextbest" / "tests" / "numba"
    folder.mkdir(parents=True, exist_ok=True)
    jit.compiled(folder)
    reasons.compiled(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def no_other_registry() -> None:
    """Forget the registry of the tests before: MLflow writes it into the environment."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark with two executors' threads in this machine's Java, and its files out of the way."""
    folder = tmp_path_factory.mktemp("spark")
    places = {
        "spark.local.dir": str(folder / "scratch"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    try:
        session = spark_session("local[2]", {**SMALL, **places})
    except SparkMissingError as missing:
        if os.environ.get("NEXTBEST_REQUIRE_SERVICES") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield session
    session.stop()
