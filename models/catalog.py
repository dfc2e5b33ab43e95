"""The one table of models: command line, routes, tests and the README follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from features.company import Company, present_company
from features.errors import NextbestError
from features.extension import CatalogError, Extended
from models import churn, ctr, lead_score, segments
from models.company import models_of
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
    """Models by name: those declared here, then those of ``NEXTBEST_CATALOG``.

    Where the home's log was made from a company's own tables, those declared here are about them
    (`models.company`).
    """

    def __init__(
        self,
        models: Sequence[ModelSpec],
        company: Callable[[], Company | None] = present_company,
    ) -> None:
        self._models = Extended(models, "MODELS", ModelSpec, _check)
        self._company = company
        self._made: tuple[Company, dict[str, ModelSpec]] | None = None

    def __getitem__(self, name: str) -> ModelSpec:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def of(self, company: Company | None) -> Mapping[str, ModelSpec]:
        """Return the models about a company's own tables; as declared where there are none."""
        declared = self._models.by_name()
        if company is None:
            return declared
        made = self._made
        if made is None or made[0] is not company:
            own = {spec.name: spec for spec in self._models.own()}
            ours = {name: spec for name, spec in declared.items() if name not in own}
            made = self._made = (company, {**models_of(company, ours), **own})
        return made[1]

    def _now(self) -> Mapping[str, ModelSpec]:
        return self.of(self._company())


CATALOG = Catalog([module.SPEC for module in (segments, lead_score, churn, ctr)])


class UnknownModelError(NextbestError):
    """A name that no model of the catalogue carries."""


def spec(name: str, company: Company | None = None) -> ModelSpec:
    """Return the definition of a model by its name.

    Parameters
    ----------
    name : str
    company : Company, optional
        Whose tables it is about; by default those of the log in ``NEXTBEST_HOME``.

    Raises
    ------
    UnknownModelError
        Listing the names there are.

    Examples
    --------
    >>> spec("churn").question
    'Will this active customer stop buying?'
    """
    models = CATALOG if company is None else CATALOG.of(company)
    if name in models:
        return models[name]
    tables = present_company() if company is None else company
    if tables is not None and tables.answer(name) is not None and not tables.attributes:
        raise UnknownModelError(
            f"No column of the company's table is left for {name!r} to learn from, and none of its "
            "events are folded.",
            remedy="The ingest says why each was left out; decide otherwise in [customers.types], "
            "or add columns or events that tell customers apart, and ingest again.",
        )
    if name in CATALOG.of(None):
        raise UnknownModelError(
            f"The company's tables do not suffice for {name!r}.",
            remedy=f"Declare [labels.{name}] or the events it needs, and ingest again; or choose "
            f"one of: {', '.join(models)}.",
        )
    raise UnknownModelError(f"{name!r} is no model.", remedy=f"Choose one of: {', '.join(models)}.")
