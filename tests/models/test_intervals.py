from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import BadInputError
from models.bundle import Bundle
from models.intervals import Intervals
from models.score import Score, Scorer

TABLE = Intervals((-2.0, 0.1, 1.5), (0.05, 1 / 3, 0.6), (0.2, 0.5, 0.95))
ROW = [12, 250.5, "35+", "web", True]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_the_lower_end_is_never_above_the_upper_one(margins: list[float]) -> None:
    low, high = TABLE.of(margins)
    assert (low <= high).all()
    assert ((low >= 0.05) & (high <= 0.95)).all()


def test_between_points_the_ends_lie_on_straight_lines() -> None:
    low, high = TABLE.of([-9.0, -2.0, 0.8, 99.0])
    assert low == pytest.approx([0.05, 0.05, 1 / 3 + (0.6 - 1 / 3) / 2, 0.6])
    assert high == pytest.approx([0.2, 0.2, 0.725, 0.95])


def test_intervals_survive_json() -> None:
    assert Intervals.from_json(json.loads(json.dumps(TABLE.to_json()))) == TABLE


@pytest.mark.parametrize(
    "columns",
    [
        ((), (), ()),
        ((0.0, 1.0), (0.1,), (0.2, 0.3)),
        ((0.0, 0.0), (0.1, 0.1), (0.2, 0.2)),
        ((0.0, np.inf), (0.1, 0.1), (0.2, 0.2)),
        ((0.0,), (0.3,), (0.2,)),
        ((0.0,), (-0.1,), (0.2,)),
        ((0.0,), (0.1,), (np.nan,)),
    ],
)
def test_what_is_no_table_of_intervals_is_refused(columns: Any) -> None:
    with pytest.raises(BadInputError, match="A table of intervals got"):
        Intervals(*columns)


def test_a_score_carries_the_interval_of_its_margin(made: Any, tmp_path: Any) -> None:
    bundle = Bundle.load(replace(made.bundle, intervals=TABLE).save(tmp_path / "1"))
    assert bundle.intervals == TABLE
    score = Scorer(bundle).score(ROW, 0)
    assert isinstance(score, Score)
    low, high = TABLE.of(score.margin)
    plain = msgspec.to_builtins(score.interval)
    assert plain["status"] == "given"
    assert plain["level"] == 0.9
    assert plain["low"] == min(float(low), score.probability)
    assert plain["high"] == max(float(high), score.probability)


def test_the_probability_never_lies_outside_its_interval(made: Any) -> None:
    narrow = Intervals((-1.0, 1.0), (0.4, 0.4), (0.41, 0.41))
    scorer = Scorer(replace(made.bundle, intervals=narrow))
    for score in scorer.score_many(made.rows(50), [0] * 50):
        assert isinstance(score, Score)
        assert score.interval.low is not None
        assert score.interval.high is not None
        assert score.interval.low <= score.probability <= score.interval.high
