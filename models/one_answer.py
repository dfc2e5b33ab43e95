"""What a margin means, one row at a time: the tables of a bundle without an array in between.

Each function gives the bits of its twin on arrays (`Calibrator.probability`, `Intervals.of`,
`Reference.percentile` and `graded`); tests/models/test_one_answer.py holds them to it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.contract import NO_INTERVAL, Interval
from models.curve import Curve

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from models.bundle import Bundle
    from models.calibrator import Calibrator
    from models.intervals import Intervals
    from models.reference import Reference

    Floats = NDArray[np.float64]


class Answers(NamedTuple):
    """What a probability model says of many rows, one array each, as `Score` defines them."""

    margin: Floats
    probability: Floats
    score: Floats
    percentile: Floats
    grade: NDArray[np.str_]


class OneAnswer(NamedTuple):
    """What a probability model says of one row, as `models.contract.Score` defines it."""

    probability: float
    score: float
    percentile: float
    grade: str
    interval: Interval


def intervals_of(table: Intervals | None, answers: Answers) -> list[Interval]:
    """Return each row's interval from a bundle's table; without one, that there is none."""
    if table is None:
        return [NO_INTERVAL] * len(answers.margin)
    low, high = table.of(answers.margin)
    # Between two points of the table the curve of the probability may bend the other way.
    low = np.minimum(low, answers.probability).tolist()
    high = np.maximum(high, answers.probability).tolist()
    return [
        Interval("given", low=lower, high=upper, level=table.level)
        for lower, upper in zip(low, high, strict=True)
    ]


def meaning_of(bundle: Bundle) -> Callable[[float], OneAnswer]:
    """Return the function from a finite margin to what it means.

    Parameters
    ----------
    bundle : Bundle
        Of a probability model.
    """
    probability_of = _probability_of(bundle.calibrator)
    percentile_of = _percentile_of(bundle.reference)
    interval_of = _interval_of(bundle.intervals)
    by_probability = bool(bundle.reference.cuts)
    cuts = tuple(reversed(bundle.reference.cuts or bundle.reference.grades))
    least, grades = [least for _, least in cuts], [grade for grade, _ in cuts]

    def meaning(margin: float) -> OneAnswer:
        probability = probability_of(margin)
        percentile = _round1(percentile_of(margin))
        place = bisect_right(least, probability if by_probability else percentile) - 1
        return OneAnswer(
            probability,
            _round1(100.0 * probability),
            percentile,
            grades[place if place > 0 else 0],
            interval_of(margin, probability),
        )

    return meaning


def _round1(number: float) -> float:
    """Return a number with one decimal as numpy rounds: half to even after times ten."""
    return round(number * 10.0) / 10.0


def _probability_of(calibrator: Calibrator) -> Callable[[float], float]:
    if calibrator.margins:
        return Curve(calibrator.margins, calibrator.probabilities)
    slope, intercept = calibrator.slope, calibrator.intercept
    is_line = calibrator.method != "identity"
    exp = np.exp  # math.exp may differ from it in the last bit

    def probability(margin: float) -> float:
        line = slope * margin + intercept if is_line else margin
        small = float(exp(-abs(line)))
        return (1.0 if line >= 0 else small) / (1.0 + small)

    return probability


def _percentile_of(reference: Reference) -> Callable[[float], float]:
    quantiles = list(reference.margin_quantiles)
    last = len(quantiles) - 1

    def percentile(margin: float) -> float:
        below, upto = bisect_left(quantiles, margin), bisect_right(quantiles, margin)
        if upto > below:
            return 100.0 * ((below + upto - 1) / 2.0) / last
        if below > last:
            return 100.0 * last / last
        left = min(max(below - 1, 0), last - 1)
        gap = quantiles[left + 1] - quantiles[left]
        within = min(max(margin - quantiles[left], 0.0), gap)
        return 100.0 * (left + within / (gap if gap > 0 else 1.0)) / last

    return percentile


def _interval_of(table: Intervals | None) -> Callable[[float, float], Interval]:
    if table is None:
        return lambda margin, probability: NO_INTERVAL
    low_of, high_of = Curve(table.margins, table.low), Curve(table.margins, table.high)
    level = table.level

    def interval(margin: float, probability: float) -> Interval:
        low, high = low_of(margin), high_of(margin)
        return Interval(
            "given",
            low=min(low, probability),
            high=max(high, probability),
            level=level,
        )

    return interval
