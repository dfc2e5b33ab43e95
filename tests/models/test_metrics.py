import numpy as np
import pytest
import sklearn.metrics
from scipy.optimize import minimize
from scipy.special import expit, logit

from models.metrics import (
    METRICS,
    brier,
    debiased_calibration_error,
    ece,
    log_loss,
    log_losses,
    squared_errors,
)
from models.outcomes import MetricError
from models.recalibration import calibration_intercept, calibration_slope


def sample(seed=0, n=400, stretch=1.0):
    random = np.random.default_rng(seed)
    margin = random.normal(-1.0, 1.2, n)
    y = (random.random(n) < expit(margin)).astype(int)
    return y, expit(stretch * margin), random.integers(0, 4, n).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_losses_agree_with_scikit_learn(seed):
    y, p, w = sample(seed)
    assert log_loss(y, p, w) == pytest.approx(sklearn.metrics.log_loss(y, p, sample_weight=w))
    expected = sklearn.metrics.brier_score_loss(y, p, sample_weight=w)
    assert brier(y, p, w) == pytest.approx(expected)
    assert log_losses(y, p).mean() == pytest.approx(log_loss(y, p))
    assert squared_errors(y, p).mean() == pytest.approx(brier(y, p))


def test_certainty_that_is_wrong_costs_much_but_not_everything():
    assert log_loss([1], [0.0]) == pytest.approx(-np.log(1e-15))
    assert log_loss([1], [1.0]) == 0.0


def oracle(y, p, w, slope_free):
    x = logit(p)

    def loss(beta):
        eta = beta[0] + (beta[1] if slope_free else 1.0) * x
        return w @ (np.logaddexp(0, eta) - y * eta)

    start = [0.0, 1.0] if slope_free else [0.0]
    return minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11}).x


@pytest.mark.parametrize("stretch", [0.4, 1.0, 2.5])
def test_calibration_is_the_best_fitting_stretch_and_shift(stretch):
    y, p, w = sample(1, stretch=stretch)
    assert calibration_slope(y, p, w) == pytest.approx(oracle(y, p, w, True)[1], abs=1e-5)
    assert calibration_intercept(y, p, w) == pytest.approx(oracle(y, p, w, False)[0], abs=1e-5)


def test_a_recalibrated_probability_needs_no_more():
    y, p, _ = sample(2, stretch=3.0)
    shifted = expit(logit(p) + calibration_intercept(y, p))
    assert calibration_intercept(y, shifted) == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("shift", [-24.0, -10.0, 5.0])
@pytest.mark.parametrize("stretch", [0.01, 0.2, 3.0])
def test_a_slope_is_found_however_far_the_probabilities_are_off(shift, stretch):
    y, p, w = sample(3, n=100)
    far = expit(np.clip(logit(p) * stretch, -10, 10) + shift)
    near = expit(np.clip(logit(p) * stretch, -10, 10))
    assert calibration_slope(y, far, w) == pytest.approx(calibration_slope(y, near, w), rel=1e-5)


@pytest.mark.parametrize(
    ("y", "p"),
    [([0, 1, 0, 1], [0.3] * 4), ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])],
    ids=["all equal", "without an error"],
)
def test_probabilities_without_spread_or_error_have_no_slope(y, p):
    with pytest.raises(MetricError, match=r"all equal, or separate"):
        calibration_slope(y, p)


def test_calibration_needs_both_answers():
    for metric in (calibration_slope, calibration_intercept):
        with pytest.raises(MetricError, match="same answer"):
            metric([0, 0], [0.1, 0.2])


def test_ece_is_the_weighted_gap_of_ten_bins():
    y, p, w = sample(4)
    expected = 0.0
    for low in range(10):
        inside = (p >= low / 10) & (p < (low + 1) / 10)
        if w[inside].sum():
            gap = np.average(y[inside], weights=w[inside]) - np.average(
                p[inside], weights=w[inside]
            )
            expected += w[inside].sum() / w.sum() * abs(gap)
    assert ece(y, p, w) == pytest.approx(expected)
    assert ece([1, 1], [1.0, 1.0]) == 0.0


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("y", "p", "w"),
    [
        ([0, 1], [0.5], None),
        ([], [], None),
        ([0, 1], [0.5, np.nan], None),
        ([0, 1], [0.5, 1.1], None),
        ([0, 2], [0.5, 0.5], None),
        ([0, np.nan], [0.5, 0.5], None),
        ([0, 1], [0.4, 0.5], [1.0]),
    ],
)
def test_every_metric_refuses_what_is_no_probability_of_an_answer(name, y, p, w):
    with pytest.raises(MetricError):
        METRICS[name].function(y, p, w)


@pytest.mark.parametrize("name", METRICS)
def test_resampling_by_group_equals_weighting_by_row(name):
    y, p, _ = sample(5, n=3000)
    codes = np.arange(3000) % 1000
    draw = np.random.default_rng(0).integers(0, 3, 1000).astype(float)
    fast = METRICS[name].resample(y.astype(float), p, codes, 1000)(draw)
    # One Newton step is exact up to the squared standard error.
    loose = 0.01 if name.startswith("calibration") else 1e-12
    assert fast == pytest.approx(METRICS[name].function(y, p, draw[codes]), abs=loose)


def test_a_step_that_overshoots_is_halved():
    # At logit -25 the curve is flat, so that a full Newton step would go 10 orders too far.
    assert calibration_intercept([0, 1], [1e-11, 1e-11]) == pytest.approx(-logit(1e-11))


def test_weights_that_leave_one_probability_leave_no_slope():
    with pytest.raises(MetricError, match="all equal"):
        calibration_slope([0, 1, 0, 1], [0.3, 0.3, 0.6, 0.6], [1, 1, 0, 0])


def by_bins(y, p, bins):
    """Kumar, Liang & Ma's estimator of the squared error, bin by bin."""
    total = 0.0
    for part in np.array_split(np.argsort(p, kind="stable"), bins):
        share, n = y[part].mean(), len(part)
        total += n / len(y) * ((share - p[part].mean()) ** 2 - share * (1 - share) / (n - 1))
    return max(0.0, total) ** 0.5


@pytest.mark.parametrize("stretch", [0.5, 1.0, 2.0])
def test_the_debiased_error_is_that_of_its_paper(stretch):
    y, p, _ = sample(7, n=900, stretch=stretch)
    assert debiased_calibration_error(y, p) == pytest.approx(by_bins(y, p, 15), abs=1e-12)


def test_the_debiased_error_finds_the_true_distance_where_the_plain_one_finds_chance():
    # What is promised lies 0.06 above the truth: the true distance, whatever the rows' number.
    squares, plain, sound = [], [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        truth = random.uniform(0.1, 0.8, 600)
        y = (random.random(600) < truth).astype(int)
        squares.append(debiased_calibration_error(y, truth + 0.06) ** 2)
        sound.append(debiased_calibration_error(y, truth))
        plain.append(ece(y, truth))
    assert np.mean(squares) ** 0.5 == pytest.approx(0.06, abs=0.01)
    assert np.median(sound) < 0.02 < np.mean(plain)


def test_the_debiased_error_counts_a_weight_as_rows_and_keeps_ties_together():
    y = np.repeat([0, 1], 100)
    assert debiased_calibration_error(y, np.full(200, 0.5)) == 0.0
    y, p, _ = sample(3)
    assert debiased_calibration_error(y, p, 2 * np.ones(400)) == pytest.approx(
        debiased_calibration_error(y, p)
    )
