"""Baskets as orders, and their lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from features.contract import Batch
from features.sources.complete_journey.files import fetch, fetch_parts

_ROWS = 250_000

# A basket has one household, one store and one moment.
_ORDERS = """
SELECT
    'order-' || basket_id AS event_id,
    household_id AS customer_id,
    'order' AS kind,
    epoch_us(min(transaction_timestamp)) AS occurred_at,
    CAST(sum(cents(sales_value)) AS BIGINT) AS amount,
    count(*) AS quantity,
    'store' AS channel,
    min(store_id) AS store,
    CAST(sum(cents(retail_disc)) AS BIGINT) AS discount,
    CAST(sum(cents(coupon_disc) + cents(coupon_match_disc)) AS BIGINT) AS coupon_discount
FROM transactions
GROUP BY basket_id, household_id
ORDER BY basket_id
"""

_LINES = """
SELECT
    'line-' || basket_id || '-' || product_id AS event_id,
    household_id AS customer_id,
    'order_line' AS kind,
    epoch_us(transaction_timestamp) AS occurred_at,
    cents(sales_value) AS amount,
    quantity,
    'store' AS channel,
    product_id AS item,
    product_category AS category,
    store_id AS store,
    brand,
    cents(retail_disc) AS discount,
    cents(coupon_disc) + cents(coupon_match_disc) AS coupon_discount
FROM transactions LEFT JOIN products USING (product_id)
ORDER BY transactions.file_row_number
"""


def batches(database: Any) -> Iterator[Batch]:
    """Yield orders (`quantity` is the number of lines), then their lines (`quantity` as sold)."""
    yield Batch("transactions.parquet (baskets)", fetch(database, _ORDERS))
    row = 1
    for part in fetch_parts(database, _LINES, _ROWS):
        yield Batch("transactions.parquet", part, row)
        row += part.num_rows
