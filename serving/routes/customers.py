"""GET and PUT /v1/customers/{id}: what is known and expected of one customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from features.arrival import customer_of
from features.clock import to_iso
from features.database import DatabaseError
from features.ledger_entry import Entry
from models.contract import Score, SegmentScore
from serving import openapi
from serving.errors import BusyError, NoChampionError, OutsidePopulationError
from serving.parts import AppParts, Parts, answer
from serving.received.lines import take_change
from serving.responses import ChangeAnswer, ContextScore, CustomerAnswer, KeyFeature
from serving.schema import CUSTOMER_EXAMPLE, CustomerState, Language, Row
from serving.scores.compared import trend_now, trend_stored
from serving.scores.inputs import outside
from serving.scores.reading import look_far
from serving.scores.scoring import score_known

if TYPE_CHECKING:
    from models.scores import ScoreRow
    from models.spec import ModelSpec
    from serving.received.live_store import Known

router = APIRouter(prefix="/v1/customers", tags=["customers"])

MOST_CONTEXTS = 10
SILENT = "The database that keeps the last batch of scores does not answer."


@router.get(
    "/{customer_id}",
    summary="One customer",
    responses={**openapi.answers(CustomerAnswer), **openapi.problems(404, 422, 503)},
)
async def customer(
    customer_id: Annotated[str, Path(min_length=1, max_length=200)],
    parts: AppParts,
    explain: Annotated[int, Query(ge=0, le=50, description="How many reasons a score.")] = 3,
    language: Annotated[Language, Query(description="Language of reasons and words.")] = "en",
) -> Response:
    """All scores, the segment and the key features of a customer.

    Models that need nothing but the customer are scored for this answer. Those that need a
    context (a campaign, a placement) are shown as the last batch scored them, the best ten each;
    `not_scored` says where the database that has them does not answer. `trend` compares with the
    batch scores before, if they can be had.
    """
    found: list[Score | SegmentScore] = []
    not_scored: dict[str, str] = {}
    key_features: list[KeyFeature] = []
    rows: Sequence[ScoreRow] | None = None
    row = Row(customer_id=customer_id)
    as_of, of_models = await read_models(parts, customer_id)
    try:
        rows = await parts.database_calls.run(partial(parts.scores.get, customer_id))
    except (DatabaseError, BusyError):
        asked = (name for name, spec in parts.champions.specs.items() if spec.context)
        not_scored |= dict.fromkeys(asked, SILENT)
    stored = {row.model: row for row in reversed(rows or ())}
    for name, known in of_models.items():
        spec = parts.champions.specs[name]
        if spec.output == "segment":
            currency = parts.store.store.source.currency
            key_features = described(spec, known.values, language, currency)
        try:
            if not known.answers:
                raise outside(spec)
            champion = parts.champions.get(name)
            score = score_known(parts, champion, known, as_of, row, explain, language)
            if isinstance(score, Score) and rows is not None:
                trend = trend_now(
                    parts.champions, champion, known, score, as_of, stored.get(name), language
                )
                score = msgspec.structs.replace(score, trend=trend)
            found.append(score)
        except (NoChampionError, OutsidePopulationError) as error:
            not_scored[name] = error.message
    in_context = [in_context_of(row, language) for row in best_of(rows or ())]
    segments = [score for score in found if isinstance(score, SegmentScore)]
    return answer(
        CustomerAnswer(
            customer_id=customer_id,
            as_of=to_iso(as_of),
            segment=segments[0] if segments else None,
            scores=[score for score in found if isinstance(score, Score)],
            in_context=in_context,
            not_scored=not_scored,
            key_features=key_features,
            statements=list(parts.store.store.source.statements),
        )
    )


@router.put(
    "/{customer_id}",
    summary="Tell what is known of a customer",
    responses={**openapi.answers(ChangeAnswer), **openapi.problems(400, 413, 415, 422, 503)},
)
async def put_customer(
    customer_id: Annotated[str, Path(min_length=1, max_length=200)],
    request: Request,
    state: Annotated[CustomerState, Body(examples=[CUSTOMER_EXAMPLE])],
    parts: AppParts,
) -> Response:
    """Give attributes, consent and the time zone, as known from this moment on.

    What is left out stays as it is, null takes a value away. An attribute keeps the type (text, or
    number and truth value) that it had first.
    """
    entry = Entry(customers=[customer_of(customer_id, state)])
    return await take_change(parts, request, entry)


async def read_models(parts: Parts, customer_id: str) -> tuple[int, dict[str, Known]]:
    """Return what the models that need no context know of a customer, all of one moment.

    Raises
    ------
    UnknownCustomerError, StoreError, BusyError
    """

    def read() -> tuple[int, dict[str, Known]]:
        look_far(parts)
        as_of = parts.clock()
        specs = [spec for spec in parts.champions.specs.values() if not spec.context]
        return as_of, {s.name: parts.store.row(s, customer_id, as_of, {}) for s in specs}

    return await parts.store_calls.run(read) if parts.store.is_distant else read()


def described(
    spec: ModelSpec, values: Sequence[Any], language: str, currency: str
) -> list[KeyFeature]:
    """Return a model's features with words and one customer's values."""
    return [
        KeyFeature(
            name=feature.name,
            words=spec.feature_words(feature, language),
            value=value,
            unit=feature.unit.replace("currency", currency),
        )
        for feature, value in zip(spec.features, values, strict=True)
    ]


def best_of(rows: Iterable[ScoreRow]) -> Iterator[ScoreRow]:
    """Yield each model's rows with the highest margins, of those that have a context."""
    for _, of_model in groupby(rows, key=lambda row: row.model):
        yield from islice((row for row in of_model if row.context), MOST_CONTEXTS)


def in_context_of(row: ScoreRow, language: str) -> ContextScore:
    """Return a row of the score store as it is shown."""
    return ContextScore(
        model=row.model,
        version=row.version,
        context=dict(row.context),
        probability=row.probability,
        percentile=row.percentile,
        grade=row.grade,
        segment=row.segment,
        as_of=to_iso(row.as_of),
        scored_at=to_iso(row.scored_at),
        trend=trend_stored(row, language),
        abstained=row.abstained,
    )
