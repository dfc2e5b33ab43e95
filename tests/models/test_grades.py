from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grades import SHARES, can_be_kept, cut, graded

probabilities = st.lists(
    st.floats(0.0, 1.0, allow_subnormal=False) | st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=1
).map(np.array)


def nearest(p: np.ndarray, share: float) -> float:
    """The least distance to a share that any cut point could reach, found by trying them all."""
    reached = [float((p >= level).mean()) for level in p] + [0.0]
    return min(abs(each - share) for each in reached)


@given(probabilities)
def test_no_other_cut_point_comes_closer_to_a_grades_share(p: np.ndarray) -> None:
    cuts = cut(p)
    held = dict(cuts)
    for grade, share in SHARES:
        # A grade that is left out shares its cut point with a better one.
        better = [least for name, least in cuts if name <= grade]
        reached = float((p >= better[-1]).mean()) if better else 0.0
        assert abs(reached - share) == pytest.approx(nearest(p, share))
        assert grade in held or graded(cuts, p).tolist().count(grade) == 0


@given(probabilities)
def test_a_higher_probability_never_has_a_worse_grade(p: np.ndarray) -> None:
    grades = graded(cut(p), np.sort(p))
    assert list(grades) == sorted(grades, reverse=True)
    assert cut(p)[-1][1] == 0.0


def test_a_cut_point_is_short_and_no_customers_own_probability() -> None:
    p = np.random.default_rng(0).beta(1, 5, 5_000)
    for _, least in cut(p)[:-1]:
        assert least not in p
        assert len(str(least)) <= 7


def test_cut_points_that_leave_a_grade_empty_are_not_kept() -> None:
    assert can_be_kept(cut(np.linspace(0, 1, 50)))
    for p in (np.full(50, 0.2), np.repeat([0.1, 0.5], 25)):
        assert not can_be_kept(cut(p))
    assert not can_be_kept((("A", 0.2), ("B", 0.2), ("C", 0.2), ("D", 0.0)))
    assert not can_be_kept(())
