"""A small version of each simulated retraining, and that each is what it says it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.gate import fitted
from benchmarks.gate.__main__ import BAD, SCENARIOS, decisions, main
from models.metrics import log_losses
from models.ranking import auc
from models.recalibration import calibration_slope

RETRAININGS = 20
FEWER = 8_000


def promoted(scenario: str, n: int) -> int:
    return sum(decision.promote for decision in decisions(scenario, RETRAININGS, n))


def test_equal_challengers_are_promoted_by_chance_alone() -> None:
    assert promoted("equal", FEWER) <= 2  # expected half a one


@pytest.mark.parametrize("scenario", BAD)
def test_no_bad_challenger_is_promoted(scenario: str) -> None:
    assert promoted(scenario, FEWER) == 0


def test_a_challenger_two_per_cent_better_is_promoted() -> None:
    assert promoted("better", 20_000) >= 16


@pytest.mark.parametrize(
    ("scenario", "ratio"), [("equal", 1.0), ("better", 0.98), ("segment", 1.1)]
)
def test_log_losses_are_what_the_scenario_says(scenario: str, ratio: float) -> None:
    made = SCENARIOS[scenario](np.random.default_rng(1), 400_000)
    ours, theirs = (log_losses(made.rows.y, p) for p in (made.challenger, made.champion))
    where = made.rows.segments["south"]
    assert ours[where].mean() / theirs[where].mean() == pytest.approx(ratio, abs=0.01)
    for p in (made.challenger, made.champion):
        assert calibration_slope(made.rows.y, p) == pytest.approx(1.0, abs=0.05)


def test_what_must_not_pass_would_pass_on_its_log_loss_alone() -> None:
    for scenario in ("leak", "miscalibrated", "segment"):
        found = decisions(scenario, 3)
        assert all(decision.numbers["difference_high"] < 0 for decision in found)


def test_the_overstating_challenger_has_the_slope_and_the_leak_the_auc() -> None:
    made = SCENARIOS["miscalibrated"](np.random.default_rng(2), 200_000)
    assert calibration_slope(made.rows.y, made.challenger) == pytest.approx(0.7, abs=0.02)
    random = np.random.default_rng(3)
    y = (random.random(100_000) < 0.2).astype(int)
    assert auc(y, expit(fitted.leak(random, y))) == pytest.approx(0.9, abs=0.005)


def test_the_last_line_holds_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--retrainings", "1", "--only", "equal", "scan"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "RESULT equal_promoted=0 bad_promoted=nan better_promoted=nan leaks_found=6 false_alarms=0"
    )
