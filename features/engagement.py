"""What customers did with what was sent or shown to them."""

from __future__ import annotations

from features.declare import campaign, context, days_until, events
from features.feature import Feature

contacts = events("contact")
redemptions = events("redemption")
impressions = events("impression")
category = context("category")

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
