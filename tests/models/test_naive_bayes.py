from collections import Counter
from math import log

import numpy as np
import pytest
from scipy.special import expit

from models.encoder import Column
from models.naive_bayes import ENOUGH, NaiveBayes

RANDOM = np.random.default_rng(0)
N = 2_000
COLUMNS = [
    (0, Column("source", "category", ("ad", "call", "web"))),
    (1, Column("country", "category", ("de", "fr", "kr"))),
    (2, Column("team", "category", ("north", "south", "tiny"))),
]
X = RANDOM.integers(0, 3, (N, 3)).astype(float)
X[:, 2] = RANDOM.choice([0.0, 1.0, 2.0], N, p=[0.5, 0.485, 0.015])
X[RANDOM.random(N) < 0.2, 1] = np.nan
# In the south a call is worth what an advertisement is worth in the north.
Y = (RANDOM.random(N) < expit(np.where(X[:, 2] == 1, X[:, 0], 2 - X[:, 0]) - 1.5)).astype(float)


def oracle(rows, answers, lead):
    """Odds of one lead by counting, a field at a time."""
    won, lost = (rows[answers == answer] for answer in (1, 0))
    odds = log(len(won) / len(lost))
    for field in (0, 1):
        if np.isnan(lead[field]):
            continue
        counts = [Counter(side[~np.isnan(side[:, field]), field].tolist()) for side in (won, lost)]
        shares = [
            (count[lead[field]] + 0.1) / sum(count[level] + 0.1 for level in (0.0, 1.0, 2.0))
            for count in counts
        ]
        odds += log(shares[0] / shares[1])
    return min(max(odds, log(1 / 99)), log(99))


def test_a_leads_odds_are_those_of_counting_by_hand_each_team_by_itself():
    fitted = NaiveBayes.fit(COLUMNS, X, Y, team=2)
    for lead, margin in zip(X[:200], fitted.margins(X[:200]), strict=True):
        own = X[:, 2] == lead[2]
        if min(Y[own].sum(), (1 - Y[own]).sum()) < ENOUGH:
            own = np.ones(N, bool)
        assert margin == pytest.approx(oracle(X[own], Y[own], lead))


def test_a_team_of_few_answers_and_a_lead_without_one_are_scored_by_everybodys_counts():
    fitted = NaiveBayes.fit(COLUMNS, X, Y, team=2)
    everybody = NaiveBayes.fit(COLUMNS[:2], X, Y)
    assert min(Y[X[:, 2] == 2].sum(), (1 - Y[X[:, 2] == 2]).sum()) < ENOUGH
    for team in (2.0, 7.0, np.nan):
        rows = np.column_stack([X[:50, :2], np.full(50, team)])
        np.testing.assert_allclose(fitted.margins(rows), everybody.margins(rows))
    assert not np.allclose(fitted.margins(X[:50]), everybody.margins(X[:50]))


def test_a_probability_stays_within_its_clamps():
    telling = np.column_stack([Y, Y, Y])
    p = expit(NaiveBayes.fit(COLUMNS, telling, Y).margins(telling))
    assert (p.min(), p.max()) == (pytest.approx(0.01), pytest.approx(0.99))


def test_a_value_seen_with_one_answer_alone_still_has_a_finite_ratio():
    never = np.where(Y == 1, 0.0, X[:, 0])[:, None]
    fitted = NaiveBayes.fit(COLUMNS[:1], never, Y)
    assert all(np.isfinite(ratio).all() for ratio in fitted.ratios)


def test_contributions_add_up_to_the_margin_clamps_included():
    for answers in (Y, X[:, 0] == 0):
        fitted = NaiveBayes.fit(COLUMNS, X, answers.astype(float), team=2)
        added = fitted.contributions(X)
        np.testing.assert_allclose(added.sum(axis=1), fitted.margins(X), atol=1e-12)
        assert not added[:, 2].any()


def test_a_lead_of_which_nothing_is_known_has_the_base_rate():
    nothing = NaiveBayes.fit(COLUMNS, X, Y).margin([np.nan] * 3)
    assert expit(nothing) == pytest.approx(Y.mean())


def test_a_number_counts_by_fifths():
    x = RANDOM.normal(size=(N, 1))
    y = (RANDOM.random(N) < expit(2 * x[:, 0])).astype(float)
    fitted = NaiveBayes.fit([(0, Column("x", "float"))], x, y)
    assert len(set(fitted.margins(x).round(9))) == 5
    order = np.argsort(x[:, 0])
    assert (np.diff(fitted.margins(x)[order]) >= -1e-12).all()
