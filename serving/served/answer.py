"""What is kept of an answer, so that a replay can tell whether it would be the same."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from models.contract import Score, SegmentScore


def logged_answer(score: Score | SegmentScore) -> dict[str, Any]:
    """Return the numbers and names that follow from the values and the version alone.

    Reasons and sentences are not among them: a request chooses how many, and in which language.

    Examples
    --------
    >>> from models.contract import NamedSegment
    >>> segment = NamedSegment(7, "loyal", "often here")
    >>> logged_answer(SegmentScore(
    ...     model="segments", version="1", segment=segment, fit=0.5, distance=1.25, as_of="",
    ...     scored_at="", sequence=None, data_sufficiency=None))
    {'segment': 7, 'name': 'loyal', 'fit': 0.5, 'distance': 1.25}
    """
    if isinstance(score, SegmentScore):
        return {
            "segment": score.segment.id,
            "name": score.segment.name,
            "fit": score.fit,
            "distance": score.distance,
        }
    interval = score.interval
    return {
        "margin": score.margin,
        "probability": score.probability,
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "score": score.score,
        "percentile": score.percentile,
        "grade": score.grade,
        "base_rate": score.base_rate,
    }


def differences(kept: Mapping[str, Any], again: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return by name what is not the same to the last bit: (kept, again).

    Examples
    --------
    >>> differences({"margin": 0.1 + 0.2, "grade": "A"}, {"margin": 0.3, "grade": "A"})
    {'margin': (0.30000000000000004, 0.3)}
    """
    names = list(dict.fromkeys([*kept, *again]))
    found = {name: (kept.get(name), again.get(name)) for name in names}
    return {name: both for name, both in found.items() if _bits(both[0]) != _bits(both[1])}


def _bits(value: Any) -> Any:
    return struct.pack("<d", value) if isinstance(value, float) else (type(value), value)
