"""What customers did with what was sent or shown to them."""

from __future__ import annotations

from features.declare import campaign, context, days_until, events
from features.feature import Feature

contacts = events("contact")
redemptions = events("redemption")
impressions = events("impression")
visits = events("visit")
emails = events("email")
opens = events("open")
clicks = events("click")
category = context("category")

_visited_28d = visits.count(last="28d")
_visited_90d = visits.count(last="90d")
_opened_90d = opens.count(last="90d")

CUSTOMER: tuple[Feature, ...] = (
    contacts.count(last="90d"),
    contacts.count(last="365d"),
    contacts.days_since_last(),
    redemptions.count(last="90d"),
    redemptions.count(last="365d"),
    redemptions.days_since_last(),
    redemptions.count(last="365d") / contacts.count(last="365d"),
    redemptions.distinct("campaign_id", last="365d"),
)
"""Of a customer, whatever the row is about."""

DIGITAL: tuple[Feature, ...] = (
    visits.count(last="7d"),
    _visited_28d,
    _visited_90d,
    _visited_28d / _visited_90d,
    visits.days_since_last(),
    _opened_90d,
    _opened_90d / emails.count(last="90d"),
    clicks.count(last="90d"),
)
"""What a source with visits and newsletters has; elsewhere constant, so that no model uses it."""

LEAD: tuple[Feature, ...] = (
    campaign("type"),
    days_until(campaign("ends_at")),
    contacts.count(last="365d", category=campaign("type")),
    redemptions.count(last="365d", category=campaign("type")),
)
"""Of a customer and a campaign."""

IMPRESSION: tuple[Feature, ...] = (
    context("placement"),
    category,
    impressions.count(last="90d", category=category),
)
"""Of a customer and an advertisement in its place."""
