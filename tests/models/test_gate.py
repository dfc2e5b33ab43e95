import numpy as np
import pytest
from scipy.special import expit

from models.gate import GateError, decide
from models.outcomes import MetricError
from models.promotion import Gate

GATE = Gate()


def rows(n=3_000, seed=0):
    random = np.random.default_rng(seed)
    margin = random.normal(-1.5, 1.0, n)
    y = (random.random(n) < expit(margin)).astype(int)
    blurred = expit(-1.4 + 0.5 * (margin + 1.5 + random.normal(0, 1.0, n)))
    return y, np.arange(n) // 2, margin, blurred, np.full(n, y.mean())


def test_a_first_model_that_beats_the_best_baseline_is_promoted():
    y, groups, margin, blurred, flat = rows()
    decision = decide(GATE, y, groups, expit(margin), {"constant rate": flat, "recency": blurred})
    assert (decision.promote, decision.publish, decision.baseline) == (
        True,
        "challenger",
        "recency",
    )
    assert decision.reason.startswith("Promoted: on 3,000 unseen rows of 1,500 customers")
    assert "comes closer to what happened than the best baseline (recency)" in decision.reason
    assert decision.numbers["difference_high"] < 0
    assert decision.numbers["difference"] == pytest.approx(
        decision.numbers["log_loss_challenger"] - decision.numbers["log_loss_recency"]
    )


def test_a_first_model_no_better_than_the_baseline_leaves_the_field_to_it():
    y, groups, margin, blurred, flat = rows()
    decision = decide(GATE, y, groups, blurred, {"constant rate": flat, "truth": expit(margin)})
    assert (decision.promote, decision.publish, decision.baseline) == (False, "baseline", "truth")
    assert "is further from what happened" in decision.reason
    assert "The baseline itself (truth) is published." in decision.reason


def test_a_difference_within_chance_promotes_nobody():
    y, groups, margin, _, flat = rows(400)
    nearly = expit(margin + np.random.default_rng(1).normal(0, 0.02, 400))
    decision = decide(GATE, y, groups, nearly, {"constant rate": flat}, champion=expit(margin))
    assert (decision.promote, decision.publish) == (False, "champion")
    assert "cannot be told apart from the present champion" in decision.reason
    assert decision.reason.endswith("The present champion stays.")


def test_a_champion_is_the_opponent_whatever_the_baselines_do():
    y, groups, margin, blurred, flat = rows()
    decision = decide(GATE, y, groups, expit(margin), {"constant rate": flat}, champion=blurred)
    assert decision.promote
    assert "the present champion" in decision.reason


@pytest.mark.parametrize(
    ("stretch", "shift", "said"),
    [(2.0, 0.0, "calibration slope"), (1.0, 0.6, "calibration intercept")],
)
def test_probabilities_that_are_off_are_stopped_even_if_they_are_better(stretch, shift, said):
    y, groups, margin, _, _ = rows()
    off = expit((margin + 1.5) * stretch - 1.5 + shift)
    decision = decide(GATE, y, groups, off, {"wrong": np.full(len(y), 0.7)})
    assert decision.numbers["difference_high"] < 0
    assert (decision.promote, decision.publish) == (False, "baseline")
    assert f"but its probabilities are off: {said}" in decision.reason


def test_a_departure_within_chance_does_not_stop_a_model():
    y, groups, margin, _, _ = rows(150, seed=4)
    decision = decide(
        Gate(slope=(1.0, 1.0), intercept=(0.0, 0.0)),
        y,
        groups,
        expit(margin),
        {"wrong": np.full(len(y), 0.7)},
    )
    assert decision.promote


def test_what_is_too_good_to_be_true_is_not_published():
    y, groups, _, _, flat = rows()
    random = np.random.default_rng(0)
    leaked = np.where(y == 1, random.uniform(0.6, 1.0, len(y)), random.uniform(0.0, 0.41, len(y)))
    leaked[:3] = 1 - leaked[:3]
    decision = decide(GATE, y, groups, leaked, {"constant rate": flat})
    assert decision.publish == "baseline"
    assert "too good to be true" in decision.reason
    decision = decide(GATE, y, groups, leaked, {"leaky rule": np.clip(leaked, 0.01, 0.99)})
    assert decision.publish == "nothing"


