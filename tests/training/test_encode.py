from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from features.feature import Attribute
from models.encoder import Encoder
from models.metrics import log_loss
from training.boosting import Table
from training.calibrate import folds_of
from training.encode import FOLDS, MANY, SMOOTH, encoded
from training.fit import Fitting, fit_trees

FEATURES = (Attribute("town", "", "category"), Attribute("age", "", "int"))


def customers(n: int, levels: int, seed: int) -> tuple[dict[str, Any], np.ndarray]:
    """Towns, each with an effect of its own, and an age that says something too."""
    random = np.random.default_rng(seed)
    effects = np.random.default_rng(99).normal(scale=1.5, size=levels)
    town, age = random.integers(0, levels, n), random.integers(20, 80, n)
    p = 1 / (1 + np.exp(-(effects[town] + (age - 50) / 30 - 1)))
    names = np.array([f"town {number:04d}" for number in range(levels)], dtype=object)
    return {"town": names[town], "age": age}, (random.random(n) < p).astype(np.int64)


def test_few_levels_stay_as_they_are() -> None:
    X, y = customers(500, MANY, 0)
    table = encoded(X, FEATURES, y, np.arange(500))
    plain = Encoder.fit(X, FEATURES)
    assert table.encoder.columns == plain.columns
    np.testing.assert_array_equal(table.X, plain.transform(X))


def test_many_levels_are_served_in_the_order_of_their_rates() -> None:
    X, y = customers(3_000, 200, 0)
    column = encoded(X, FEATURES, y, np.arange(3_000)).encoder.columns[0]
    rates = []
    for level in column.levels:
        answers = y[X["town"] == level]
        rates.append((answers.sum() + SMOOTH * y.mean()) / (len(answers) + SMOOTH))
    assert sorted(column.levels) == sorted(set(X["town"]))
    assert rates == sorted(rates)


def test_no_row_knows_an_answer_of_its_own_customer() -> None:
    X, y = customers(600, 100, 0)
    groups = np.arange(600) // 3
    before = encoded(X, FEATURES, y, groups).X[:, 0]
    fold = folds_of(groups, FOLDS, 0) == 2
    # Places are among all towns' rates, so they are compared by which town is above which.
    flipped = encoded(X, FEATURES, np.where(fold, 1 - y, y), groups).X[:, 0]
    after = dict(zip(X["town"][fold], flipped[fold], strict=True))
    towns = [t for t in after if np.isfinite(after[t])]
    was = dict(zip(X["town"][fold], before[fold], strict=True))
    pairs = [(was[a] - was[b], after[a] - after[b]) for a in towns for b in towns]
    assert not any(one * other < 0 for one, other in pairs)


def test_a_level_of_one_customer_alone_is_as_if_never_seen() -> None:
    X, y = customers(600, 100, 0)
    X["town"][:2] = "nowhere else"
    table = encoded(X, FEATURES, y, np.arange(600) // 2)
    assert np.isnan(table.X[:2, 0]).all()
    assert np.isfinite(table.encoder.encode(["nowhere else", 30])).all()
    assert np.isnan(table.encoder.encode(["never seen", 30])[0])


def test_noise_of_many_levels_is_not_taken_for_a_signal() -> None:
    X, _ = customers(2_000, 1_000, 0)
    noise = np.random.default_rng(5).integers(0, 2, 2_000)
    place = encoded(X, FEATURES, noise, np.arange(2_000)).X[:, 0]
    known = np.isfinite(place)
    assert abs(np.corrcoef(place[known], noise[known])[0, 1]) < 0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_predicts_better_than_the_levels_themselves(seed: int, quick: Any) -> None:
    X, y = customers(3_000, 400, seed)
    unseen, answers = customers(3_000, 400, seed + 10)
    ordered = encoded(X, FEATURES, y, np.arange(3_000))
    plain = Encoder.fit(X, FEATURES)
    losses = []
    for table in (ordered, Table(plain.transform(X), y, np.arange(3_000), plain)):
        fitted = fit_trees(quick("churn"), table, None, Fitting(threads=1))
        margins = fitted.engine.margins(table.encoder.transform(unseen))
        losses.append(log_loss(answers, fitted.calibrator.probability(margins)))
    assert losses[0] < losses[1] - 0.005
