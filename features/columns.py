"""The names of an event's, a customer's and a campaign's columns, for those who need no table."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

EVENT_COLUMNS = (
    "occurred_at", "recorded_at", "kind", "amount", "quantity", "channel", "item", "category",
    "campaign_id",
)  # fmt: skip
"""The integer columns of every log, in order; a source's own properties follow them."""
TIMES = ("occurred_at", "recorded_at")
TEXTS = ("kind", "channel", "item", "category", "campaign_id")
"""Event columns that hold text, kept as codes of one dictionary each."""
PROPERTY_TYPES = ("text", "integer")
DERIVED_COLUMNS = ("hour_of_week", "daypart")
"""Columns that no event brings along; `features.local_time` computes them."""

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


def properties_of(columns: Iterable[str], coded: Container[str]) -> dict[str, str]:
    """Return the source's own properties and their types.

    Parameters
    ----------
    columns : iterable of str
        The integer columns of a log or of an online store.
    coded : container of str
        Those that are codes of a dictionary.

    Examples
    --------
    >>> properties_of((*EVENT_COLUMNS, "store", "discount", "daypart"), {"kind", "store"})
    {'store': 'text', 'discount': 'integer'}
    """
    return {
        name: "text" if name in coded else "integer"
        for name in columns
        if name not in EVENT_COLUMNS and name not in DERIVED_COLUMNS
    }
