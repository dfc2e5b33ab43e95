"""The one list of features: whatever loops over features loops over this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import overload

from features import engagement, exchange, experience, profile
from features.company import Company, present_company
from features.errors import UnknownFeatureError
from features.extension import CatalogError, Extended
from features.feature import Attribute, Feature, walk
from features.plan import feature_hash

__all__ = ["CATALOG", "Catalog", "feature", "feature_hash"]


def _check(package: str, own: Feature) -> None:
    if own.forward:
        raise CatalogError(
            f"{package}.FEATURES has {own.name!r}, which looks ahead.",
            remedy="Only a model's label may: give last= in place of next= or until=.",
        )


class Catalog(Sequence[Feature]):
    """Features in order: those declared here, then those of ``NEXTBEST_CATALOG``.

    Where the home's log was made from a company's own tables, their columns take the place of the
    attributes declared here, and of the rest there are those whose events the company has.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        company: Callable[[], Company | None] = present_company,
    ) -> None:
        self._features = Extended(features, "FEATURES", Feature, _check)
        self._company = company

    def _now(self) -> tuple[Feature, ...]:
        declared, company = tuple(self._features.by_name().values()), self._company()
        if company is None:
            return declared
        own = {feature.name for feature in self._features.own()}
        kept = (f for f in declared if f.name in own or _fits(f, company))
        return tuple({feature.name: feature for feature in (*company.features, *kept)}.values())

    def __len__(self) -> int:
        return len(self._now())

    @overload
    def __getitem__(self, place: int) -> Feature: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Feature, ...]: ...

    def __getitem__(self, place: int | slice) -> Feature | tuple[Feature, ...]:
        return self._now()[place]

    def __iter__(self) -> Iterator[Feature]:
        return iter(self._now())

    @property
    def own(self) -> tuple[Feature, ...]:
        """Only those of the company's own package."""
        return self._features.own()


def _fits(feature: Feature, company: Company) -> bool:
    return company.gives(feature) and not any(isinstance(f, Attribute) for f in walk(feature))


CATALOG = Catalog(
    (
        *exchange.CUSTOMER,
        *exchange.RHYTHM,
        *exchange.IMPRESSION,
        *experience.CUSTOMER,
        *experience.SERVICE,
        *engagement.CUSTOMER,
        *engagement.DIGITAL,
        *engagement.LEAD,
        *engagement.IMPRESSION,
        *profile.FEATURES,
    )
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
