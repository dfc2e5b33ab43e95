"""Names for segments, in words a marketer would use, from how a segment differs from the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.feature import Aggregate, Arithmetic, Feature

Floats = NDArray[np.float64]

NOTABLE = 0.4
"""Standard deviations from the average customer from which a difference is worth a word."""

_ORDERS = {
    "count": ("frequency", 1),
    "gap_mean": ("frequency", -1),
    "days_since_last": ("recency", -1),
    "days_since_first": ("tenure", 1),
    "sum": ("spend", 1),
    "mean": ("basket", 1),
    "max": ("basket", 1),
}

# (frequency, spend), each low (-1), usual (0) or high (1).
_NOUNS = {
    (1, 1): "Loyal big spenders",
    (1, 0): "Frequent shoppers",
    (1, -1): "Frequent small spenders",
    (0, 1): "Big spenders",
    (0, 0): "Regular shoppers",
    (0, -1): "Small spenders",
    (-1, 1): "Occasional big spenders",
    (-1, 0): "Occasional shoppers",
    (-1, -1): "Occasional small spenders",
}

_PHRASES = {
    ("coupons", 1): "who redeem coupons",
    ("coupons", -1): "who leave coupons",
    ("discounts", 1): "who hunt for discounts",
    ("discounts", -1): "who pay full price",
    ("variety", 1): "across many categories",
    ("variety", -1): "in few categories",
    ("basket", 1): "with big baskets",
    ("basket", -1): "with small baskets",
    ("momentum", 1): "on the rise",
    ("momentum", -1): "slowing down",
    ("contacts", 1): "often contacted",
    ("contacts", -1): "rarely contacted",
    ("tenure", -1): "new to us",
}


def concept(feature: Feature) -> tuple[str, int] | None:
    """Return what a feature speaks of and whether more of it means more (1) or less (-1).

    None for a feature this vocabulary does not know: it then names no segment.

    Examples
    --------
    >>> from features.declare import events
    >>> concept(events("order").days_since_last())
    ('recency', -1)
    >>> concept(events("ticket").count(last="90d")) is None
    True
    """
    if isinstance(feature, Arithmetic):
        return _concept_of_ratio(feature)
    if not isinstance(feature, Aggregate):
        return None
    found = None
    if feature.kind == "order":
        found = _ORDERS.get(feature.fold)
    elif feature.kind == "contact" and feature.fold == "count":
        found = ("contacts", 1)
    elif feature.kind == "redemption":
        found = ("coupons", -1 if feature.fold.startswith("days_since") else 1)
    elif feature.fold == "distinct" and feature.column == "category":
        found = ("variety", 1)
    elif feature.column == "coupon_discount":
        found = ("coupons", 1)
    elif feature.column == "discount":
        found = ("discounts", 1)
    return found


def _concept_of_ratio(feature: Arithmetic) -> tuple[str, int] | None:
    left, right = feature.left, feature.right
    if not (isinstance(left, Aggregate) and isinstance(right, Aggregate)):
        return None
    if left.column in ("discount", "coupon_discount") or left.kind == "redemption":
        return concept(left)
    if (left.kind, left.fold, left.column) == (right.kind, right.fold, right.column):
        return ("momentum", 1)
    return None


def heights_of(features: Sequence[Feature], heights: Floats) -> list[dict[str, float]]:
    """Return for each segment how high it stands in each concept, in standard deviations.

    Parameters
    ----------
    features : sequence of Feature, length f
    heights : ndarray of float64, shape (k, f)
        Standard deviations from the average customer.
    """
    known = [(column, concept(feature)) for column, feature in enumerate(features)]
    segments = []
    for row in heights:
        held: dict[str, list[float]] = {}
        for column, found in known:
            if found is not None:
                held.setdefault(found[0], []).append(found[1] * float(row[column]))
        segments.append({name: float(np.mean(values)) for name, values in held.items()})
    return segments


def names_of(segments: Sequence[dict[str, float]]) -> list[str]:
    """Return a name for each segment, all different, from its height in each concept.

    Examples
    --------
    >>> names_of([
    ...     {"frequency": 1.1, "spend": 1.3, "recency": 0.5, "coupons": 0.9},
    ...     {"frequency": -0.9, "spend": -0.8, "recency": -1.4},
    ...     {"frequency": 0.1, "spend": 0.0, "recency": 0.2},
    ... ])
    ['Loyal big spenders who redeem coupons', 'Lapsed small spenders', 'Regular shoppers']
    """
    names: list[str] = []
    for heights in segments:
        nouns = _noun(heights)
        phrases = _phrases(heights)
        candidates = [" ".join([nouns, *phrases[:n]]) for n in range(1, len(phrases) + 1)]
        free = [name for name in [*candidates, nouns] if name not in names]
        names.append(free[0] if free else f"{nouns}, group {len(names) + 1}")
    return names


def _noun(heights: dict[str, float]) -> str:
    spend = _grade(heights.get("spend", 0.0))
    if heights.get("recency", 0.0) < -1.0:
        return {1: "Lapsed big spenders", 0: "Lapsed shoppers", -1: "Lapsed small spenders"}[spend]
    return _NOUNS[_grade(heights.get("frequency", 0.0)), spend]


def _phrases(heights: dict[str, float]) -> list[str]:
    notable = [
        (abs(value), _PHRASES[name, _grade(value)])
        for name, value in heights.items()
        if (name, _grade(value)) in _PHRASES
    ]
    return [phrase for _, phrase in sorted(notable, reverse=True)]


def _grade(height: float) -> int:
    return int(np.sign(height)) if abs(height) >= NOTABLE else 0
