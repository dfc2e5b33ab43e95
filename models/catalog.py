"""The one table of models: command line, routes, tests and the README follow from it."""

from __future__ import annotations

from features.errors import NextbestError
from models import churn, ctr, lead_score, segments
from models.spec import ModelSpec

CATALOG: dict[str, ModelSpec] = {
    module.SPEC.name: module.SPEC for module in (segments, lead_score, churn, ctr)
}


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
