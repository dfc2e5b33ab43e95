from __future__ import annotations

import numpy as np
import pytest

from training.grading import grading, promised

RANDOM = np.random.default_rng(3)


def answers(p, customers=None):
    """Answers that keep the promises; rows of one customer share one draw if there are several."""
    draws = RANDOM.random(len(p)) if customers is None else RANDOM.random(len(p))[customers]
    return (draws < p).astype(np.int64)


@pytest.mark.parametrize(
    ("rate", "rows_each"), [(0.01, 1), (0.1, 1), (0.4, 1), (0.05, 5), (0.1, 5), (0.4, 5)]
)
def test_a_promise_that_is_true_is_kept_nineteen_times_of_twenty(rate, rows_each):
    p = np.clip(rate * RANDOM.uniform(0.5, 1.5, 400), 0, 1)
    customers = np.repeat(np.arange(400), rows_each)
    p, kept = p[customers], []
    for _ in range(300):
        y = answers(p, customers)
        low, high = promised(y, p, customers)
        kept.append(low <= y.mean() <= high)
    assert 0.90 <= np.mean(kept) <= 0.995


def test_a_promise_that_is_false_is_found_out():
    p = np.full(400, 0.3)
    checks = grading(answers(p * 0.5), p, np.arange(400)).checks
    assert [check.kept for check in checks] == [False]


def test_grades_that_are_kept_stay_where_they_were_and_say_how_their_shares_moved():
    then = RANDOM.beta(2, 8, 2_000)
    first = grading(answers(then), then, np.arange(2_000))
    assert first.kept_from == ""
    assert first.moved == ()
    now = then * 0.5
    later = grading(answers(now), now, np.arange(2_000), (first.cuts, "3"))
    assert (later.cuts, later.kept_from) == (first.cuts, "3")
    assert {check.grade for check in later.moved} >= {"B"}
    assert sum(check.rows for check in later.checks) == 2_000


def test_the_counts_of_a_grade_are_those_of_its_rows():
    p = RANDOM.beta(2, 8, 1_000)
    y = answers(p)
    found = grading(y, p, np.arange(1_000))
    least = [*dict(found.cuts).values(), 0.0]
    highest = np.inf
    for check in found.checks:
        inside = (p >= check.least) & (p < highest)
        assert (check.rows, check.positives) == (inside.sum(), y[inside].sum())
        assert check.expected == pytest.approx(p[inside].mean())
        highest = check.least
    assert least[-1] == 0.0
