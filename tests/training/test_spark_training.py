"""Trees grown by two workers together: one booster, repeatable, as good as one machine's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.arrow_columns import to_arrow
from features.spark_workers import sent
from models.booster import Booster
from models.encoder import Encoder
from models.trees import boosted_trees
from tests.models.conftest import FEATURES, customers
from training.spark_training import SparkTrainingError, grow_on_spark

ROWS, LEARNT, TREES = 8_000, 6_000, 40
COLUMNS = customers(ROWS, seed=5)
ENCODER = Encoder.fit(COLUMNS, FEATURES)
X = ENCODER.transform(COLUMNS)


def answers() -> np.ndarray:
    rng = np.random.default_rng(2)
    line = 0.4 * X[:, 0] - 0.01 * np.nan_to_num(X[:, 1]) + (X[:, 3] == 1.0) - 1.5
    return (rng.random(ROWS) < 1.0 / (1.0 + np.exp(-line))).astype(np.int64)


Y = answers()


def estimator() -> Any:
    return boosted_trees(random_state=3, n_estimators=TREES, learning_rate=0.1)


def grown(spark: Any, workers: int, rows: int = LEARNT) -> Booster:
    given = {name: to_arrow(values[:rows]) for name, values in COLUMNS.items()}
    given |= {"label": pa.array(Y[:rows]), "number": pa.array(np.arange(rows))}
    return grow_on_spark(
        sent(spark, given).repartition(3),
        ENCODER,
        estimator(),
        TREES,
        label="label",
        order="number",
        workers=workers,
    )


def log_loss(booster: Booster) -> float:
    p = 1.0 / (1.0 + np.exp(-booster.margins(X[LEARNT:])))
    return float(-np.mean(np.log(np.where(Y[LEARNT:] == 1, p, 1.0 - p))))


@pytest.fixture(scope="module")
def of_two(spark: Any) -> Booster:
    """What two workers grow; they have compared their boosters already."""
    return grown(spark, workers=2)


@pytest.fixture(scope="module")
def of_one_machine() -> Booster:
    fitted = estimator().fit(X[:LEARNT], Y[:LEARNT], categorical_feature=ENCODER.categorical)
    return Booster(fitted.booster_.model_to_string())


def test_two_workers_grow_trees_as_good_as_one_machines(
    of_two: Booster, of_one_machine: Booster
) -> None:
    assert of_two.text.count("\nTree=") == TREES
    assert log_loss(of_two) == pytest.approx(log_loss(of_one_machine), rel=0.005)
    constant = np.full(ROWS - LEARNT, Y[:LEARNT].mean())
    nothing = -np.mean(np.log(np.where(Y[LEARNT:] == 1, constant, 1.0 - constant)))
    assert log_loss(of_two) < 0.97 * nothing


def test_two_workers_grow_the_same_trees_again(spark: Any, of_two: Booster) -> None:
    assert grown(spark, workers=2).text == of_two.text


def test_both_workers_shares_are_learnt_from(spark: Any, of_two: Booster) -> None:
    counts = [line for line in of_two.text.splitlines() if line.startswith("internal_count=")]
    roots = {int(line.removeprefix("internal_count=").split()[0]) for line in counts}
    # Each tree sees the rows that were drawn for it, on both workers.
    assert min(roots) > LEARNT / 2


def test_one_worker_grows_what_this_machine_grows(spark: Any, of_one_machine: Booster) -> None:
    alone = grown(spark, workers=1)
    assert alone.margins(X).tolist() == of_one_machine.margins(X).tolist()


def test_the_model_does_not_tell_where_it_was_grown(of_two: Booster) -> None:
    assert "127.0.0.1" not in of_two.text
    assert "[local_listen_port" not in of_two.text
    assert "[tree_learner: data]" in of_two.text


def test_a_worker_without_rows_is_refused(spark: Any) -> None:
    with pytest.raises(SparkTrainingError, match=r"1 of 2 workers got no rows. Train with fewer"):
        grown(spark, workers=2, rows=1)
