"""Coupon campaigns: what they are, who was mailed, who redeemed, and the leads they make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from features.contract import Batch
from features.sources.complete_journey.files import fetch
from features.spine import Spine

CHANNEL = "coupon mailing"

# A row that refers to nothing known has no time then, and the quarantine says so.
# The last day belongs to the campaign, and `ends_at` is the first moment after it.
_CAMPAIGNS = f"""
SELECT
    CAST(campaign_id AS VARCHAR) AS campaign_id,
    campaign_type AS type,
    '{CHANNEL}' AS channel,
    first.starts_at,
    last.ends_at,
    coupons || CASE WHEN coupons = 1 THEN ' coupon on ' ELSE ' coupons on ' END
        || products || CASE WHEN products = 1 THEN ' product' ELSE ' products' END AS offer
FROM campaign_descriptions
LEFT JOIN days AS first ON first.written = epoch_us(start_date)
LEFT JOIN days AS last ON last.written = epoch_us(end_date)
LEFT JOIN (
    SELECT campaign_id, count(DISTINCT coupon_upc) AS coupons,
        count(DISTINCT product_id) AS products
    FROM coupons GROUP BY campaign_id
) USING (campaign_id)
ORDER BY campaign_descriptions.file_row_number
"""

_CONTACTS = f"""
SELECT
    'contact-' || campaign_id || '-' || household_id AS event_id,
    household_id AS customer_id,
    'contact' AS kind,
    starts_at AS occurred_at,
    '{CHANNEL}' AS channel,
    campaign_type AS category,
    campaign_id
FROM campaigns
LEFT JOIN campaign_descriptions USING (campaign_id)
LEFT JOIN days ON written = epoch_us(start_date)
ORDER BY campaigns.file_row_number
"""

# Redemptions have a date and no time: they count as known by the day's last microsecond.
_REDEMPTIONS = f"""
SELECT
    'redemption-' || campaign_id || '-' || household_id || '-' || coupon_upc || '-'
        || epoch_us(redemption_date) // 1000000 AS event_id,
    household_id AS customer_id,
    'redemption' AS kind,
    starts_at AS occurred_at,
    ends_at - 1 AS recorded_at,
    '{CHANNEL}' AS channel,
    'coupon ' || coupon_upc AS item,
    campaign_type AS category,
    campaign_id
FROM coupon_redemptions
LEFT JOIN campaign_descriptions USING (campaign_id)
LEFT JOIN days ON written = epoch_us(redemption_date)
ORDER BY coupon_redemptions.file_row_number
"""


def described(database: Any) -> Batch:
    """Return the campaigns; what a contact cost is not in the data."""
    return Batch("campaign_descriptions.parquet", fetch(database, _CAMPAIGNS))


def batches(database: Any) -> Iterator[Batch]:
    """Yield who was mailed, then who redeemed."""
    yield Batch("campaigns.parquet", fetch(database, _CONTACTS))
    yield Batch("coupon_redemptions.parquet", fetch(database, _REDEMPTIONS))


def leads(database: Any) -> Spine:
    """Return each household that a campaign targeted, judged when the campaign started."""
    rows = fetch(
        database,
        """
        SELECT CAST(household_id AS VARCHAR) AS customer_id, CAST(campaign_id AS VARCHAR) AS
            campaign, starts_at
        FROM campaigns
        JOIN campaign_descriptions USING (campaign_id)
        JOIN days ON written = epoch_us(start_date)
        ORDER BY starts_at, campaign_id, household_id
        """,
    )
    who = np.array(rows["customer_id"].to_pylist(), dtype=object)
    what = np.array(rows["campaign"].to_pylist(), dtype=object)
    ids = [f"lead-{campaign}-{customer}" for campaign, customer in zip(what, who, strict=True)]
    as_of = rows["starts_at"].to_numpy()
    return Spine("lead", np.array(ids, dtype=object), who, as_of, {"campaign_id": what})
