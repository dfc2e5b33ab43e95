"""Households and the attributes that are known of some of them."""

from __future__ import annotations

from typing import Any

from features.contract import Batch
from features.sources.complete_journey.dates import KNOWN_AT
from features.sources.complete_journey.files import TABLES, fetch

_ATTRIBUTES = ", ".join(TABLES["demographics"].split()[1:])
_HOUSEHOLDS = f"""
SELECT household_id AS customer_id, CAST($known_at AS BIGINT) AS known_at, {_ATTRIBUTES}
FROM (
    SELECT household_id FROM transactions
    UNION SELECT household_id FROM campaigns
    UNION SELECT household_id FROM demographics
) LEFT JOIN demographics USING (household_id)
ORDER BY household_id
"""


def batch(database: Any) -> Batch:
    """Return every household's state; most have no attributes, and missing is a value."""
    return Batch(
        "demographics.parquet (households)", fetch(database, _HOUSEHOLDS, known_at=KNOWN_AT)
    )
