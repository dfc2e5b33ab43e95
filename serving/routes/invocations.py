"""POST /invocations, GET /ping, /health and /version: what `mlflow models serve` answers."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import PlainTextResponse, Response

from serving import openapi
from serving.champions.champions import Champion
from serving.errors import RequestError
from serving.parts import AppParts, Parts, answer
from serving.protocols.answers import PredictionsAnswer
from serving.protocols.columns import score_columns
from serving.protocols.comma_separated import read_csv
from serving.protocols.frames import Invocation, Invoked, Params, read_json
from serving.protocols.media import CSV
from serving.protocols.outputs import chosen, prediction
from serving.routes.health import ready_champions
from serving.tables.media import bare

router = APIRouter(tags=["mlflow"])

EXAMPLE = {
    "dataframe_split": {"columns": ["order_count_90d"], "data": [[4], [0]]},
    "params": {"model": "churn"},
}
Model = Annotated[str | None, Query(max_length=100, description="Which model.")]
ModelHeader = Annotated[
    str | None, Header(alias="x-nextbest-model", max_length=100, description="The same.")
]


@router.get(
    "/ping",
    summary="Can it score?",
    response_class=PlainTextResponse,
    responses=openapi.problems(503),
)
@router.get("/health", include_in_schema=False)
async def ping(parts: AppParts) -> Response:
    """As `/health/ready`, with an empty line for an answer."""
    ready_champions(parts)
    return PlainTextResponse("\n")


@router.get("/version", summary="MLflow's version", response_class=PlainTextResponse)
async def mlflow_version() -> Response:
    """Which MLflow's scoring protocol `/invocations` follows."""
    return PlainTextResponse(_version())


@router.post(
    "/invocations",
    summary="Score rows as MLflow does",
    responses={
        **openapi.answers(PredictionsAnswer),
        **openapi.problems(400, 404, 413, 415, 422, 503),
    },
    openapi_extra=openapi.body(Invocation, EXAMPLE, media_types=[CSV]),
)
async def invocations(
    request: Request, parts: AppParts, model: Model = None, x_nextbest_model: ModelHeader = None
) -> Response:
    """Score up to 10,000 rows as `mlflow models serve` would: one prediction a row.

    Here are many models: `?model=`, the header `X-Nextbest-Model` or `params.model` says which; it
    may be left out while only one has a champion. A prediction is the probability, or a segment's
    id; with `params.outputs` it is a record of the outputs of `/v2`. One row that cannot be scored
    refuses the request.
    """
    body = await request.body()
    if bare(request.headers.get("content-type", "")) == CSV:
        champion = named(parts, [model, x_nextbest_model])
        invoked = Invoked(read_csv(body, champion.spec), Params())
    else:
        invoked = read_json(body)
        champion = named(parts, [model, x_nextbest_model, invoked.params.model])
    outputs = chosen(champion, invoked.params.outputs or ())
    scores = await score_columns(parts, champion, invoked.columns)
    predictions = [
        {output.name: output.of(score) for output in outputs} if outputs else prediction(score)
        for score in scores
    ]
    return answer(
        PredictionsAnswer(
            predictions=predictions, model=champion.spec.name, version=champion.version
        )
    )


def named(parts: Parts, names: Iterable[str | None]) -> Champion:
    """Return the champion that is named, or the only one.

    Raises
    ------
    RequestError
        None is named and there are several, or several are named.
    UnknownModelError, NoChampionError
        There is none.
    """
    given = {name for name in names if name is not None}
    said = "Several models are named"
    if not given:
        given = set(parts.champions.current())
        said = f"No model is named, and {len(given)} are served"
    if len(given) != 1:
        raise RequestError(
            f"{said}.",
            remedy="Name one: ?model=churn, the header X-Nextbest-Model, or params.model.",
        )
    return parts.champions.get(given.pop())


@functools.cache
def _version() -> str:
    return version("mlflow")
