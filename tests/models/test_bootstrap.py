import time

import numpy as np
import pytest
from scipy.special import expit

from models.bootstrap import evaluate, interval, paired_bootstrap
from models.metrics import METRICS, auc, log_losses
from models.outcomes import MetricError


def sample(n=2_000, customers=400, seed=0):
    random = np.random.default_rng(seed)
    margin = random.normal(-1.0, 1.0, n)
    y = (random.random(n) < expit(margin)).astype(int)
    return y, expit(margin), random.integers(0, customers, n)


def test_an_interval_equals_the_slow_one_that_repeats_the_rows_of_drawn_customers():
    y, p, groups = sample(600, 60)
    random = np.random.default_rng(11)
    codes = np.unique(groups, return_inverse=True)[1]
    rows_of = [np.flatnonzero(codes == group) for group in range(codes.max() + 1)]
    slow = []
    for _ in range(200):
        drawn = np.concatenate(
            [rows_of[g] for g in random.integers(len(rows_of), size=len(rows_of))]
        )
        slow.append(auc(y[drawn], p[drawn]))
    fast = interval("auc", y, p, groups, n=200, random_state=11)
    assert fast == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])))


def test_every_metric_lies_in_its_interval_and_the_seed_fixes_it():
    y, p, groups = sample()
    first, second = (evaluate(list(METRICS), y, p, groups, n=200) for _ in range(2))
    assert first == second
    assert list(first) == list(METRICS)
    for name, found in first.items():
        assert found.low < found.high
        assert found.value == pytest.approx(METRICS[name].function(y, p))
        if name != "ece":  # resampling adds noise to the gaps, so its interval lies higher
            assert found.low < found.value < found.high
    assert evaluate(["auc"], y, p, groups, n=200, random_state=1)["auc"] != first["auc"]


def test_rows_of_one_customer_move_together():
    y, p, _ = sample(1_000)
    alone = interval("log_loss", y, p, np.arange(1_000))
    together = interval("log_loss", np.tile(y, 9), np.tile(p, 9), np.tile(np.arange(1_000), 9))
    assert together == pytest.approx(alone)
    as_rows = interval("log_loss", np.tile(y, 9), np.tile(p, 9), np.arange(9_000))
    assert as_rows[1] - as_rows[0] < 0.5 * (alone[1] - alone[0])


@pytest.mark.parametrize("name", ["auc", "calibration_slope", "calibration_intercept", "brier"])
def test_an_interval_covers_the_truth_about_as_often_as_it_says(name):
    truths = {"calibration_slope": 1.0, "calibration_intercept": 0.0}
    y, p, _ = sample(400_000, seed=99)
    truth = truths.get(name, METRICS[name].function(y, p))
    covered = 0
    for seed in range(100):
        y, p, groups = sample(800, 200, seed)
        low, high = interval(name, y, p, groups, n=200)
        covered += low <= truth <= high
    assert covered >= 87  # of 100 at 95 %: fewer than one time in a thousand by chance


def test_a_metric_that_is_not_defined_says_why():
    found = evaluate(["calibration_slope", "brier"], [0, 1, 0, 1], [0.3] * 4, [1, 2, 3, 4], n=20)
    assert found["calibration_slope"].value is None
    assert "all equal" in found["calibration_slope"].why
    assert str(found["calibration_slope"]).startswith("not defined: The probabilities")
    assert found["brier"].value == pytest.approx(0.29)
    with pytest.raises(MetricError, match="all equal"):
        interval("calibration_slope", [0, 1, 0, 1], [0.3] * 4, [1, 2, 3, 4], n=20)


def test_an_interval_from_too_few_customers_is_refused():
    y, p, groups = [1, 0, 0], [0.2, 0.6, 0.1], ["a", "b", "b"]
    found = [evaluate(["auc"], y, p, groups, n=1, random_state=s)["auc"] for s in range(20)]
    assert {estimate.value for estimate in found} == {None, 0.5}
    assert {estimate.why for estimate in found if estimate.value is None} == {
        "Too few customers hold the rarer answer."
    }


def test_a_paired_difference_is_surer_than_two_intervals():
    y, p, groups = sample()
    worse = expit(0.8 * np.log(p / (1 - p)))
    difference = paired_bootstrap(log_losses(y, p), log_losses(y, worse), groups)
    assert difference.mean == pytest.approx((log_losses(y, p) - log_losses(y, worse)).mean())
    assert difference.low < difference.mean < difference.high
    apart = interval("log_loss", y, p, groups)
    assert difference.high - difference.low < 0.5 * (apart[1] - apart[0])


def test_equal_models_do_not_differ():
    y, p, groups = sample(200)
    same = paired_bootstrap(log_losses(y, p), log_losses(y, p), groups, n=50)
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)


def test_intervals_of_many_rows_take_seconds():
    y, p, groups = sample(50_000, 10_000)
    start = time.process_time()
    evaluate(list(METRICS), y, p, groups, n=50)
    assert time.process_time() - start < 8  # 0.2 s on one idle core
