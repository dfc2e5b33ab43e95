"""A made-up grocer in the files of The Complete Journey, small enough to be checked by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HOUSEHOLDS = (7, 11, 12, 400)
STORES = (30, 4, 512)
PRODUCTS = {
    100: ("National", "BEEF"), 101: ("Private", "BEEF"), 102: ("National", "CHEESE"),
    103: ("Private", "TEA & COFFEE"), 104: ("National", None), 105: ("National", "CHEESE"),
}  # fmt: skip
LETTERS = ("0", "A", "C", "D", "H")
FIRST = datetime(2017, 1, 1, 12, tzinfo=UTC)

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Grocer:
    """The rows of each file."""

    tables: dict[str, Rows]

    def write(self, folder: Path) -> Path:
        """Write the files and return their folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables.items():
            pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
        return folder


def grocer(random_state: int = 0, baskets: int = 240) -> Grocer:
    """Return a grocer's year: few households, and every tie and gap that the real files have."""
    random = np.random.default_rng(random_state)
    return Grocer(
        {
            "transactions": _transactions(random, baskets),
            "products": [
                {"product_id": product, "brand": brand, "product_category": category}
                for product, (brand, category) in PRODUCTS.items()
            ],
            "promotions": _promotions(random),
            **_campaigns(),
            "demographics": [
                {"household_id": 7, "age": "35-44", "income": "50-74K", "home_ownership": None,
                 "marital_status": "Married", "household_size": "2",
                 "household_comp": "2 Adults No Kids", "kids_count": "0"},
            ],
        }
    )  # fmt: skip


def _transactions(random: np.random.Generator, baskets: int) -> Rows:
    rows: Rows = []
    for basket in range(baskets):
        # Two baskets at once, so that the latest used store can be a tie.
        at = FIRST + timedelta(hours=int(random.integers(0, 364 * 2)) * 12)
        household = int(random.choice(HOUSEHOLDS[:-1]))
        lines = random.choice(list(PRODUCTS), int(random.integers(1, 4)), replace=False)
        store = int(random.choice(STORES))
        for product in lines:
            rows.append(
                {
                    "household_id": household,
                    "store_id": store,
                    "basket_id": 31_000 + basket,
                    "product_id": int(product),
                    "quantity": int(random.integers(0, 4)),
                    "sales_value": int(random.integers(0, 5_000)) / 100,
                    "retail_disc": int(random.integers(0, 100)) / 100,
                    "coupon_disc": int(random.integers(0, 3)) / 100,
                    "coupon_match_disc": int(random.integers(0, 2)) / 100,
                    "transaction_timestamp": at.replace(tzinfo=None),
                }
            )
    return rows


def _promotions(random: np.random.Generator) -> Rows:
    return [
        {"product_id": product, "store_id": store, "mailer_location": letter, "week": week}
        for week in range(1, 54)
        for store in STORES[1:]
        for product in PRODUCTS
        for letter in random.choice(LETTERS, int(random.integers(0, 4)))
    ]


def _campaigns() -> dict[str, Rows]:
    spans = {
        1: ("Type A", datetime(2017, 3, 1), datetime(2017, 3, 31)),
        2: ("Type B", datetime(2016, 11, 14), datetime(2017, 2, 5)),
        3: ("Type A", datetime(2017, 12, 6), datetime(2018, 1, 7)),
    }
    coupons = [(9001, 100, 1), (9001, 101, 1), (9002, 102, 1), (9003, 100, 2), (9004, 100, 3)]
    redeemed = [(7, 9001, 1, datetime(2017, 3, 12)), (7, 9002, 1, datetime(2017, 3, 12))]
    return {
        "campaigns": [
            {"campaign_id": campaign, "household_id": household}
            for campaign, household in [(1, 7), (1, 11), (2, 7), (3, 400), (3, 12)]
        ],
        "campaign_descriptions": [
            {"campaign_id": name, "campaign_type": kind, "start_date": start, "end_date": end}
            for name, (kind, start, end) in spans.items()
        ],
        "coupons": [
            {"coupon_upc": upc, "product_id": product, "campaign_id": campaign}
            for upc, product, campaign in coupons
        ],
        "coupon_redemptions": [
            {"household_id": who, "coupon_upc": upc, "campaign_id": what, "redemption_date": day}
            for who, upc, what, day in redeemed
        ],
    }
