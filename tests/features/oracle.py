"""A slow, obvious reading of every declaration: the judge of the kernel.

It works on plain dictionaries, knows no codes, windows of integers or states, and repeats nothing
of the code it judges but the definitions.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from features.feature import (
    Aggregate,
    Arithmetic,
    AtLeast,
    Attribute,
    Condition,
    Context,
    ContextRef,
    DaysUntil,
    Feature,
)

Event = Mapping[str, Any]
DAY = 86_400_000_000
HOUR = 3_600_000_000
LENGTHS = {"d": DAY, "h": HOUR, "w": 7 * DAY}


def value(
    feature: Feature,
    events: Sequence[Event],
    changes: Sequence[Event],
    as_of: int,
    context: Mapping[str, Any],
    minor: int = 100,
) -> Any:
    """Return one feature of one customer; None where it is missing."""
    return _value(feature, located(events, changes), changes, as_of, context, minor)


def values(
    features: Sequence[Feature],
    events: Sequence[Event],
    changes: Sequence[Event],
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    minor: int = 100,
) -> list[list[Any]]:
    """Return features of one customer at (moment, context) rows; None where one is missing."""
    own = located(events, changes)
    return [[_value(f, own, changes, at, given, minor) for f in features] for at, given in rows]


def located(events: Sequence[Event], changes: Sequence[Event]) -> list[Event]:
    """Return events in order, with the hour of the week and the part of the day."""
    ordered = sorted(events, key=lambda event: (event["occurred_at"], event["event_id"]))
    return [{**event, **_local(event, changes)} for event in ordered]


def _value(
    feature: Feature,
    events: Sequence[Event],
    changes: Sequence[Event],
    as_of: int,
    context: Mapping[str, Any],
    minor: int,
) -> Any:
    if isinstance(feature, Aggregate):
        return _aggregate(feature, events, as_of, context, minor)
    if isinstance(feature, Condition):
        found = _aggregate(feature.count, events, as_of, context, minor) > 0
        return found == feature.wanted
    if isinstance(feature, Attribute):
        return _state(changes, as_of).get(feature.name)
    if isinstance(feature, Context):
        return context[feature.source or feature.name]
    if isinstance(feature, DaysUntil):
        return (context[feature.instant.source or feature.instant.name] - as_of) / DAY
    if isinstance(feature, AtLeast):
        part = _value(feature.part, events, changes, as_of, context, minor)
        return None if part is None else max(part, feature.bound)
    assert isinstance(feature, Arithmetic)
    left, right = (
        _value(part, events, changes, as_of, context, minor)
        for part in (feature.left, feature.right)
    )
    if left is None or right is None:
        return None
    if feature.operation == "per":
        return None if right == 0 else left / right
    return {"plus": left + right, "minus": left - right, "times": left * right}[feature.operation]


def _state(changes: Sequence[Event], before: int) -> Event:
    """Return the attributes last known before a moment; of equals what was said last."""
    known = [change for change in changes if change["known_at"] < before]
    return sorted(known, key=lambda change: change["known_at"])[-1] if known else {}


def _local(event: Event, changes: Sequence[Event]) -> dict[str, str]:
    """Return the hour of the week and the part of the day where the customer then lived."""
    zone = ZoneInfo(_state(changes, event["recorded_at"]).get("timezone") or "UTC")
    local = datetime.fromtimestamp(event["occurred_at"] // 1_000_000, UTC).astimezone(zone)
    part = ("night", "morning", "afternoon", "evening")[local.hour // 6]
    return {
        "hour_of_week": f"{local:%a}_{local:%H}".lower(),
        "daypart": f"{'weekend' if local.weekday() > 4 else 'weekday'}_{part}",
    }


def _window(
    feature: Aggregate, as_of: int, context: Mapping[str, Any]
) -> tuple[float, float, float]:
    """Return where the window starts and ends, and before when its events must be recorded."""
    window = feature.window
    if window.next is not None or window.until is not None:
        end = as_of + _length(window.next) if window.next else context[window.until or ""]
        return as_of, end, end + _length(window.lag)
    if window.last is None:
        return -math.inf, as_of, as_of
    start = as_of - _length(window.last)
    if _length(window.last) >= 7 * DAY:
        start -= start % HOUR
    return start, as_of, as_of


def _counted(
    feature: Aggregate, events: Sequence[Event], as_of: int, context: Mapping[str, Any]
) -> list[Event]:
    start, end, known = _window(feature, as_of, context)
    found = [
        event
        for event in events
        if event["kind"] == feature.kind
        and start <= event["occurred_at"] < end
        and event["recorded_at"] < known
        and (feature.column is None or event.get(feature.column) is not None)
    ]
    for column, given in feature.filters:
        wanted = context[given.name] if isinstance(given, ContextRef) else given
        found = [e for e in found if wanted is not None and e.get(column) == wanted]
    return found


def _aggregate(
    feature: Aggregate, events: Sequence[Event], as_of: int, context: Mapping[str, Any], minor: int
) -> Any:
    counted = _counted(feature, events, as_of, context)
    times = [event["occurred_at"] for event in counted]
    values = [event.get(feature.column) for event in counted]
    scale = minor if feature.unit == "currency" else 1
    gaps = [late - early for early, late in itertools.pairwise(times)]
    match feature.fold:
        case "count":
            return len(counted)
        case "distinct":
            return len(set(values))
        case "sum":
            return sum(values) / scale if feature.unit == "currency" else sum(values)
        case "gap_mean":
            return sum(gaps) / len(gaps) / DAY if gaps else None
        case "decayed_count" | "decayed_sum":
            half = _length(feature.half_life or "") // HOUR
            ages = [as_of // HOUR - time // HOUR for time in times]
            weights = [round(2**30 * 2.0 ** (-age / half)) for age in ages]
            added = values if feature.fold == "decayed_sum" else [1] * len(times)
            return sum(w * v for w, v in zip(weights, added, strict=True)) / 2**30 / scale
        case "std":
            return _deviation(values) / scale if len(values) > 1 else None
        case "last_gap":
            return gaps[-1] / DAY if gaps else None
        case "gap_std":
            return _deviation([gap // HOUR for gap in gaps]) / 24 if len(gaps) > 1 else None
    if not counted:
        return None
    match feature.fold:
        case "mean":
            return sum(values) / len(values) / scale
        case "min":
            return min(values) / scale
        case "max":
            return max(values) / scale
        case "first":
            return values[0] / scale
        case "last":
            return values[-1] / scale
        case "days_since_first":
            return (as_of - times[0]) / DAY
        case "days_since_last":
            return (as_of - times[-1]) / DAY
        case "most_common":
            most = max(values.count(text) for text in values)
            return next(text for text in reversed(values) if values.count(text) == most)
    raise AssertionError(f"the oracle does not know {feature.fold}")


def _deviation(values: Sequence[int]) -> float:
    """Return the sample standard deviation; whole numbers until the one division."""
    n, total = len(values), sum(values)
    squares = n * sum(value * value for value in values) - total * total
    return math.sqrt(squares / (n * (n - 1)))


@functools.cache
def _length(text: str) -> int:
    return int(text[:-1]) * LENGTHS[text[-1]]
