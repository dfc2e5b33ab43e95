"""States to values: means, deviations, ratios and days, the same for one row or a million."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.attributes import AttributeTable
from features.errors import MissingContextError
from features.feature import (
    Aggregate,
    Arithmetic,
    Attribute,
    Condition,
    Context,
    DaysUntil,
    Feature,
)
from features.money import minor_units
from features.plan import Plan
from features.window import DAY

HOURS_A_DAY = 24.0
Values = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """All that the values of a batch of rows are made from.

    Attributes
    ----------
    states : ndarray of int64, shape (n, slots)
        What the kernel wrote.
    as_of : ndarray of int64, shape (n,)
    context : mapping of str to ndarray, each of shape (n,)
    attributes : AttributeTable
    changes : ndarray of int64, shape (n,)
        Which change of the customer's attributes holds for each row; -1 for none.
    currency : str
    """

    states: NDArray[np.int64]
    as_of: NDArray[np.int64]
    context: Mapping[str, Values]
    attributes: AttributeTable
    changes: NDArray[np.int64]
    currency: str


def finalise(plan: Plan, rows: Rows) -> dict[str, Values]:
    """Return the values of each feature of a plan, by name, in the plan's order.

    Returns
    -------
    dict of str to ndarray, each of shape (n,)
        int64 for counts, float64 (NaN where missing) for other numbers, bool for conditions,
        object (None where missing) for text.
    """
    return {feature.name: value_of(feature, plan, rows) for feature in plan.features}


def value_of(feature: Feature, plan: Plan, rows: Rows) -> Values:
    """Return the values of one feature for a batch of rows."""
    if isinstance(feature, Aggregate):
        return _aggregate(feature, plan, rows)
    if isinstance(feature, Condition):
        found = _aggregate(feature.count, plan, rows) > 0
        return found if feature.wanted else ~found
    if isinstance(feature, Attribute):
        return rows.attributes.take(feature.name, rows.changes, feature.dtype == "float")
    if isinstance(feature, Context):
        return _context(feature, rows)
    if isinstance(feature, DaysUntil):
        return (_context(feature.instant, rows) - rows.as_of) / DAY
    if isinstance(feature, Arithmetic):
        left = value_of(feature.left, plan, rows).astype(np.float64)
        right = value_of(feature.right, plan, rows).astype(np.float64)
        return _ARITHMETIC[feature.operation](left, right)
    raise TypeError(f"{type(feature).__name__} is no kind of feature that can be computed")


def _per(left: Values, right: Values) -> Values:
    out = np.full(len(left), np.nan)
    np.divide(left, right, out=out, where=right != 0)
    return out


_ARITHMETIC: dict[str, Callable[[Values, Values], Values]] = {
    "per": _per,
    "minus": np.subtract,
    "plus": np.add,
    "times": np.multiply,
}


def _context(feature: Context, rows: Rows) -> Values:
    name = feature.source or feature.name
    if name not in rows.context:
        raise MissingContextError(
            f"The feature {feature.name!r} needs the context value {name!r}, which is absent.",
            remedy=f"Give {name!r} with every row.",
        )
    values = rows.context[name]
    if feature.dtype == "float":
        return values.astype(np.float64)
    return values


def _aggregate(feature: Aggregate, plan: Plan, rows: Rows) -> Values:
    slot = plan.slots[feature.name]
    first = rows.states[:, slot]
    if feature.fold in ("count", "distinct"):
        return first
    second = rows.states[:, slot + 1]
    if feature.fold == "gap_std":
        return _deviation(first, second, rows.states[:, slot + 2] - 1)
    if feature.fold in ("days_since_first", "days_since_last", "gap_mean"):
        return _times(feature, first, second, rows.states[:, slot + 2], rows.as_of)
    if feature.fold == "most_common":
        return _texts(plan.dictionaries[feature.column or ""].levels, first, second > 0)
    if feature.fold == "mean":
        first = _where(second > 0, first, second)
    elif feature.fold != "sum":
        first = _where(second > 0, first)
    return first / minor_units(rows.currency) if feature.unit == "currency" else first


def _times(
    feature: Aggregate, first: Values, last: Values, n: Values, as_of: NDArray[np.int64]
) -> Values:
    if feature.fold == "gap_mean":
        return _where(n > 1, last - first, (n - 1) * DAY)
    since = as_of - (first if feature.fold == "days_since_first" else last)
    return _where(n > 0, since, np.full(len(n), DAY))


def _where(known: Values, top: Values, bottom: Values | None = None) -> Values:
    """Return top / bottom where `known`, else NaN."""
    out = np.full(len(top), np.nan)
    np.divide(top, 1 if bottom is None else bottom, out=out, where=known)
    return out


def _deviation(total: Values, squares: Values, gaps: Values) -> Values:
    """Return the sample standard deviation, in days, of gaps summed in hours."""
    out = np.full(len(total), np.nan)
    some = gaps > 1
    n = gaps[some].astype(np.float64)
    mean = total[some] / n
    variance = (squares[some] - n * mean * mean) / (n - 1)
    out[some] = np.sqrt(np.maximum(variance, 0.0)) / HOURS_A_DAY
    return out


def _texts(levels: list[str], codes: Values, known: Values) -> Values:
    out = np.full(len(codes), None, dtype=object)
    for row in np.flatnonzero(known):
        out[row] = levels[codes[row]]
    return out
