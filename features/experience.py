"""How it went for customers: what was returned, asked and answered, and how steady the place is.

A source that knows no returns, tickets or surveys counts none: those columns are constant there,
and no model uses them. Of the bundled source only the choice of store and of the store's own brand
speaks of experience.
"""

from __future__ import annotations

from features.declare import events
from features.feature import Feature

orders = events("order")
lines = events("order_line")
returns = events("return")
tickets = events("ticket")
surveys = events("survey")

CUSTOMER: tuple[Feature, ...] = (
    orders.distinct("store", last="90d"),
    lines.count(last="90d", brand="Private") / lines.count(last="90d"),
)
"""What the bundled source has."""

SERVICE: tuple[Feature, ...] = (
    returns.count(last="180d"),
    returns.count(last="180d") / orders.count(last="180d"),
    tickets.count(last="90d"),
    tickets.days_since_last(),
    surveys.last("quantity", unit="points"),
    surveys.mean("quantity", last="365d", unit="points"),
)
"""What a source with after-sales events has: a survey's answer is its quantity."""
