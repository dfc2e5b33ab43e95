"""What a challenger has to show before it is promoted: the conditions, with their margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from features.feature import Feature


@dataclass(frozen=True)
class Gate:
    """Conditions of promotion, judged by :func:`models.gate.decide`.

    Superiority in log loss is the challenger's to prove. So is every guard rail against a champion,
    because its customers have something that works; a first champion is stopped by what is likely.

    Parameters
    ----------
    alpha : float
        One-sided error of "the challenger's log loss is lower", and of every guard rail.
    slope, intercept : (float, float)
        Tolerated calibration. Against a champion the interval has to lie inside, or to contain the
        ideal (1 and 0), or the champion is further off on these rows; a first champion is stopped
        when its estimate lies outside and its interval excludes the ideal.
    too_good : float
        An AUC above this is taken for a leak until someone has looked.
    segments : tuple of Feature
        Features of texts or yes and no: each of their values is a segment of customers in which
        the challenger must not be worse.
    segment_margin : float
        By which part of the opponent's log loss it may be worse in the worst segment.
    segment_rows, segment_answers : int
        Fewer rows, or fewer of either answer, and a segment is left out and that is said.
    overlap : float
        The least share of the champion's top tenth that stays in the top tenth.
    latency, latency_us : float
        One score may take as many times the champion's time, or as many microseconds.
    """

    alpha: float = 0.025
    slope: tuple[float, float] = (0.8, 1.25)
    intercept: tuple[float, float] = (-0.25, 0.25)
    too_good: float = 0.98
    segments: tuple[Feature, ...] = ()
    segment_margin: float = 0.05
    segment_rows: int = 500
    segment_answers: int = 50
    overlap: float = 0.2
    latency: float = 2.0
    latency_us: float = 500.0
