"""What customers gave and got: orders, their lines, money, gaps, variety and discounts."""

from __future__ import annotations

from features.declare import context, events
from features.feature import Feature

orders = events("order")
lines = events("order_line")
category = context("category")
store = context("store")

_spent_30d = orders.sum("amount", last="30d", unit="currency")
_spent_90d = orders.sum("amount", last="90d", unit="currency")
_gap = orders.gap_mean(last="180d")

CUSTOMER: tuple[Feature, ...] = (
    orders.count(last="14d"),
    orders.count(last="30d"),
    orders.count(last="90d"),
    orders.count(last="180d"),
    orders.count(last="30d") / orders.count(last="90d"),
    orders.days_since_last(),
    orders.days_since_first(),
    _gap,
    orders.gap_std(last="180d"),
    # Above 1 the customer is later than the customer's own habit. Two orders within minutes are
    # no habit of minutes.
    orders.days_since_last() / _gap.at_least(1.0),
    _spent_30d,
    _spent_90d,
    orders.sum("amount", last="180d", unit="currency"),
    _spent_30d / _spent_90d,
    orders.mean("amount", last="90d", unit="currency"),
    orders.max("amount", last="180d", unit="currency"),
    orders.mean("quantity", last="90d", unit="items"),
    lines.distinct("category", last="30d"),
    lines.distinct("category", last="90d"),
    lines.sum("discount", last="90d", unit="currency") / _spent_90d,
    lines.sum("coupon_discount", last="90d", unit="currency"),
)
"""Of a customer, whatever the row is about."""

RHYTHM: tuple[Feature, ...] = (
    orders.last_gap(last="365d") / orders.gap_mean(last="365d").at_least(1.0),
    orders.std("amount", last="365d", unit="currency"),
    orders.decayed_count(half_life="30d"),
    orders.decayed_sum("amount", half_life="30d", unit="currency"),
    *orders.histogram("daypart", last="180d"),
)
"""When a customer buys, where the customer lives; no model of ours reads these yet."""

_in_category = lines.count(last="90d", category=category)

IMPRESSION: tuple[Feature, ...] = (
    lines.count(last="14d", category=category),
    lines.count(last="30d", category=category),
    _in_category,
    lines.count(last="180d", category=category),
    _in_category / lines.count(last="90d"),
    lines.sum("amount", last="90d", unit="currency", category=category),
    lines.sum("discount", last="90d", unit="currency", category=category),
    lines.days_since_last(category=category),
    lines.gap_mean(last="180d", category=category),
    lines.days_since_last(category=category)
    / lines.gap_mean(last="180d", category=category).at_least(1.0),
    lines.count(last="90d", category=category, store=store),
    orders.count(last="30d", store=store),
    orders.count(last="30d", store=store) / orders.count(last="30d"),
)
"""Of a customer in the category and the store of an advertisement."""
