"""The words behind the codes of simulated events."""

from __future__ import annotations

from features.sources.simulator.baskets import ITEMS
from features.sources.simulator.company import CAMPAIGN_CHANNELS, CAMPAIGN_TYPES, Company
from features.sources.simulator.people import STORES
from features.sources.simulator.ways import CATEGORIES, PLACEMENTS

KINDS = (
    "order", "order_line", "visit", "email", "open", "click", "impression", "contact",
    "redemption", "return", "ticket", "survey", "opportunity", "opportunity_won",
    "opportunity_lost",
)  # fmt: skip
CHANNELS = ("store", "web", "email", "mailer", "phone", "coupon mailing")
BRANDS = ("National", "Private")
TICKETS = ("delivery", "quality", "billing")
PRODUCTS = ("catering", "gift cards", "vending")

KIND = {word: code for code, word in enumerate(KINDS)}
CHANNEL = {word: code for code, word in enumerate(CHANNELS)}
CAMPAIGN_CHANNEL = tuple(CHANNEL[name] for name in CAMPAIGN_CHANNELS)
TYPE_CODE = len(CATEGORIES)
TICKET_CODE = TYPE_CODE + len(CAMPAIGN_TYPES)
PRODUCT_CODE = TICKET_CODE + len(TICKETS)
"""Where the campaigns' types, the tickets' and the opportunities' begin among the categories."""
WEB = len(STORES)
"""The code of the store that is none."""


def vocabularies(company: Company) -> dict[str, tuple[str, ...]]:
    """Return for each column of codes the words, in the order of the codes.

    Examples
    --------
    >>> vocabularies(Company())["kind"][:2]
    ('order', 'order_line')
    """
    items = [f"{name}-{n:02d}" for name in CATEGORIES for n in range(1, ITEMS + 1)]
    return {
        "kind": KINDS,
        "channel": CHANNELS,
        "item": tuple(items),
        "category": (*CATEGORIES, *CAMPAIGN_TYPES, *TICKETS, *PRODUCTS),
        "campaign_id": tuple(campaign.name for campaign in company.campaigns),
        "store": (*STORES, "web"),
        "placement": PLACEMENTS,
        "brand": BRANDS,
    }
