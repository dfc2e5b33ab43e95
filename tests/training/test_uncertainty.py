from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from features.declare import events
from models.baselines import fit_baseline
from models.calibrator import Calibrator
from models.encoder import Column, Encoder
from models.spec import Baseline, Minimum
from training.dataset import Dataset
from training.fit import Fitted, Fitting, Table, fit_trees
from training.halves import Halves
from training.probes import probes
from training.scorecard import fit_scorecard
from training.uncertainty import intervals_of, seen, shared

HOW = Fitting(threads=1)
LOGISTIC = Baseline("logistic regression", "logistic")
orders = events("order")
COLUMNS = tuple(orders.count(last=f"{days}d") for days in (7, 14, 30, 60, 90))
WEIGHTS = np.array([0.8, -0.5, 0.3, 0.0, 0.0])


def customers(n, seed, rate=-1.0):
    """Rows whose true probabilities are stated: a logistic curve of three of five columns."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 5))
    truth = expit(rate + X @ WEIGHTS)
    y = pd.Series((random.random(n) < truth).astype(np.int64))
    names = [feature.name for feature in COLUMNS]
    rows = pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)], "as_of": 0, "matures_at": 0})
    return Dataset(pd.DataFrame(X, columns=names), y, rows, "none"), truth


def logistic(spec, data):
    encoder = Encoder.fit(data.X, spec.features)
    X, y = encoder.transform(data.X), data.y.to_numpy()
    engine = fit_baseline(LOGISTIC, encoder, X, y, np.arange(len(y)))
    return Fitted(LOGISTIC.name, encoder, engine, Calibrator.identity())


def table_of(spec, data):
    encoder = Encoder.fit(data.X, spec.features)
    return Table(encoder.transform(data.X), data.y.to_numpy(), np.arange(len(data)), encoder)


def trees(spec, data):
    return fit_trees(spec, table_of(spec, data), None, replace(HOW, trees=40))


def scorecard(spec, data):
    return fit_scorecard(table_of(spec, data))


@pytest.fixture(scope="module")
def spec(quick):
    changes = {"features": COLUMNS, "baselines": (LOGISTIC,), "minimum": Minimum(100, 20)}
    return quick("churn", **changes)


@pytest.fixture(autouse=True)
def one_run_of_trees(monkeypatch):
    """As of a large table: a linear model beside the trees would see all of this truth."""
    monkeypatch.setattr("training.fit.SMALL", 0)


def covered(spec, make, n, seed):
    data, _ = customers(n, seed)
    shown = make(spec, data)
    table = intervals_of(spec, data, np.arange(n), shown, HOW)
    unseen, truth = customers(3_000, 1_000 + seed)
    low, high = table.of(shown.margins(unseen.X))
    return float(((low <= truth) & (truth <= high)).mean()), float((high - low).mean())


def test_intervals_of_trees_are_not_too_narrow(spec):
    shares = [covered(spec, trees, 1_000, seed)[0] for seed in range(4)]
    assert np.mean(shares) >= 0.84


@pytest.mark.parametrize(("make", "n", "least"), [(logistic, 600, 0.9), (scorecard, 100, 0.75)])
def test_where_little_can_be_known_intervals_are_rather_too_wide(spec, make, n, least):
    shares = [covered(spec, make, n, seed)[0] for seed in range(6)]
    assert np.mean(shares) >= least


def test_more_answers_make_narrower_intervals(spec):
    few, many = (covered(spec, trees, n, 0)[1] for n in (500, 4_000))
    assert many < 0.9 * few


def test_the_same_probability_for_all_has_one_interval_around_it(spec):
    data, _ = customers(300, 0)
    constant = Baseline("constant rate", "constant")
    encoder = Encoder.fit(data.X, spec.features)
    engine = fit_baseline(constant, encoder, data.X.to_numpy(), data.y, np.arange(300))
    shown = Fitted(constant.name, encoder, engine, Calibrator.identity())
    alone = replace(spec, baselines=(constant,))
    low, high = intervals_of(alone, data, np.arange(300), shown, HOW).of([-9.0, 9.0])
    assert low[0] == low[1] < data.y.mean() < high[0] == high[1]


def test_the_same_rows_give_the_same_table(spec):
    data, _ = customers(300, 0)
    shown = logistic(spec, data)
    first, again = (intervals_of(spec, data, np.arange(300), shown, HOW) for _ in range(2))
    assert first == again


def errors_found(error, seeds, copies=1, robust=True):
    """What is seen of an error of log odds that is stated, and the answers' moments, one a seed."""
    found = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        X = random.normal(size=(2_000 // copies, 3))
        truth = expit(X[:, 0] - 1.0)
        y = (random.random(len(X)) < truth).astype(np.int64)
        X, truth, y = (np.repeat(each, copies, axis=0) for each in (X, truth, y))
        margins = X[:, 0] - 1.0 + error(X)
        names = Encoder([Column(name, "float") for name in "abc"])
        Z = probes(X, names, margins, 30, random)
        groups = np.arange(len(X)) // (copies if robust else 1)
        half = groups % 2 if robust else np.arange(len(X)) // copies % 2
        found.append(seen(Z, y, margins, 0.5 * X[:, 1], groups, half))
    return found


def errors(found):
    return np.array([each.error for each in found])


def test_the_mean_square_of_the_error_is_found_without_what_chance_adds():
    found = errors_found(lambda X: 0.3 * X[:, 1] + 0.1 * (X[:, 2] ** 2 - 1), 25)
    assert errors(found).mean() == pytest.approx(0.3**2 + 0.1**2 * 2, abs=0.04)
    none = errors(errors_found(lambda X: 0.0 * X[:, 0], 25))
    assert abs(none.mean()) < 0.04


def test_the_doubt_is_about_the_spread_of_the_estimates_and_no_less():
    found = errors_found(lambda X: 0.0 * X[:, 0], 25)
    spread = errors(found).std()
    assert 0.8 * spread < np.mean([each.doubt for each in found]) < 2.0 * spread


def test_functions_that_hold_all_of_the_difference_see_all_of_it():
    [found] = errors_found(lambda X: 0.0 * X[:, 0], 1)
    assert found.apart == pytest.approx(0.5**2 / 2, rel=0.15)


def test_answers_that_are_one_answer_repeated_are_not_taken_for_an_error():
    def nothing(X):
        return 0.0 * X[:, 0]

    together = errors(errors_found(nothing, 15, copies=5)).mean()
    apart = errors(errors_found(nothing, 15, copies=5, robust=False)).mean()
    assert apart > 3 * abs(together)


def test_models_that_saw_the_answers_of_the_other_half_do_not_hide_their_error():
    stated, by_half, pooled = [], [], []
    for seed in range(8):
        random = np.random.default_rng(seed)
        X = random.normal(size=(1_200, 20))
        margins = X[:, 0] - 0.5
        y = (random.random(len(X)) < expit(margins)).astype(np.int64)
        half = np.arange(len(X)) % 2
        said = np.empty(len(X))
        for side in range(2):
            model = LogisticRegression(C=np.inf).fit(X[half != side], y[half != side])
            said[half == side] = model.decision_function(X[half == side])
        each, one = np.arange(len(X)), np.zeros(len(X), dtype=np.int64)
        stated.append(((said - margins) ** 2).mean())
        by_half.append(seen(X, y, said, 0.0 * said, each, half).error)
        pooled.append(seen(X, y, said, 0.0 * said, each, one).error)
    assert np.mean(by_half) == pytest.approx(np.mean(stated), rel=0.4)
    assert np.mean(pooled) < 0.6 * np.mean(stated)


@pytest.mark.parametrize("largest", [200, 2_000], ids=["moments alike", "one of half the rows"])
@pytest.mark.parametrize(("shift", "least", "most"), [(0.5, 0.15, 0.35), (0.0, 0.0, 0.02)])
def test_an_error_that_all_rows_of_a_moment_share_is_found(shift, least, most, largest):
    found = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        as_of = np.minimum(np.arange(4_000), 4_000 - largest) // 200
        odds = random.normal(size=4_000) - 1.0
        y = (random.random(4_000) < expit(odds + np.where(as_of < 10, shift, -shift))).astype(
            np.int64
        )
        X, groups = odds[:, None], np.arange(4_000) % 200
        table = Table(X, y, groups, Encoder([Column("a", "float")]))
        found.append(shared(Halves(table, as_of, np.array([odds, odds]), groups % 2)))
    assert least <= np.mean(found) <= most


def test_rows_of_a_single_moment_share_no_error_that_could_be_told():
    odds, half = np.zeros(200), np.arange(200) % 2
    table = Table(odds[:, None], half, np.arange(200), Encoder([Column("a", "float")]))
    assert shared(Halves(table, np.zeros(200, dtype=np.int64), np.array([odds, odds]), half)) == 0.0
