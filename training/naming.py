"""Names for segments, in words a marketer would use, from how a segment differs from the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.feature import Aggregate, Arithmetic, Feature

Floats = NDArray[np.float64]
Column: TypeAlias = tuple[str, str | None, float]

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
        names.append(_first_free(_candidates(heights), names))
    return names


def distinct_names(
    segments: Sequence[dict[str, float]],
    columns: Sequence[Sequence[Column]],
    known: Sequence[str | None],
) -> list[str]:
    """Return a name for each segment, all different: the one it has, else a new one.

    Shops are spoken of in a shop's words; where neither spending nor frequency is known, as in a
    table of attributes, the two columns that stand out most give the name.

    Parameters
    ----------
    segments : sequence of dict
        Height in each concept, as `heights_of` gives it.
    columns : sequence of sequences of (words, level or None, height)
        What each axis says of each segment.
    known : sequence of str or None
        The names there are.

    Examples
    --------
    >>> two = [[("tenure", None, 1.2), ("contract: two years", "two years", 0.9)],
    ...        [("tenure", None, -1.1), ("contract: two years", "two years", -0.8)]]
    >>> distinct_names([{}, {}], two, [None, None])
    ['High tenure, contract: two years', 'Low tenure']
    >>> distinct_names([{}, {}], two, [None, "Newcomers"])
    ['High tenure, contract: two years', 'Newcomers']
    """
    taken = [name for name in known if name is not None]
    names = []
    for heights, said, held in zip(segments, columns, known, strict=True):
        if held is not None:
            names.append(held)
            continue
        shop = {"frequency", "spend"} & set(heights)
        names.append(_first_free(_candidates(heights) if shop else _by_columns(said), taken))
        taken.append(names[-1])
    return names


def _candidates(heights: dict[str, float]) -> list[str]:
    noun, phrases = _noun(heights), _phrases(heights)
    longer = [" ".join([noun, *phrases[:n]]) for n in range(1, len(phrases) + 1)]
    return [*longer, noun]


def _by_columns(said: Sequence[Column]) -> list[str]:
    notable = sorted(
        (each for each in said if abs(each[2]) >= NOTABLE and (each[1] is None or each[2] > 0)),
        key=lambda each: -abs(each[2]),
    )
    words = [
        text if level is not None else f"{'high' if height > 0 else 'low'} {text}"
        for text, level, height in notable
    ]
    names = [", ".join(words[:n]) for n in (2, 3, 4, 1) if words[:n]] or ["average customers"]
    return [name[:1].upper() + name[1:] for name in names]


def _first_free(candidates: Sequence[str], taken: Sequence[str]) -> str:
    free = [name for name in candidates if name not in taken]
    return free[0] if free else f"{candidates[-1]}, group {len(taken) + 1}"


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
