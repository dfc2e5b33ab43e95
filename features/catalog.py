"""The one list of features: whatever loops over features loops over this."""

from __future__ import annotations

from difflib import get_close_matches

from features import engagement, exchange, experience, profile
from features.errors import UnknownFeatureError
from features.feature import Feature
from features.plan import feature_hash

__all__ = ["CATALOG", "feature", "feature_hash"]

CATALOG: tuple[Feature, ...] = (
    *exchange.CUSTOMER,
    *exchange.IMPRESSION,
    *experience.CUSTOMER,
    *experience.SERVICE,
    *engagement.CUSTOMER,
    *engagement.LEAD,
    *engagement.IMPRESSION,
    *profile.FEATURES,
)


def feature(name: str) -> Feature:
    """Return the declared feature of a name.

    Raises
    ------
    UnknownFeatureError
        No feature is called so; the nearest names are given.

    Examples
    --------
    >>> feature("order_count_90d").unit
    'orders'
    """
    for declared in CATALOG:
        if declared.name == name:
            return declared
    near = get_close_matches(name, [declared.name for declared in CATALOG], n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else "See features/catalog.py."
    raise UnknownFeatureError(f"There is no feature {name!r}.", remedy=hint)
