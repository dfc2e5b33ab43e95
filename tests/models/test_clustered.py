import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from models.clustered import Grouped, calibration, mean_difference
from models.recalibration import calibration_slope


def test_without_skewness_the_interval_is_students():
    values = np.array([-3.0, -1.0, 0.0, 1.0, 3.0]) + 0.5
    found = mean_difference(values, np.zeros(5), Grouped.of(range(5)), 0.025)
    low, high = stats.t.interval(0.95, 4, loc=0.5, scale=stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, low, high))


def test_rows_of_one_customer_count_as_one():
    values = np.random.default_rng(0).normal(size=50)
    alone = mean_difference(values, np.zeros(50), Grouped.of(range(50)))
    copied = mean_difference(np.repeat(values, 7), np.zeros(350), Grouped.of(np.arange(350) // 7))
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))


@pytest.mark.parametrize("side", [1, -1])
def test_a_long_tail_does_not_make_the_bounds_err_more_often_than_asked_for(side):
    random = np.random.default_rng(0)
    wrong = 0
    for _ in range(1_000):
        values = side * (random.exponential(size=60) - 1.0)
        wrong += mean_difference(values, np.zeros(60), Grouped.of(range(60))).high < 0
    assert wrong <= 40  # expected 25; Student's t gives 58 on one of the sides


def test_one_customer_proves_nothing_and_equal_losses_have_no_spread():
    found = mean_difference([0.1, 0.2], [0.3, 0.4], Grouped.of(["a", "a"]))
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert mean_difference([1.0, 1.0], [1.0, 1.0], Grouped.of(["a", "b"])).high == 0.0
    with_one = calibration([0, 1, 1], [0.2, 0.5, 0.7], Grouped.of(["a"] * 3))
    assert with_one["calibration_slope"].why == "All rows are one customer's."


def test_the_slopes_error_is_that_of_leaving_each_customer_out():
    random = np.random.default_rng(1)
    margin = random.normal(-1, 1, 600)
    y = (random.random(600) < expit(0.8 * margin)).astype(int)
    groups = np.arange(600) // 3
    found = calibration(y, expit(margin), Grouped.of(groups))["calibration_slope"]
    left = np.array(
        [calibration_slope(y[groups != g], expit(margin[groups != g])) for g in range(200)]
    )
    error = np.sqrt(199 / 200 * ((left - left.mean()) ** 2).sum())
    assert found.value == pytest.approx(calibration_slope(y, expit(margin)))
    assert (found.high - found.low) / (2 * stats.t.ppf(0.975, 199)) == pytest.approx(
        error, rel=0.03
    )
