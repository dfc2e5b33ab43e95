from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.encoder import Column, Encoder
from models.metrics import log_loss
from training.fit import FitError, Fitting, Table, fit_trees

# Small fits beside other tests: a second thread only waits.
ONE_THREAD = Fitting(threads=1)


def rows(n=4_000, seed=0):
    """Customers with four rows each, two telling columns and one that is noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    margin = -1.0 + 1.5 * X[:, 0] - X[:, 1]
    y = (random.random(n) < 1 / (1 + np.exp(-margin))).astype(np.int64)
    encoder = Encoder([Column(name, "float") for name in ("a", "b", "noise")])
    return Table(X, y, np.arange(n) // 4, encoder)


def test_the_same_rows_give_the_same_trees_and_calibrator(quick):
    spec, table = quick("churn"), rows()
    stop = (np.arange(3_000), np.arange(3_000, 4_000))
    first, again = (fit_trees(spec, table, stop, ONE_THREAD) for _ in range(2))
    assert first.engine.text == again.engine.text
    assert first.calibrator == again.calibrator
    assert 1 <= first.notes["trees"] <= 40


def test_trees_are_better_than_the_rate(quick):
    table, unseen = rows(), rows(seed=1)
    fitted = fit_trees(quick("churn"), table, None, replace(ONE_THREAD, trees=40))
    p = fitted.calibrator.probability(fitted.engine.margins(unseen.X))
    assert log_loss(unseen.y, p) < log_loss(unseen.y, np.full(len(p), table.y.mean())) - 0.1


def test_a_given_number_of_trees_is_kept(quick):
    assert fit_trees(quick("churn"), rows(), None, replace(ONE_THREAD, trees=7)).notes["trees"] == 7


def test_without_an_inner_split_a_third_of_the_limit_is_grown(quick):
    assert fit_trees(quick("churn"), rows(), None, ONE_THREAD).notes["trees"] == 13


def test_an_estimator_that_cannot_be_published_is_refused(quick):
    from sklearn.linear_model import LogisticRegression

    spec = quick("churn", estimator=lambda random_state, num_threads=1: LogisticRegression())
    with pytest.raises(FitError, match=r"LogisticRegression.*LGBMClassifier"):
        fit_trees(spec, rows(), None, ONE_THREAD)
