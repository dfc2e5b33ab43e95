from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from models import rails
from models.bootstrap import Estimate
from models.clustered import Grouped
from models.finding import Finding
from models.gate import decide
from models.metrics import log_losses
from models.promotion import Gate

GATE = Gate()
LEAK = Finding("won_at", "missingness", "severe", "It is filled for every yes.", "Exclude it.", 0.9)


def drawn(n=8_000, seed=0, noise=0.8):
    """Answers, customers, true margins, and what a champion of less knowledge says of them."""
    random = np.random.default_rng(seed)
    margin = random.normal(-1.5, 1.0, n)
    y = (random.random(n) < expit(margin)).astype(int)
    weight = 1 / (1 + noise**2)
    seen = -1.5 + weight * (margin + 1.5 + random.normal(0, noise, n))
    # What stays unknown flattens the curve; see MacKay (1992), The evidence framework.
    champion = expit(seen / np.sqrt(1 + np.pi / 8 * (1 - weight)))
    return y, np.arange(n) // 2, margin, champion


def judged(decision, name):
    return next(rail for rail in decision.rails if rail["name"] == name)


def test_a_challenger_that_passes_every_rail_is_promoted_and_each_is_written_down():
    y, groups, margin, champion = drawn()
    flat = {"constant rate": np.full(len(y), y.mean())}
    decision = decide(
        GATE, y, groups, expit(margin), flat, champion,
        segments={"north": np.arange(len(y)) % 3 == 0}, latency=(20.0, 15.0),
    )  # fmt: skip
    assert decision.publish == "challenger"
    names = [rail["name"] for rail in decision.rails]
    assert names == [
        "too good", "leaks", "feature hash", "calibration slope", "calibration intercept",
        "worst segment", "top tenth", "latency",
    ]  # fmt: skip
    assert all(rail["passed"] and rail["words"] for rail in decision.rails)
    numbers = {
        "segment north", "overlap", "calibration_slope_champion", "latency_challenger_us",
        "severe_findings", "feature_hash_ok", "auc_challenger",
    }  # fmt: skip
    assert numbers < set(decision.numbers)


def test_a_severe_finding_stops_promotion_and_what_to_do_is_said():
    y, groups, margin, champion = drawn()
    flat = {"constant rate": np.full(len(y), y.mean())}
    args = (GATE, y, groups, expit(margin), flat)
    decision = decide(*args, champion, findings=[LEAK])
    assert decision.publish == "champion"
    assert (
        "but won_at may know the answer: It is filled for every yes. Exclude it" in decision.reason
    )
    first = decide(*args, findings=[LEAK])
    assert first.publish == "nothing"
    assert "A baseline reads the same columns" in first.reason
    assert decide(*args, champion, findings=[replace(LEAK, severity="warning")]).promote
    worse = decide(GATE, y, groups, champion, flat, expit(margin), findings=[LEAK])
    assert "; moreover, won_at may know the answer" in worse.reason


def test_other_features_than_those_served_are_stopped():
    y, groups, margin, champion = drawn()
    decision = decide(
        GATE, y, groups, expit(margin), {"flat": np.full(len(y), 0.2)}, champion,
        feature_hash_ok=False,
    )  # fmt: skip
    assert decision.publish == "champion"
    assert "trained on other features than those that are served" in decision.reason


def estimates(slope, intercept=(0.0, -0.05, 0.05)):
    return {
        "calibration_slope": Estimate(*slope),
        "calibration_intercept": Estimate(*intercept),
    }


@pytest.mark.parametrize(
    ("slope", "champion", "first", "later"),
    [
        ((1.02, 0.97, 1.07), 1.0, True, True),
        ((0.9, 0.85, 0.95), 1.0, True, True),  # proven off, by a trifle
        ((0.7, 0.66, 0.74), 1.0, False, False),
        ((0.7, 0.35, 1.05), 1.0, True, True),  # nobody can tell
        ((0.84, 0.76, 0.92), 1.0, True, False),  # inside, but not shown to be
        ((0.84, 0.76, 0.92), 0.8, True, True),  # the champion is further off
        ((1.4, 1.3, 1.5), 0.9, False, False),
    ],
)
def test_calibration_has_to_be_shown_against_a_champion_and_refuted_without(
    slope, champion, first, later
):
    theirs = estimates((champion, champion - 0.1, champion + 0.1))
    assert rails.calibrated(GATE, estimates(slope))[0].passed is first
    assert rails.calibrated(GATE, estimates(slope), theirs)[0].passed is later


