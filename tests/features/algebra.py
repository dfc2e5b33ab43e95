"""Every feature that parity is judged on: the catalogue's, and what else the algebra can say."""

from __future__ import annotations

import math
from typing import Any

from features.catalog import CATALOG
from features.declare import campaign, context, events
from features.feature import Feature

orders = events("order")
ALGEBRA: tuple[Feature, ...] = (
    orders.min("amount", last="30d", unit="currency"),
    orders.first("amount", last="90d", unit="currency"),
    orders.first("amount", unit="currency"),
    orders.last("quantity", unit="items"),
    orders.last("amount", last="12h", unit="currency"),
    orders.most_common("store", last="90d"),
    orders.most_common("category", category=context("category")),
    orders.days_since_first(last="7d"),
    orders.gap_std(),
    orders.count(last="12h"),
    orders.count(last="1d"),
    orders.count(last="90d") + orders.count(last="30d"),
    orders.count(last="90d") - orders.count(last="30d"),
    orders.count(last="90d") * orders.count(last="30d"),
    orders.any(last="90d"),
    orders.std("amount", last="365d", unit="currency"),
    orders.std("quantity", unit="items"),
    orders.last_gap(last="180d"),
    orders.last_gap() / orders.gap_mean().at_least(1.0),
    orders.decayed_count(half_life="7d"),
    orders.decayed_sum("amount", half_life="30d", unit="currency"),
    orders.most_common("hour_of_week", last="90d"),
    orders.distinct("daypart", last="730d"),
    *orders.histogram("daypart", last="90d"),
)
"""Folds, windows and filters that no group of the catalogue needs at present are among them."""
LABELS = (
    orders.none(next="28d"),
    orders.any(next="7d", category=context("category"), store=context("store")),
    events("redemption").any(
        until=campaign("ends_at"), campaign_id=context("campaign_id"), lag="1d"
    ),
    # With a lag, an event at the end of the window can be known in time, and must not count.
    orders.any(next="1d", lag="2d"),
    orders.none(next="7d", lag="40d"),
)
FEATURES = (*CATALOG, *ALGEBRA)


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def same(got: Any, wanted: Any) -> bool:
    """Whether a value is the oracle's: whole numbers bit for bit, others to 1e-9."""
    if wanted is None or missing(got):
        return wanted is None and missing(got)
    if isinstance(wanted, str | bool | int):
        return bool(got == wanted)
    return math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-12)
