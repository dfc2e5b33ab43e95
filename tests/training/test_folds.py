from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.folds import Fold, mean_by_row, repeated, repeats_of, stratified


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(10, 200))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random.integers(0, 2, n), random.integers(0, draw(st.integers(5, n)), n)


@given(answers(), st.integers(2, 5))
def test_a_customer_is_never_in_two_folds(data, n_folds):
    y, groups = data
    folds = stratified(y, groups, n_folds, np.random.default_rng(0))
    assert set(folds) <= set(range(n_folds))
    assert all(len(set(folds[groups == group])) == 1 for group in np.unique(groups))


@given(answers(), st.integers(2, 5))
def test_folds_differ_by_no_more_positives_than_one_customer_has(data, n_folds):
    y, groups = data
    folds = stratified(y, groups, n_folds, np.random.default_rng(1))
    positives = [int(y[folds == fold].sum()) for fold in range(n_folds)]
    most = max(int(y[groups == group].sum()) for group in np.unique(groups))
    assert max(positives) - min(positives) <= most


def test_every_deal_judges_every_row_once_and_is_another_one():
    y = np.tile([0, 0, 1], 40)
    folds = repeated(y, np.arange(120), random_state=0)
    assert len(folds) == 5 * repeats_of(120) == 15
    deals = [folds[at : at + 5] for at in (0, 5, 10)]
    for deal in deals:
        assert sorted(np.concatenate([fold.test for fold in deal])) == list(range(120))
    assert not np.array_equal(deals[0][0].test, deals[1][0].test)
    for fold in folds:
        assert not set(fold.train) & set(fold.test)


def test_the_same_seed_deals_the_same_folds():
    y = np.tile([0, 1], 30)
    first, again = (repeated(y, np.arange(60), random_state=4) for _ in range(2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))


def test_the_mean_of_a_row_is_over_the_folds_that_judged_it():
    random = np.random.default_rng(0)
    folds = repeated(np.tile([0, 1], 20), np.arange(40), random_state=0)
    values = [random.random(len(fold.test)) for fold in folds]
    seen: dict[int, list[float]] = {}
    for fold, held in zip(folds, values, strict=True):
        for row, value in zip(fold.test.tolist(), held.tolist(), strict=True):
            seen.setdefault(row, []).append(value)
    expected = [float(np.mean(seen[row])) for row in range(40)]
    assert mean_by_row(folds, values) == pytest.approx(expected)
    assert mean_by_row([Fold(np.array([]), np.arange(2))], [np.array([0.1, 0.2])]).tolist() == [
        0.1,
        0.2,
    ]
