"""The models of a company's own tables: the catalogue's, about what these tables hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from features.feature import Attribute, Condition, walk
from models.answer import Answer
from models.spec import Baseline, Minimum, ModelSpec, SpecError

if TYPE_CHECKING:
    from features.company import Company, TableAnswer, TablePromotion
    from features.feature import Feature
    from models.promotion import Gate

ENOUGH = Minimum(rows=500, positives=100)
"""Stated answers for the full model, each an independent one; of fewer a scorecard is made."""
_PATTERN = "lead_score"
"""The model whose estimator and promises an answer takes that no model of ours is called like."""


def models_of(company: Company, declared: Mapping[str, ModelSpec]) -> dict[str, ModelSpec]:
    """Return the models that a company's tables suffice for, by name.

    A model whose answer a column states learns from that; any other needs events of the kinds
    that its population and label fold. All of them read the table's columns, and of their own
    features those whose events the company has.

    Parameters
    ----------
    company : Company
    declared : mapping of str to ModelSpec
        The catalogue's models.
    """
    found: dict[str, ModelSpec] = {}
    for name, spec in declared.items():
        answer = company.answer(name)
        made = _asked(spec, company) if answer is None else _answered(spec, answer, company)
        if made is not None:
            found[name] = made
    for answer in company.answers:
        if answer.name not in declared:
            made = _answered(declared[_PATTERN], answer, company)
            if made is not None:
                found[answer.name] = made
    return found


def check_promotions(company: Company | None, models: Collection[str]) -> None:
    """Refuse what the company's file asks of promoting a model that there is none of.

    Raises
    ------
    SpecError
    """
    for each in () if company is None else company.promotions:
        if each.model and each.model not in models:
            tables = f"[gate.{each.model}] or [leaks.{each.model}]"
            raise SpecError(
                f"The company's file has {tables}, and no model of this name.",
                remedy=f"Name one of: {', '.join(models)}; then ingest it again.",
            )


def _answered(spec: ModelSpec, answer: TableAnswer, company: Company) -> ModelSpec | None:
    if not _features(spec, company):
        return None
    ours = spec.name == answer.name
    entity = spec.entity if ours else "customer"
    wanted = " or ".join(repr(value) for value in answer.positive)
    return _fitted(
        spec,
        company,
        name=answer.name,
        entity=entity,
        value_note=spec.value_note if ours else "",
        # The pattern's question is about a campaign, of which a table says nothing.
        question=answer.question or f"Will {answer.column!r} of this {entity} be {wanted}?",
        act=answer.act or f"has {wanted} in {answer.column!r}",
        did="" if answer.act else f"had {wanted} in {answer.column!r}",
        population=None,
        label=Answer(answer.name),
        spine=answer.name,
        score_spine=None,
        context={},
        minimum=ENOUGH,
    )


def _asked(spec: ModelSpec, company: Company) -> ModelSpec | None:
    """Return a model of events or of segments; None if the company's events do not suffice."""
    if spec.spine is not None:
        return None
    if isinstance(spec.label, Condition) and not company.gives(spec.label):
        return None
    population = spec.population
    if population is not None and not company.gives(population):
        if spec.label is not None:
            return None
        population = None  # everyone has a segment where nobody buys
    if not _features(spec, company):
        return None
    return _fitted(spec, company, population=population)


def _fitted(spec: ModelSpec, company: Company, **changes: object) -> ModelSpec:
    features = _features(spec, company)
    promotion = company.promotion(str(changes.get("name", spec.name)))
    words = {language: spec.words.get(language, {}) | company.words for language in ("en", "ko")}
    return replace(
        spec,
        features=features,
        baselines=tuple(each for each in spec.baselines if _fits(each, features)),
        words=words,
        gate=_gate(spec.gate, company, promotion, features),
        leaks=replace(spec.leaks, cleared=spec.leaks.cleared | promotion.cleared, in_file=True),
        **changes,  # type: ignore[arg-type]
    )


def _gate(
    gate: Gate, company: Company, promotion: TablePromotion, features: tuple[Feature, ...]
) -> Gate:
    named = {each.name: each.feature for each in company.attributes}
    watched = tuple(named[name] for name in promotion.segments)
    return replace(
        gate,
        segments=watched or tuple(each for each in gate.segments if each in features),
        too_good=promotion.too_good or gate.too_good,
    )


def _features(spec: ModelSpec, company: Company) -> tuple[Feature, ...]:
    own = (feature for feature in spec.features if not any(map(_is_attribute, walk(feature))))
    return (*(feature for feature in own if company.gives(feature)), *company.features)


def _is_attribute(feature: Feature) -> bool:
    return isinstance(feature, Attribute)


def _fits(baseline: Baseline, features: tuple[Feature, ...]) -> bool:
    return baseline.feature is None or baseline.feature in features
