"""GET /v1/models and each model's card: what is being served, how good it is, what it needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from features.clock import to_iso
from models.published import LANGUAGES
from models.spec import ModelSpec
from serving import openapi
from serving.champions.champions import Champion, Refusal
from serving.errors import NoCardError
from serving.parts import AppParts, Parts, answer
from serving.responses import (
    ChallengerAnswer,
    ChampionAnswer,
    FeatureAnswer,
    ModelAnswer,
    ModelsAnswer,
    RefusedVersion,
    RegistryAnswer,
)

router = APIRouter(prefix="/v1/models", tags=["models"])

# A card is a page made by a training run: it may style itself and show its plots, nothing else.
CARD_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "x-content-type-options": "nosniff",
}


@router.get(
    "", summary="Models, their versions and metrics", responses=openapi.answers(ModelsAnswer)
)
async def models(parts: AppParts) -> Response:
    """Every model of the catalogue: what it answers, what it takes, and its champion if any.

    `refused` shows a version that the registry calls champion and that could not be verified; the
    version under `champion` goes on being served.
    """
    answered_at = parts.watch.registry.get("answered_at")
    return answer(
        ModelsAnswer(
            models=[described(parts, spec) for spec in parts.champions.specs.values()],
            registry=RegistryAnswer(
                answers=parts.watch.registry_answers,
                answered_at=to_iso(answered_at) if answered_at else None,
            ),
        )
    )


@router.get(
    "/{model}",
    summary="One model",
    responses={**openapi.answers(ModelAnswer), **openapi.problems(404)},
)
async def model(model: str, parts: AppParts) -> Response:
    """The same for one model, with the names, types and levels of its features."""
    spec = parts.champions.spec(model)
    features = [
        FeatureAnswer(
            name=feature.name,
            type=feature.dtype,
            unit=feature.unit,
            levels=list(feature.levels),
            words={language: spec.feature_words(feature, language) for language in LANGUAGES},
        )
        for feature in spec.features
    ]
    return answer(msgspec.structs.replace(described(parts, spec), features=features))


@router.get(
    "/{model}/card",
    summary="A model's card",
    responses={
        200: {"content": {"text/html": {}, "text/markdown": {}}},
        **openapi.problems(404, 503),
    },
    response_class=Response,
)
async def card(
    model: Annotated[str, Path()],
    parts: AppParts,
    format: Annotated[Literal["html", "md"] | None, Query(description="html or md")] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """The card of the champion, for people: HTML, or Markdown with `format=md` or by Accept."""
    bundle = parts.champions.get(model).bundle
    markdown = format == "md" or (format is None and "text/markdown" in accept)
    text = bundle.card_markdown if markdown else bundle.card_html
    if not text:
        raise NoCardError(
            f"The champion of {model!r} was published without a card.",
            remedy=f"Train and publish it again: python -m training {model} --promote",
        )
    media_type = "text/markdown" if markdown else "text/html"
    return Response(text, headers=CARD_HEADERS, media_type=media_type)


def described(parts: Parts, spec: ModelSpec) -> ModelAnswer:
    """Return what is said of a model in lists."""
    champion = parts.champions.current().get(spec.name)
    previous = parts.champions.previous(spec.name)
    refusal = parts.champions.refusal(spec.name)
    behind = None if parts.shadows is None else parts.shadows.challengers
    challenger = None if behind is None else behind.current().get(spec.name)
    return ModelAnswer(
        model=spec.name,
        question=spec.question,
        entity=spec.entity,
        output=spec.output,
        context=spec.context,
        population=spec.population.words() if spec.population else None,
        score=f"/v1/scores/{spec.name}",
        champion=None if champion is None else described_champion(champion),
        previous_version=None if previous is None else previous.version,
        refused=described_refusal(refusal),
        challenger=described_challenger(challenger),
        refused_challenger=None if behind is None else described_refusal(behind.refusal(spec.name)),
    )


def described_refusal(refusal: Refusal | None) -> RefusedVersion | None:
    """Return a version that could not be verified as it is shown."""
    if refusal is None:
        return None
    return RefusedVersion(
        version=refusal.version, reason=refusal.reason, refused_at=to_iso(refusal.refused_at)
    )


def described_challenger(challenger: Champion | None) -> ChallengerAnswer | None:
    """Return a shadow as it is shown."""
    if challenger is None:
        return None
    return ChallengerAnswer(
        version=challenger.version,
        loaded_at=to_iso(challenger.loaded_at),
        trained_at=to_iso(challenger.bundle.spec.trained_at),
    )


def described_champion(champion: Champion) -> ChampionAnswer:
    """Return the facts of a version that its bundle carries."""
    facts = champion.bundle.spec
    return ChampionAnswer(
        version=champion.version,
        loaded_at=to_iso(champion.loaded_at),
        trained_at=to_iso(facts.trained_at),
        as_of=to_iso(facts.as_of),
        engine=facts.engine,
        horizon=facts.horizon,
        base_rate=facts.base_rate,
        currency=facts.currency,
        metrics=facts.metrics,
        baselines=facts.baselines,
        decision=facts.decision,
        segments=[asdict(segment) for segment in facts.segments],
        statements=list(facts.statements),
        code_version=facts.code_version,
        card=f"/v1/models/{champion.spec.name}/card",
    )
