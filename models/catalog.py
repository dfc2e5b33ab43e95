"""The one table of models: command line, routes, tests and the README follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from features.errors import NextbestError
from features.extension import CatalogError, Extended
from models import churn, ctr, lead_score, segments
from models.spec import ModelSpec


def _check(package: str, own: ModelSpec) -> None:
    from features.catalog import CATALOG as FEATURES  # it brings the compiler along

    listed = set(FEATURES)
    missing = [feature.name for feature in own.features if feature not in listed]
    if missing:
        raise CatalogError(
            f"{package}.MODELS has {own.name!r}, which reads {', '.join(missing)}.",
            remedy=f"List them in {package}.FEATURES: the online store keeps what is listed.",
        )


class Catalog(Mapping[str, ModelSpec]):
    """Models by name: those declared here, then those of ``NEXTBEST_CATALOG``."""

    def __init__(self, models: Sequence[ModelSpec]) -> None:
        self._models = Extended(models, "MODELS", ModelSpec, _check)

    def __getitem__(self, name: str) -> ModelSpec:
        return self._models.by_name()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models.by_name())

    def __len__(self) -> int:
        return len(self._models.by_name())


CATALOG = Catalog([module.SPEC for module in (segments, lead_score, churn, ctr)])


class UnknownModelError(NextbestError):
    """A name that no model of the catalogue carries."""


def spec(name: str) -> ModelSpec:
    """Return the definition of a model by its name.

    Raises
    ------
    UnknownModelError
        Listing the names there are.

    Examples
    --------
    >>> spec("churn").question
    'Will this active customer stop buying?'
    """
    try:
        return CATALOG[name]
    except KeyError:
        raise UnknownModelError(
            f"{name!r} is no model.", remedy=f"Choose one of: {', '.join(CATALOG)}."
        ) from None
