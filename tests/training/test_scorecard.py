from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models.encoder import Column, Encoder
from models.metrics import log_loss
from training.fit import Table
from training.scorecard import PARTS, POINT, TERMS, fit_scorecard, lines, ridge

ENCODER = Encoder(
    [
        Column("orders", "int"),
        Column("visits", "float"),
        Column("channel", "category", ("mail", "shop", "web")),
        *(Column(f"noise {i}", "float") for i in range(8)),
    ]
)


def customers(n, seed=0, signal=1.5):
    """Orders, visits (a fifth not known) and one channel tell; eight columns do not."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 11))
    X[:, 0] = random.poisson(3, n)
    X[random.random(n) < 0.2, 1] = np.nan
    X[:, 2] = random.integers(0, 3, n)
    margin = 0.5 * (X[:, 0] - 3) + np.nan_to_num(X[:, 1]) + (X[:, 2] == 1.0) - 0.3
    y = (random.random(n) < expit(signal * margin)).astype(np.int64)
    return Table(X, y, np.arange(n), ENCODER)


@pytest.fixture(scope="module")
def card():
    return fit_scorecard(customers(200))


def test_a_scorecard_orders_customers_it_has_not_seen(card):
    unseen = customers(3_000, seed=1)
    p = card.calibrator.probability(card.engine.margins(unseen.X))
    rate = np.full(len(p), customers(200).y.mean())
    assert log_loss(unseen.y, p) < log_loss(unseen.y, rate) - 0.05


def test_a_scorecard_has_few_columns_and_few_groups(card):
    columns = {term.column for term in card.engine.terms}
    assert 1 <= len(columns) == card.notes["terms"] <= max(TERMS)
    numbers = [line for line in lines(card.engine, ENCODER) if line.column == "orders"]
    assert 2 <= len(numbers) <= PARTS + 1
    assert numbers[-1].values == "not known"


def test_the_margin_is_the_sum_of_the_points_a_person_adds_up(card):
    table = lines(card.engine, ENCODER)
    assert all(isinstance(line.points, int) for line in table)
    for row in customers(40, seed=4).X:
        # By hand: each column's group, found by reading its words.
        points = sum(
            line.points for line in table if _holds(line, row[ENCODER.names.index(line.column)])
        )
        assert card.engine.margin(row) == pytest.approx(card.engine.intercept + points * POINT)


def _holds(line, value):
    words = line.values.split()
    if line.values == "not known" or np.isnan(value):
        return line.values == "not known" and np.isnan(value)
    if line.column == "channel":
        return ENCODER.columns[2].levels[int(value)] == line.values
    if words[0] == "below":
        return value < float(words[1])
    if words[1:] == ["or", "more"]:
        return value >= float(words[0])
    return float(words[0]) <= value < float(words[-1])


def test_columns_that_tell_nothing_give_everyone_the_rate():
    kept = []
    for seed in range(6):
        table = customers(100, seed, signal=0.0)
        kept.append(fit_scorecard(table, seed).notes["terms"])
    assert kept.count(0) >= 4


def test_the_same_rows_give_the_same_card(card):
    again = fit_scorecard(customers(200))
    assert again.engine == card.engine
    assert again.calibrator == card.calibrator


def test_what_two_columns_say_alike_is_said_once():
    table = customers(300)
    X = table.X.copy()
    X[:, 3] = X[:, 0]
    fitted = fit_scorecard(Table(X, table.y, table.groups, ENCODER))
    columns = {term.column for term in fitted.engine.terms}
    assert len(columns & {0, 3}) <= 1


@pytest.mark.parametrize("strength", [0.1, 3.0])
def test_the_penalised_regression_is_scikit_learns(strength):
    table = customers(150)
    Z = np.nan_to_num(table.X[:, [0, 1, 4]])
    oracle = LogisticRegression(C=strength, tol=1e-10, max_iter=1_000).fit(Z, table.y)
    found = ridge(Z, table.y.astype(float), strength)
    assert found == pytest.approx([*oracle.intercept_, *oracle.coef_[0]], abs=1e-5)
