"""Facts of every model in the catalogue; a new model is tested by being listed."""

import subprocess
import sys

import numpy as np
import pytest

from features.catalog import CATALOG as FEATURES
from models.catalog import CATALOG, UnknownModelError, spec
from models.metrics import METRICS

SPECS = pytest.mark.parametrize("model", CATALOG.values(), ids=list(CATALOG))
JUDGED = pytest.mark.parametrize(
    "model", [m for m in CATALOG.values() if m.label is not None], ids=lambda m: m.name
)


@SPECS
def test_a_model_is_found_by_its_own_name(model):
    assert spec(model.name) is model


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(UnknownModelError, match="'chrun' is no model") as caught:
        spec("chrun")
    assert all(name in caught.value.remedy for name in CATALOG)


@SPECS
def test_every_feature_of_a_model_is_in_the_feature_catalogue(model):
    assert set(model.features) <= set(FEATURES)


@SPECS
def test_a_model_asks_one_question_and_says_how_much_data_it_needs(model):
    assert model.question.endswith("?")
    assert model.minimum.rows > 0


@SPECS
def test_every_feature_of_a_model_has_words_in_both_languages(model):
    for feature in model.features:
        assert model.feature_words(feature, "en").strip()
        assert model.feature_words(feature, "ko").strip()


@JUDGED
def test_a_judged_model_has_every_kind_of_baseline_and_known_metrics(model):
    kinds = {"constant", "rule", "best_column", "logistic", "naive_bayes"}
    assert {baseline.kind for baseline in model.baselines} == kinds
    assert set(model.metrics) <= set(METRICS)
    assert "log_loss" in model.metrics
    assert model.act
    assert model.value_note


@JUDGED
def test_an_estimator_is_repeatable_whatever_its_threads(model):
    random = np.random.default_rng(3)
    X = random.normal(size=(800, 5))
    y = (X[:, 0] + random.normal(size=800) > 0.5).astype(int)
    answers = [
        model.estimator(7, num_threads).set_params(n_estimators=20).fit(X, y).predict_proba(X)
        for num_threads in (1, 2)
    ]
    assert np.array_equal(*answers)
    other = model.estimator(8, 1).set_params(n_estimators=20).fit(X, y).predict_proba(X)
    assert not np.array_equal(answers[0], other)


def test_segments_give_an_unfitted_clustering_of_any_number():
    X = np.random.default_rng(0).normal(size=(60, 2))
    for number in CATALOG["segments"].clusters[:2]:
        fitted = CATALOG["segments"].estimator(0).set_params(n_clusters=number).fit(X)
        assert len(set(fitted.labels_.tolist())) == number


def test_the_catalogue_imports_nothing_heavy():
    code = (
        "import sys, models.catalog, models.prospects, models.scores\n"
        "heavy = {'pandas', 'mlflow', 'sklearn', 'lightgbm', 'pyarrow', 'scipy', 'duckdb'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