def test_a_tenth_worse_in_one_segment_is_stopped_however_good_the_rest_is():
    y, groups, margin, champion = drawn(20_000)
    north = np.arange(len(y)) % 10 == 0
    challenger = np.where(north, expit(margin + 1.1), expit(margin))
    ours, theirs = (log_losses(y, p)[north].mean() for p in (challenger, champion))
    assert 0.05 < ours / theirs - 1 < 0.2
    flat = {"constant rate": np.full(len(y), y.mean())}
    decision = decide(GATE, y, groups, challenger, flat, champion, segments={"north": north})
    assert decision.numbers["difference_high"] < 0
    assert decision.publish == "champion"
    assert "but it may serve some customers worse: north (log loss +" in decision.reason
    assert decision.numbers["segment north"] == pytest.approx(ours / theirs - 1)


def segment_rail(n, segments, first, step=0.0):
    """The rail where every other row is `step` worse than its opponent, and the rest better."""
    y, _, _, champion = drawn(n)
    theirs = log_losses(y, champion)
    ours = theirs + step * (np.arange(n) % 2 - 0.5)
    grouped = Grouped.of(np.arange(n))
    return rails.worst_segment(
        GATE, y.astype(float), (ours, theirs), grouped, segments, first=first
    )


def test_a_small_segment_is_left_out_and_said():
    some = {"all": np.ones(2_000, bool), "few": np.arange(2_000) < 100}
    assert segment_rail(2_000, some, first=True).words.endswith("too small to be judged: few")
    alone = segment_rail(300, {"all": np.ones(300, bool)}, first=True)
    assert alone.passed
    assert alone.words == "no declared segment is large enough; too small to be judged: all"


def test_an_unproven_segment_stops_a_later_challenger_but_no_first_champion():
    everyone = {"all": np.ones(600, bool)}
    assert segment_rail(600, everyone, first=True, step=0.6).passed
    assert not segment_rail(600, everyone, first=False, step=0.6).passed
    assert segment_rail(600, everyone, first=False, step=0.1).passed


def test_a_list_of_all_others_is_stopped_unless_nobody_stands_out():
    random = np.random.default_rng(0)
    one, other = random.random(4_000), random.random(4_000)
    groups = Grouped.of(range(4_000))
    apart = rails.kept_list(GATE, one, other, groups)
    assert not apart.passed
    assert apart.numbers["overlap"] == pytest.approx(0.1, abs=0.03)
    same = rails.kept_list(GATE, one, one, groups)
    assert (same.passed, same.numbers["overlap"]) == (True, pytest.approx(1.0))
    flat = rails.kept_list(GATE, one, np.full(4_000, 0.2), groups)
    assert flat.passed
    assert "no top tenths" in flat.words


def test_rows_tied_at_the_cut_count_in_part():
    p = np.array([0.9] * 3 + [0.5] * 14 + [0.1] * 83)
    top = rails._in_top(p)
    assert top.sum() == pytest.approx(10)
    assert top[3] == pytest.approx(0.5)


def test_a_slower_score_is_stopped_only_if_anybody_would_notice():
    assert rails.quick_enough(GATE, (400.0, 10.0)).passed
    assert not rails.quick_enough(GATE, (1_500.0, 600.0)).passed
    assert rails.quick_enough(GATE, (1_100.0, 600.0)).passed
    waits = np.random.default_rng(0).lognormal(np.log(600), 0.5, size=(2, 200))
    assert rails.quick_enough(GATE, (waits[0], waits[1])).passed
    assert not rails.quick_enough(GATE, (3 * waits[0], waits[1])).passed
