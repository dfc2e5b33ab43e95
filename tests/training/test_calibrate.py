from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from training.calibrate import choose, clearly_lower, folds_of, isotonic, sigmoid
from training.venn_abers import MOST_MARGINS, POINTS, venn_abers


def answers_to(margin, seed=0):
    random = np.random.default_rng(seed)
    return (random.random(len(margin)) < 1 / (1 + np.exp(-margin))).astype(np.int64)


def test_a_customer_is_never_in_two_folds():
    groups = np.random.default_rng(0).integers(0, 50, 500)
    folds = folds_of(groups, 4, random_state=3)
    assert set(folds) == {0, 1, 2, 3}
    assert all(len(set(folds[groups == group])) == 1 for group in range(50))


def test_margins_that_are_too_extreme_get_a_sigmoid():
    random = np.random.default_rng(0)
    truth = random.normal(size=3_000)
    y = (random.random(3_000) < 1 / (1 + np.exp(-truth))).astype(np.int64)
    calibrator, losses = choose(3 * truth, y, np.arange(3_000) % 4)
    assert calibrator.method == "sigmoid"
    assert calibrator.slope == pytest.approx(1 / 3, abs=0.05)
    assert losses["sigmoid"] < losses["identity"]


def test_isotonic_never_promises_certainty():
    p = isotonic(np.arange(100.0), (np.arange(100) > 50).astype(np.int64)).probability([-9, 999])
    assert 0 < p[0] < p[1] < 1


@pytest.mark.parametrize("margins", [np.zeros(100), -np.repeat([0.0, 1.0], 50)])
def test_margins_that_order_nothing_or_wrongly_become_the_rate(margins):
    y = np.repeat([0, 1], 50)
    calibrator = sigmoid(margins, y)
    assert calibrator.slope == 0.0
    assert calibrator.probability(margins) == pytest.approx(0.5)


def test_flexible_curves_are_only_tried_where_answers_are_many():
    random = np.random.default_rng(0)
    margins = random.normal(size=4_000)
    for share, tried in ((0.02, 2), (0.1, 3), (0.3, 4), (0.98, 2)):
        y = (random.random(4_000) < share).astype(np.int64)
        assert len(choose(margins, y, np.arange(4_000) % 4)[1]) == tried


def test_margins_that_need_no_curve_get_none():
    # The plainest must keep nearly all: a method that often won would follow chance.
    chosen = []
    for seed in range(8):
        margins = np.random.default_rng(seed).normal(size=2_000)
        chosen.append(choose(margins, answers_to(margins, seed), np.arange(2_000) % 4)[0].method)
    assert chosen.count("identity") >= 6
    assert chosen.count("isotonic") == 0


def test_a_bend_that_no_line_follows_gets_a_flexible_curve():
    margins = np.random.default_rng(1).normal(scale=2.0, size=20_000)
    y = answers_to(np.where(margins > 0, 0.1 * margins, 2 * margins), 1)
    calibrator, losses = choose(margins, y, np.arange(20_000) % 4)
    assert calibrator.method in ("venn_abers", "isotonic")
    assert losses[calibrator.method] < losses["sigmoid"]


def test_a_curve_has_to_win_by_more_than_chance():
    random = np.random.default_rng(0)
    loss = random.random(1_000)
    noise = random.normal(size=1_000)
    noise -= noise.mean()
    error = noise.std(ddof=1) / np.sqrt(1_000)
    assert not clearly_lower(loss + noise - 0.9 * error, loss)
    assert clearly_lower(loss + noise - 1.1 * error, loss)


@pytest.mark.parametrize("n", [1, 7, 150])
def test_venn_abers_is_the_definition_carried_out_row_by_row(n):
    random = np.random.default_rng(n)
    margins = random.integers(0, 40, n) / 7
    y = random.integers(0, 2, n)
    curve = venn_abers(margins, y)
    for margin in np.unique(margins):
        p0, p1 = (
            IsotonicRegression()
            .fit(np.append(margins, margin), np.append(y, answer))
            .predict([margin])[0]
            for answer in (0, 1)
        )
        assert curve.probability(margin) == pytest.approx(p1 / (1 - p0 + p1), abs=1e-12)


def test_venn_abers_stays_true_when_neighbours_are_taken_together():
    margins = np.random.default_rng(0).normal(size=20 * MOST_MARGINS)
    y = answers_to(margins)
    curve = venn_abers(margins, y)
    assert len(curve.margins) == POINTS
    assert (np.diff(curve.probabilities) >= 0).all()
    asked = np.linspace(-2.5, 2.5, 41)
    assert curve.probability(asked) == pytest.approx(1 / (1 + np.exp(-asked)), abs=0.06)


def test_venn_abers_never_promises_certainty():
    p = venn_abers(np.arange(100.0), (np.arange(100) > 50).astype(np.int64)).probability([-9, 999])
    assert 0 < p[0] < p[1] < 1
