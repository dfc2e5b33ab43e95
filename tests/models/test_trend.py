from __future__ import annotations

import random

import msgspec
import pytest

from models.trend import ALONE, LEAST, LEAST_ODDS, NO_TREND, Earlier, direction_of, trend_of


def test_what_the_customer_and_the_model_changed_is_all_that_changed() -> None:
    rng = random.Random(1)
    for _ in range(500):
        now, before, again = (rng.random() for _ in range(3))
        trend = trend_of(now, "4", Earlier(before, "3", 0, again))
        assert trend.change == now - before
        assert trend.by_customer + trend.by_model == pytest.approx(trend.change, abs=1e-15)


def test_a_new_version_turns_no_arrow() -> None:
    trend = trend_of(0.6, "4", Earlier(0.2, "3", 0, again=0.6))
    assert (trend.direction, trend.by_customer, trend.by_model) == ("flat", 0.0, 0.6 - 0.2)
    assert (trend.earlier_version, trend.version) == ("3", "4")


def test_the_same_version_moved_nothing() -> None:
    trend = trend_of(0.6, "3", Earlier(0.2, "3", 10**6, again=0.2))
    assert (trend.by_model, trend.since) == (0.0, "1970-01-01T00:00:01Z")
    assert trend.why == "The customer moved it by +40.0 points."


def test_directions_are_judged_by_odds() -> None:
    rng = random.Random(2)
    seen = set()
    for _ in range(2_000):
        before = rng.random()
        after = min(0.999, max(0.001, before + rng.gauss(0, 0.1)))
        odds = [p / (1 - p) for p in (before, after)]
        moved = abs(after - before) >= LEAST and max(odds) / min(odds) >= LEAST_ODDS
        expected = "flat" if not moved else "up" if after > before else "down"
        assert direction_of(before, after) == expected
        assert direction_of(1 - before, 1 - after) == {"up": "down", "down": "up"}.get(
            expected, "flat"
        )
        seen.add(expected)
    assert seen == {"flat", "up", "down"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0.0, 0.0, "flat"), (0.0, 1.0, "up"), (1.0, 0.5, "down"), (1.0, 1.0, "flat")],
)
def test_certainty_has_a_direction_too(before: float, after: float, expected: str) -> None:
    assert direction_of(before, after) == expected


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_trend_that_is_not_given_says_why_and_nothing_else(language: str) -> None:
    for trend in (
        *NO_TREND[language].values(),
        ALONE[language],
        trend_of(0.5, "1", None, language),
    ):
        assert set(msgspec.to_builtins(trend)) == {"status", "why"}
        assert trend.status == "not_yet"


def test_korean_names_the_versions_in_their_order() -> None:
    why = trend_of(0.35, "4", Earlier(0.3, "3", 0, 0.25), "ko").why
    assert why == "고객의 변화 +10.0%p, 모델의 변화(버전 3 → 4) -5.0%p."
