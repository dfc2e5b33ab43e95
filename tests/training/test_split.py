from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.split import Slicing, SplitError, at, inner, rolling

DAY = 86_400_000_000


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with horizons of their own, as campaigns have them."""
    n = draw(st.integers(20, 120))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    as_of = random.integers(0, 40, n) * DAY
    matures_at = as_of + random.integers(1, 12, n) * DAY
    return as_of, matures_at, random.integers(0, 2, n)


@given(rows(), st.integers(0, 9), st.integers(0, 15))
def test_no_training_label_matures_after_the_evaluation_begins(data, width, positives):
    as_of, matures_at, y = data
    try:
        splits = rolling(as_of, matures_at, y, Slicing(width * DAY, 3 * DAY, positives), slices=5)
    except SplitError:
        return
    for split in splits:
        assert matures_at[split.train].max() <= split.begins == as_of[split.test].min()
        assert as_of[split.test].max() == split.ends
        assert not set(split.train) & set(split.test)


@given(rows(), st.integers(0, 9))
def test_evaluation_slices_do_not_overlap_and_go_back_in_time(data, width):
    as_of, matures_at, y = data
    try:
        splits = rolling(as_of, matures_at, y, Slicing(width * DAY, 2 * DAY), slices=6)
    except SplitError:
        return
    for later, earlier in pairwise(splits):
        assert earlier.ends < later.begins
        assert earlier.ends <= later.ends - 2 * DAY


@given(rows())
def test_the_inner_split_stays_in_the_training_period_and_keeps_the_maturity_rule(data):
    as_of, matures_at, y = data
    outer = at(30 * DAY, 40 * DAY, as_of, matures_at)
    if not len(outer.train):
        return
    part = inner(outer, as_of, matures_at, y)
    if part is None:
        return
    assert set(part.train) | set(part.test) <= set(outer.train)
    assert matures_at[part.train].max() <= part.begins <= as_of[part.test].min()
    assert matures_at[part.test].max() <= outer.begins


def test_a_grid_is_judged_on_its_last_moment_alone():
    as_of = np.repeat(np.arange(10) * 7 * DAY, 4)
    y = np.tile([0, 1, 0, 0], 10)
    split = rolling(as_of, as_of + 14 * DAY, y, Slicing(0, 14 * DAY), slices=1)[0]
    assert split.begins == split.ends == 63 * DAY
    assert len(split.test) == 4


def test_a_slice_is_widened_until_it_holds_enough_positives():
    as_of = np.repeat(np.arange(10) * DAY, 4)
    y = np.tile([0, 1, 0, 0], 10)
    split = rolling(as_of, as_of + DAY, y, Slicing(DAY, DAY, positives=3), slices=1)[0]
    assert (split.begins, split.ends) == (7 * DAY, 9 * DAY)
    assert y[split.test].sum() == 3


@pytest.mark.parametrize("y", [np.zeros(40, dtype=int), np.ones(40, dtype=int)])
def test_one_class_alone_cannot_be_split(y):
    as_of = np.repeat(np.arange(10) * DAY, 4)
    with pytest.raises(SplitError, match="positives"):
        rolling(as_of, as_of + DAY, y, Slicing(0, DAY), slices=1)
