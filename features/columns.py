"""The names of an event's, a customer's and a campaign's columns, for those who need no table."""

from __future__ import annotations

from collections.abc import Mapping

EVENT_COLUMNS = (
    "occurred_at", "recorded_at", "kind", "amount", "quantity", "channel", "item", "category",
    "campaign_id",
)  # fmt: skip
"""The integer columns of every log, in order; a source's own properties follow them."""
TIMES = ("occurred_at", "recorded_at")
TEXTS = ("kind", "channel", "item", "category", "campaign_id")
"""Event columns that hold text, kept as codes of one dictionary each."""
PROPERTY_TYPES = ("text", "integer")

REQUIRED_OF_EVENTS = ("event_id", "customer_id", "kind", "occurred_at")
REQUIRED_OF_CUSTOMERS = ("customer_id", "known_at")
REQUIRED_OF_CAMPAIGNS = ("campaign_id", "starts_at", "ends_at")
CAMPAIGN_COLUMNS = (*REQUIRED_OF_CAMPAIGNS, "type", "channel", "cost", "offer")


def text_columns(properties: Mapping[str, str]) -> tuple[str, ...]:
    """Return the columns of the log that are codes of a dictionary.

    Examples
    --------
    >>> text_columns({"store": "text", "discount": "integer"})[-2:]
    ('campaign_id', 'store')
    """
    return TEXTS + tuple(name for name, kind in properties.items() if kind == "text")
