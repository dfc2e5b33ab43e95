from __future__ import annotations

import numpy as np
import pytest

from models.calibrator import Calibrator
from models.encoder import Column, Encoder
from models.linear import Linear, Term
from training.drift import stability_index
from training.evaluate import compare, judge
from training.fit import Fitted

METRICS = ("log_loss", "auc", "calibration_slope", "calibration_intercept")
RANDOM = np.random.default_rng(0)
MARGIN = RANDOM.normal(size=3_000) * 2
Y = (RANDOM.random(3_000) < 1 / (1 + np.exp(-MARGIN))).astype(np.int64)
CUSTOMERS = np.array([f"c{number // 2}" for number in range(3_000)])
ROWS = {"x": MARGIN}


def candidate(name, slope, intercept=0.0):
    """The truth is slope 1 and intercept 0."""
    engine = Linear(intercept, (Term(0, coefficient=slope),))
    fitted = Fitted(name, Encoder([Column("x", "float")]), engine, Calibrator.identity())
    return judge(fitted, ROWS, Y, CUSTOMERS, METRICS, resamples=200)


@pytest.mark.parametrize(
    ("slope", "says", "beats"),
    [
        (1.0, "It beats its best baseline, half", True),
        (0.5, "It does not beat its best baseline, half", False),
        (-1.0, "It is worse than its best baseline, half", False),
    ],
)
def test_the_verdict_follows_from_the_interval(slope, says, beats):
    baselines = [candidate("flat", 0.0), candidate("half", 0.5)]
    found = compare(Y, CUSTOMERS, candidate("model", slope), baselines)
    assert says in found.verdict()
    assert found.beats is beats
    assert found.best_baseline.name == "half"


@pytest.mark.parametrize(
    ("slope", "beaten", "says"),
    [
        (0.5, ("flat",), "It beats flat."),
        (-1.0, (), "It beats none of its 2 baselines: nothing here to praise."),
        (0.0, (), "It beats none of its 2 baselines: nothing here to praise."),
    ],
)
def test_where_the_best_baseline_is_not_beaten_it_is_said_which_are(slope, beaten, says):
    baselines = [candidate("flat", 0.0), candidate("half", 0.5)]
    found = compare(Y, CUSTOMERS, candidate("model", slope), baselines)
    assert found.beaten == beaten
    assert says in found.verdict()


def test_a_rival_is_none_to_beat():
    rival, flat = candidate("rival", 1.0), candidate("flat", 0.0)
    found = compare(Y, CUSTOMERS, candidate("model", 0.9), [flat], [rival])
    assert found.best_baseline is flat
    assert [judged.name for judged in found.everyone] == ["model", "rival", "flat"]


@pytest.mark.parametrize(
    ("slope", "intercept", "says"),
    [
        (1.0, 0.0, ["slope is sound", "intercept is sound"]),
        (2.0, 0.0, ["slope is off: the probabilities are too extreme", "intercept"]),
        (0.5, 0.0, ["slope is off: the probabilities are too timid", "intercept"]),
        (1.0, 1.0, ["slope", "intercept is off: the probabilities are too high on the whole"]),
        (1.0, -1.0, ["slope", "intercept is off: the probabilities are too low on the whole"]),
        (0.0, 0.0, ["slope is not defined", "intercept"]),
    ],
)
def test_what_is_off_in_the_calibration_is_named(slope, intercept, says):
    model = candidate("model", slope, intercept)
    sentences = compare(Y, CUSTOMERS, model, [candidate("flat", 0.0)]).calibration()
    assert all(part in sentence for part, sentence in zip(says, sentences, strict=True))


def test_equal_shares_have_not_drifted_and_moved_ones_have():
    assert stability_index([0.2, 0.8], [0.2, 0.8]) == 0.0
    assert stability_index([0.2, 0.8], [0.8, 0.2]) > 0.25
    assert np.isfinite(stability_index([0.0, 1.0], [1.0, 0.0]))