def test_one_probability_for_all_cannot_be_promoted():
    y, groups, _, _, flat = rows(200)
    decision = decide(GATE, y, groups, flat, {"wrong": np.full(len(y), 0.9)})
    assert not decision.promote
    assert "calibration slope is not defined" in decision.reason


def test_a_lower_error_asks_for_more_evidence():
    y, groups, margin, _, _ = rows(800)
    slightly_worse = expit(margin + 0.25)
    args = (y, groups, expit(margin), {"other": slightly_worse})
    lenient, strict = (decide(Gate(alpha=a), *args) for a in (0.2, 0.0001))
    assert lenient.numbers["difference_high"] < strict.numbers["difference_high"]


def test_the_same_rows_give_the_same_decision():
    y, groups, margin, _, flat = rows(300)
    args = (GATE, y, groups, expit(margin), {"constant rate": flat})
    assert decide(*args) == decide(*args)


def test_equal_models_are_promoted_as_rarely_as_promised():
    promoted = 0
    for seed in range(40):
        y, groups, margin, _, _ = rows(400, seed)
        random = np.random.default_rng(seed + 1_000)
        one, other = (expit(margin + random.normal(0, 0.3, 400)) for _ in range(2))
        decision = decide(GATE, y, groups, one, {"other": other})
        promoted += decision.numbers["difference_high"] < 0
    assert promoted <= 5  # expected 1


def test_a_decision_needs_a_baseline_and_both_answers():
    y, groups, margin, _, flat = rows(50)
    with pytest.raises(GateError, match="no baseline"):
        decide(GATE, y, groups, expit(margin), {})
    with pytest.raises(MetricError, match="same answer"):
        decide(GATE, np.zeros(50), groups, expit(margin), {"constant rate": flat})


def test_a_baseline_that_cannot_be_believed_is_not_what_a_first_model_must_beat():
    y, groups, margin, blurred, _ = rows()
    # Knows the order as well as the challenger, and overstates: too sharp and too high.
    boastful = expit(1.5 * margin + 0.9)
    nearly = expit(margin + np.random.default_rng(1).normal(0, 0.3, len(y)))
    decision = decide(GATE, y, groups, nearly, {"boastful": boastful, "recency": blurred})
    assert (decision.publish, decision.baseline) == ("challenger", "recency")
    assert "boastful was no opponent, because its probabilities are off" in decision.reason


def test_a_first_model_proven_worse_than_any_baseline_is_not_published():
    y, groups, margin, blurred, flat = rows()
    boastful = expit(1.3 * margin + 0.7)
    decision = decide(GATE, y, groups, blurred, {"boastful": boastful, "constant rate": flat})
    assert (decision.publish, decision.baseline) == ("baseline", "constant rate")
    assert "it is further from what happened than boastful" in decision.reason


def test_a_baseline_that_is_only_shown_is_neither_opponent_nor_published():
    y, groups, margin, blurred, flat = rows()
    baselines = {"shown": expit(margin), "constant rate": flat}
    decision = decide(GATE, y, groups, blurred, baselines, only_shown=["shown"])
    assert (decision.publish, decision.baseline) == ("baseline", "constant rate")
    assert "further from what happened than shown" in decision.reason
    assert "shown was no opponent, because it is only shown" in decision.reason
    with pytest.raises(GateError, match="could be published"):
        decide(GATE, y, groups, blurred, {"shown": flat}, only_shown=["shown"])


def test_if_no_baseline_can_be_believed_the_best_one_is_the_opponent():
    y, groups, margin, _, _ = rows()
    decision = decide(GATE, y, groups, expit(margin), {"off": expit(0.4 * margin - 3)})
    assert (decision.publish, decision.baseline) == ("challenger", "off")
