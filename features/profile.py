"""Who customers are: demographic, geographic and psychographic attributes."""

from __future__ import annotations

from features.declare import attribute
from features.feature import Feature

INCOMES = (
    "Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K", "125-149K",
    "150-174K", "175-199K", "200-249K", "250K+",
)  # fmt: skip

AGE = attribute("age", ("19-24", "25-34", "35-44", "45-54", "55-64", "65+"))

FEATURES: tuple[Feature, ...] = (
    AGE,
    attribute("income", INCOMES),
    attribute("home_ownership"),
    attribute("marital_status"),
    attribute("household_size", ("1", "2", "3", "4", "5+")),
    attribute("household_comp"),
    attribute("kids_count", ("0", "1", "2", "3+")),
)
