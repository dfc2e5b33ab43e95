import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from features.declare import events
from models.baselines import fit_baseline
from models.encoder import Column, Encoder
from models.logistic import STRENGTHS
from models.metrics import log_loss
from models.outcomes import MetricError
from models.spec import BASELINES, Baseline

RECENCY = events("order").days_since_last()
CONSTANT = Baseline("constant rate", "constant")
RULE = Baseline("recency", "rule", RECENCY)
LOGISTIC = Baseline("logistic regression", "logistic")
ENCODER = Encoder(
    [
        Column(RECENCY.name, "float"),
        Column("spent", "float"),
        Column("place", "category", ("shelf", "front", "back")),
        Column("constant", "int"),
        Column("empty", "float"),
    ]
)


def rows(n=3_000, seed=0):
    random = np.random.default_rng(seed)
    X = np.column_stack(
        [
            random.normal(20, 5, n),
            random.lognormal(3, 1.5, n),
            random.integers(0, 3, n),
            np.ones(n),
            np.full(n, np.nan),
        ]
    )
    X[random.random(n) < 0.2, 0] = np.nan
    X[random.random(n) < 0.1, 2] = np.nan
    margin = (
        np.where(np.isnan(X[:, 0]), 1.5, 0.1 * (X[:, 0] - 20))
        + 0.6 * (np.log1p(X[:, 1]) - 3)
        + np.where(X[:, 2] == 1, 1.0, 0.0)
        + np.where(np.isnan(X[:, 2]), -1.0, 0.0)
        - 1.0
    )
    return X, (random.random(n) < expit(margin)).astype(int), np.arange(n) // 3, margin


def test_the_constant_rate_is_the_share_of_yes():
    X, y, groups, _ = rows()
    fitted = fit_baseline(CONSTANT, ENCODER, X, y, groups)
    assert fitted.terms == ()
    assert expit(fitted.intercept) == pytest.approx(y.mean())


def test_a_rule_reads_one_column_and_knows_what_missing_means():
    X, y, groups, _ = rows()
    fitted = fit_baseline(RULE, ENCODER, X, y, groups)
    assert [term.column for term in fitted.terms] == [0]
    missing = np.isnan(X[:, 0])
    p = expit(fitted.margins(X))
    # A logistic regression with an indicator fits the rate of the missing exactly.
    assert p[missing].mean() == pytest.approx(y[missing].mean(), abs=1e-3)
    reference = LogisticRegression(C=1e6, tol=1e-10, max_iter=1_000).fit(
        X[~missing][:, :1], y[~missing]
    )
    assert p[~missing] == pytest.approx(reference.predict_proba(X[~missing][:, :1])[:, 1], abs=1e-3)


def test_logistic_regression_comes_close_to_the_truth():
    X, y, groups, _ = rows()
    fitted = fit_baseline(LOGISTIC, ENCODER, X, y, groups)
    later, answers, _, margin = rows(seed=1)
    found, best = log_loss(answers, expit(fitted.margins(later))), log_loss(answers, expit(margin))
    constant = log_loss(answers, np.full(len(answers), y.mean()))
    assert found - best < 0.03 * (constant - best)


def test_logistic_regression_equals_scikit_learns_own_on_the_same_columns():
    X, y, groups, _ = rows(600)
    kept = ~np.isnan(X[:, :3]).any(axis=1)
    X, y, groups = X[kept], y[kept], groups[kept]
    fitted = fit_baseline(LOGISTIC, ENCODER, X, y, groups)
    by_hand = np.column_stack(
        [
            StandardScaler().fit_transform(np.column_stack([X[:, 0], np.log1p(X[:, 1])])),
            X[:, [2]] == np.array([0, 1, 2]),
        ]
    )
    margins = [
        LogisticRegression(C=C, max_iter=2_000, tol=1e-8).fit(by_hand, y).decision_function(by_hand)
        for C in STRENGTHS
    ]
    distances = [np.abs(margin - fitted.margins(X)).max() for margin in margins]
    assert min(distances) < 1e-2 < sorted(distances)[1]


def test_columns_that_say_nothing_have_no_term():
    X, y, groups, _ = rows(500)
    columns = {term.column for term in fit_baseline(LOGISTIC, ENCODER, X, y, groups).terms}
    assert columns == {0, 1, 2}
    nothing = Encoder([Column(RECENCY.name, "float")])
    fitted = fit_baseline(RULE, nothing, X[:, [3]], y, groups)
    assert fitted.terms == ()


def test_only_a_skewed_number_is_taken_in_logarithms():
    X, y, groups, _ = rows(500)
    fitted = fit_baseline(LOGISTIC, ENCODER, X, y, groups)
    assert {term.column: term.transform for term in fitted.terms if term.kind == "number"} == {
        0: "none",
        1: "log1p",
    }


def test_a_rare_level_counts_with_those_never_seen():
    X, y, groups, _ = rows(500)
    X[:, 2] = np.where(np.arange(500) < 5, 2.0, 0.0)
    fitted = fit_baseline(LOGISTIC, ENCODER, X, y, groups)
    assert {term.level for term in fitted.terms if term.kind == "level"} == {0.0}


def test_the_same_seed_gives_the_same_baseline_and_leaves_the_rows_as_they_were():
    X, y, groups, _ = rows(400)
    before = X.copy()
    first = fit_baseline(LOGISTIC, ENCODER, X, y, groups, random_state=3)
    assert first == fit_baseline(LOGISTIC, ENCODER, X, y, groups, random_state=3)
    assert np.array_equal(before, X, equal_nan=True)


def test_the_strength_is_chosen_on_customers_not_seen():
    random = np.random.default_rng(5)
    customers, copies = 60, 20
    X = np.repeat(random.normal(size=(customers, 40)), copies, axis=0)
    y = np.repeat(random.integers(0, 2, customers), copies)
    encoder = Encoder([Column(f"noise_{i}", "float") for i in range(40)])
    groups = np.repeat(np.arange(customers), copies)
    honest = fit_baseline(LOGISTIC, encoder, X, y, groups)
    fooled = fit_baseline(LOGISTIC, encoder, X, y, np.arange(len(y)))
    assert np.abs(honest.margins(X)).mean() < 0.5 * np.abs(fooled.margins(X)).mean()


@pytest.mark.parametrize("baseline", [RULE, *BASELINES], ids=lambda b: b.kind)
def test_one_answer_alone_fits_nothing(baseline):
    X, y, groups, _ = rows(50)
    with pytest.raises(MetricError, match="same answer"):
        fit_baseline(baseline, ENCODER, X, np.zeros_like(y), groups)


def test_a_constant_baselines_margin_is_its_rates_logit():
    X, y, groups, _ = rows(50)
    assert fit_baseline(CONSTANT, ENCODER, X, y, groups).margins(X) == pytest.approx(
        logit(y.mean())
    )


def test_two_customers_are_enough_to_fit():
    X, y, groups, _ = rows(60)
    assert fit_baseline(LOGISTIC, ENCODER, X, y, groups % 2).terms
