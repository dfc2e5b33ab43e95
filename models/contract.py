"""What a score carries: the probability and what is needed to act on it."""

from __future__ import annotations

from typing import Literal

import msgspec

from models.abstention import ANSWERED, Abstention
from models.reasons import Reason
from models.sufficiency import Sufficiency
from models.trend import Trend


class Interval(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where this customer's true probability lies.

    Attributes
    ----------
    status : {"given", "not_yet"}
        "not_yet" of a model that was published without intervals; the rest is then left out.
    why : str
        Why there is none.
    low, high : float
        The probability given lies between them.
    level : float
        Share of customers whose true probability lies inside.
    """

    status: Literal["given", "not_yet"]
    why: str = ""
    low: float | None = None
    high: float | None = None
    level: float | None = None


NO_INTERVAL = Interval("not_yet", "This version was published without intervals.")


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a probability model about one row.

    Attributes
    ----------
    model, version : str
        The version is the registry's; empty for a bundle that has none.
    score : float
        100 x probability, with one decimal: 0.0 to 100.0.
    probability : float
        Calibrated.
    margin : float
        Before calibration; tells apart rows of equal probability.
    interval : Interval
        For this customer's true probability.
    trend : Trend
        Since an earlier score, where one was looked at.
    percentile : float
        Percentage of the reference rows below this margin, with one decimal.
    grade : {"A", "B", "C", "D"}
        By the probability's cut points, which stay the same between trainings unless one asks for
        new ones. A is likeliest, good or not.
    base_rate : float or None
        Share of "yes" in training.
    horizon : str
        Time within which the answer comes true.
    reasons : list of Reason
        Largest effect first.
    as_of, scored_at : str
        ISO 8601 UTC: only what was known before `as_of` counts.
    sequence : int or None
        Number of the last event that could count; None if the values came with the request.
    data_sufficiency : Sufficiency
        How much was known.
    score_id : str
        Names this answer, where it was served; later ones sort later.
    abstention : Abstention
        Whether the model knows enough for its numbers to mean anything.
    """

    model: str
    version: str
    score: float
    probability: float
    margin: float
    interval: Interval
    percentile: float
    grade: str
    trend: Trend
    base_rate: float | None
    horizon: str
    reasons: list[Reason]
    as_of: str
    scored_at: str
    sequence: int | None
    data_sufficiency: Sufficiency
    score_id: str = ""
    abstention: Abstention = ANSWERED


class NamedSegment(msgspec.Struct, frozen=True):
    """A segment in words a marketer would use."""

    id: int
    name: str
    description: str


class SegmentScore(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a segment model about one row: no probability, for nothing is predicted.

    Attributes
    ----------
    segment : NamedSegment
        The nearest.
    fit : float
        1.0 at the segment's centre, 0.0 half-way to the next segment; three decimals.
    distance : float
        To the centre, in the space of the scaled columns.
    abstention : Abstention
        As of a `Score`.
    """

    model: str
    version: str
    segment: NamedSegment
    fit: float
    distance: float
    abstention: Abstention = ANSWERED
    as_of: str
    scored_at: str
    sequence: int | None
    data_sufficiency: Sufficiency
    score_id: str = ""
