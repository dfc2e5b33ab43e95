import numpy as np
import pytest
from scipy.special import expit

from models.best_column import SMOOTHING, best_column
from models.encoder import Column
from models.linear import Linear

RANDOM = np.random.default_rng(0)
N = 4_000
GROUPS = np.arange(N)
NOISE = RANDOM.normal(size=N)


def answers(margin, seed=1):
    return (np.random.default_rng(seed).random(N) < expit(margin)).astype(float)


def columns(*dtypes):
    return [(i, Column(f"x{i}", dtype)) for i, dtype in enumerate(dtypes)]


def column_of(fitted):
    [place] = {term.column for term in fitted.terms}
    return place


def test_the_column_that_tells_most_of_customers_not_seen_is_taken():
    weak, strong = RANDOM.normal(size=(2, N))
    X = np.column_stack([NOISE, weak, strong])
    y = answers(0.3 * weak + 1.5 * strong)
    assert column_of(best_column(columns("float", "float", "float"), X, y, GROUPS)) == 2


def test_many_levels_gain_nothing_by_being_many():
    x = RANDOM.normal(size=N)
    names = RANDOM.integers(0, 150, N).astype(float)
    X, y = np.column_stack([names, x]), answers(0.4 * x)
    assert column_of(best_column(columns("category", "float"), X, y, GROUPS)) == 1


def test_a_customers_rows_do_not_speak_for_each_other():
    customers = np.repeat(np.arange(N // 40), 40)
    y = RANDOM.integers(0, 2, N // 40).astype(float)[customers]
    x = RANDOM.normal(size=N)
    y = np.where(RANDOM.random(N) < 0.2, answers(2 * x), y)
    X = np.column_stack([customers.astype(float), x])
    assert column_of(best_column(columns("category", "float"), X, y, customers)) == 1
    assert column_of(best_column(columns("category", "float"), X, y, GROUPS)) == 0


def test_a_category_answers_with_the_smoothed_rate_of_its_levels():
    X = RANDOM.integers(0, 3, (N, 1)).astype(float)
    X[:400] = np.nan
    y = answers(np.where(np.isnan(X[:, 0]), -1.0, X[:, 0] - 1))
    p = expit(best_column(columns("category"), X, y, GROUPS).margins(X))
    for level in (0.0, 1.0, 2.0, np.nan):
        rows = np.isnan(X[:, 0]) if np.isnan(level) else X[:, 0] == level
        rate = (y[rows].sum() + SMOOTHING * y.mean()) / (rows.sum() + SMOOTHING)
        assert p[rows] == pytest.approx(rate)


def test_a_number_that_rises_and_falls_answers_by_its_tenths_and_a_steady_one_by_a_curve():
    x = RANDOM.normal(size=N)
    humped = best_column(columns("float"), x[:, None], answers(2 - 2 * x**2), GROUPS)
    steady = best_column(columns("float"), x[:, None], answers(x), GROUPS)
    assert {term.kind for term in humped.terms} == {"step"}
    assert {term.kind for term in steady.terms} == {"number"}


def test_columns_that_say_nothing_leave_the_base_rate():
    X = np.column_stack([np.full(N, np.nan), np.ones(N)])
    y = answers(np.zeros(N))
    fitted = best_column(columns("float", "int"), X, y, GROUPS)
    assert expit(fitted.margins(X)) == pytest.approx(y.mean(), abs=1e-6)
    assert best_column([], X, y, GROUPS) == Linear(fitted.intercept)


def test_the_same_seed_chooses_the_same_column():
    X, y = RANDOM.normal(size=(N, 6)), answers(np.zeros(N))
    dtypes = columns(*["float"] * 6)
    assert best_column(dtypes, X, y, GROUPS, 3) == best_column(dtypes, X, y, GROUPS, 3)
