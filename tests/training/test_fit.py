from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.blend import Blend
from models.booster import Booster
from models.encoder import Column, Encoder
from models.metrics import log_loss
from training.boosting import NO_SETTINGS, settings_of
from training.fit import FitError, Fitting, Recipe, Table, fit_trees

# Small fits beside other tests: a second thread only waits.
ONE_THREAD = Fitting(threads=1)


def files_of(engine):
    """What would be published of an engine."""
    if isinstance(engine, Blend):
        return engine.booster.text, engine.linear.to_json()
    return engine.text, None


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
    assert files_of(first.engine) == files_of(again.engine)
    assert first.calibrator == again.calibrator
    assert 1 <= first.notes["trees"] <= 40


def test_trees_are_better_than_the_rate(quick):
    table, unseen = rows(), rows(seed=1)
    fitted = fit_trees(quick("churn"), table, None, replace(ONE_THREAD, trees=40))
    p = fitted.calibrator.probability(fitted.engine.margins(unseen.X))
    assert log_loss(unseen.y, p) < log_loss(unseen.y, np.full(len(p), table.y.mean())) - 0.1


def test_a_given_number_of_trees_is_kept(quick):
    assert fit_trees(quick("churn"), rows(), None, replace(ONE_THREAD, trees=7)).notes["trees"] == 7


def test_without_an_inner_split_customers_left_out_in_turn_settle_the_trees(quick):
    signal = rows(1_500)
    noise = replace(signal, y=np.random.default_rng(5).integers(0, 2, 1_500))
    trees = {
        name: fit_trees(quick("churn"), table, None, ONE_THREAD).notes["trees"]
        for name, table in (("signal", signal), ("noise", noise))
    }
    assert trees["noise"] < 10 < trees["signal"] <= 40


def test_any_number_of_threads_gives_the_same_model(quick):
    table = rows(400)
    found = [fit_trees(quick("churn"), table, None, Fitting(threads=n, trees=5)) for n in (1, 2)]
    one, two = ([*files_of(each.engine)] for each in found)
    # The text says with how many threads it was made.
    texts = [text.replace("[num_threads: 2]", "[num_threads: 1]") for text in (one[0], two[0])]
    assert texts[0] == texts[1]
    assert one[1] == two[1]


def test_a_small_table_gets_the_mean_of_several_runs(quick):
    fitted = fit_trees(quick("churn"), rows(800), None, replace(ONE_THREAD, trees=7))
    engine = fitted.engine
    booster = engine.booster if isinstance(engine, Blend) else engine
    assert booster.text.count("\nTree=") == 3 * 7


def test_a_linear_truth_puts_a_linear_model_beside_the_trees(quick):
    table, unseen = rows(800), rows(4_000, seed=1)
    fitted = fit_trees(quick("churn"), table, None, ONE_THREAD)
    assert isinstance(fitted.engine, Blend)
    assert 0.5 < fitted.notes["linear_share"] < 1
    p, trees = (
        fitted.calibrator.probability(engine.margins(unseen.X))
        for engine in (fitted.engine, fitted.engine.booster)
    )
    assert log_loss(unseen.y, p) < log_loss(unseen.y, trees)


def test_trees_stay_alone_where_a_linear_model_sees_nothing(quick):
    random = np.random.default_rng(0)
    table = rows(3_000)
    odd = table.X[:, 0] * table.X[:, 1] > 0
    y = (random.random(3_000) < np.where(odd, 0.8, 0.2)).astype(np.int64)
    fitted = fit_trees(quick("churn"), replace(table, y=y), None, ONE_THREAD)
    assert isinstance(fitted.engine, Booster)


def test_what_a_first_fit_settled_is_kept_on_other_rows(quick):
    recipes = (Recipe({"num_leaves": 3}, 5), Recipe({"num_leaves": 2}, 4))
    first = fit_trees(quick("churn"), rows(400), None, replace(ONE_THREAD, recipes=recipes))
    how = ONE_THREAD.after(first)
    assert (how.trees, how.recipes, how.budget) == (5, recipes, 0.0)
    again = fit_trees(quick("churn"), rows(400), None, how)
    assert files_of(again.engine) == files_of(first.engine)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_declared_direction_holds_for_every_row(quick, sign):
    spec = quick("churn")
    name = next(f.name for f in spec.features if f.dtype in ("int", "float"))
    at = spec.feature_names.index(name)
    table = wide(spec, seed=0)
    free, held = (
        fit_trees(each, table, None, replace(ONE_THREAD, trees=12)).engine
        for each in (spec, replace(spec, monotone={name: sign}))
    )
    steps = np.repeat(table.X[:50, None], 30, axis=1)
    steps[:, :, at] = np.linspace(-3, 3, 30)
    slopes = [
        np.diff(each.margins(steps.reshape(-1, table.X.shape[1])).reshape(50, 30), axis=1)
        for each in (free, held)
    ]
    assert (sign * slopes[0]).min() < 0
    assert (sign * slopes[1]).min() >= -1e-12


def wide(spec, seed):
    """Rows of a model's own columns; the answer rises and falls with the first number."""
    random = np.random.default_rng(seed)
    encoder = Encoder([Column(f.name, "float") for f in spec.features])
    X = random.normal(size=(600, len(encoder.columns)))
    at = next(i for i, f in enumerate(spec.features) if f.dtype in ("int", "float"))
    y = (random.random(600) < 1 / (1 + np.exp(-2 * np.sin(2 * X[:, at])))).astype(np.int64)
    return Table(X, y, np.arange(600), encoder)


def test_rare_answers_are_not_weighted_up(quick):
    from models.trees import boosted_trees

    def weighted(random_state, num_threads=1):
        return boosted_trees(
            random_state, num_threads, class_weight="balanced", scale_pos_weight=9.0
        )

    assert not set(settings_of(quick("churn", estimator=weighted), 0, 1)) & set(NO_SETTINGS)
    table = rows()
    rare = table.take(np.flatnonzero((table.y == 0) | (np.arange(len(table)) % 10 == 0)))
    fitted = fit_trees(quick("churn"), rare, None, ONE_THREAD)
    p = fitted.calibrator.probability(fitted.engine.margins(rare.X))
    assert p.mean() == pytest.approx(rare.y.mean(), rel=0.1)


def test_an_estimator_that_cannot_be_published_is_refused(quick):
    from sklearn.linear_model import LogisticRegression

    spec = quick("churn", estimator=lambda random_state, num_threads=1: LogisticRegression())
    with pytest.raises(FitError, match=r"LogisticRegression.*LGBMClassifier"):
        fit_trees(spec, rows(), None, ONE_THREAD)
