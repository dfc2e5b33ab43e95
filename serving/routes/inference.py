"""GET /v2, its health and models, and POST .../infer: the Open Inference Protocol (KServe's V2).

Source: Open Inference Protocol 2, HTTP/REST.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving import openapi
from serving.champions.champions import Champion
from serving.errors import UnknownVersionError
from serving.parts import AppParts, Parts, answer
from serving.protocols.answers import (
    HealthAnswer,
    InferenceAnswer,
    MetadataAnswer,
    ReadyAnswer,
    ServerAnswer,
    TensorAnswer,
    inferred,
)
from serving.protocols.columns import score_columns
from serving.protocols.media import OCTETS
from serving.protocols.octets import HEADER
from serving.protocols.outputs import chosen, outputs_of
from serving.protocols.tensors import InferenceRequest, read
from serving.routes.health import ready_champions

router = APIRouter(prefix="/v2", tags=["open inference protocol"])

DATATYPES = {"int": "INT64", "float": "FP64", "bool": "BOOL"}
EXAMPLE = {
    "id": "42",
    "inputs": [
        {"name": "order_count_90d", "shape": [2], "datatype": "INT64", "data": [4, 0]},
    ],
    "outputs": [{"name": "probability"}, {"name": "grade"}],
}
OF_MODEL = {**openapi.answers(MetadataAnswer), **openapi.problems(404, 503)}
OF_READY = {**openapi.answers(ReadyAnswer), **openapi.problems(404, 503)}
OF_INFER: dict[str, Any] = {
    "responses": {
        **openapi.answers(InferenceAnswer, media_types=[OCTETS]),
        **openapi.problems(400, 404, 413, 415, 422, 503),
    },
    "openapi_extra": openapi.body(InferenceRequest, EXAMPLE, media_types=[OCTETS]),
}


@router.get("", summary="The service", responses=openapi.answers(ServerAnswer))
@router.get("/", include_in_schema=False)
async def server() -> Response:
    """Its name, version and the extensions of the protocol that it knows."""
    return answer(ServerAnswer(name="nextbest", version="1", extensions=["binary_tensor_data"]))


@router.get("/health/live", summary="Is it alive?", responses=openapi.answers(HealthAnswer))
async def live() -> Response:
    """Always 200 while the process answers at all."""
    return answer(HealthAnswer(live=True))


@router.get(
    "/health/ready",
    summary="Is it ready?",
    responses={**openapi.answers(HealthAnswer), **openapi.problems(503)},
)
async def ready(parts: AppParts) -> Response:
    """As `/health/ready`: 200 once at least one model can score."""
    ready_champions(parts)
    return answer(HealthAnswer(live=True, ready=True))


@router.get("/models/{model}", summary="What a model takes and gives", responses=OF_MODEL)
async def metadata(model: str, parts: AppParts) -> Response:
    """Its features as inputs, each of which may be left out, and its outputs."""
    return described(served(parts, model))


@router.get(
    "/models/{model}/versions/{version}", summary="The same of a version", responses=OF_MODEL
)
async def metadata_of_version(model: str, version: str, parts: AppParts) -> Response:
    """The version must be the one being served."""
    return described(served(parts, model, version))


@router.get("/models/{model}/ready", summary="Can a model score?", responses=OF_READY)
async def model_ready(model: str, parts: AppParts) -> Response:
    """200 if it has a champion."""
    return answer(ReadyAnswer(name=served(parts, model).spec.name, ready=True))


@router.get(
    "/models/{model}/versions/{version}/ready", summary="Can a version score?", responses=OF_READY
)
async def version_ready(model: str, version: str, parts: AppParts) -> Response:
    """200 if it is the one being served."""
    return answer(ReadyAnswer(name=served(parts, model, version).spec.name, ready=True))


@router.post("/models/{model}/infer", summary="Score rows", **OF_INFER)
async def infer(model: str, request: Request, parts: AppParts) -> Response:
    """Score up to 10,000 rows: a tensor a feature, of shape [n] or [n, 1].

    What is left out is missing. In place of features, `customer_id` with the model's context.
    Tensors may be in binary after the JSON (`Inference-Header-Content-Length`). One row that cannot
    be scored refuses the request. The numbers are those of `POST /v1/scores/{model}`.
    """
    return await answered(parts, served(parts, model), request)


@router.post(
    "/models/{model}/versions/{version}/infer", summary="Score rows by a version", **OF_INFER
)
async def infer_by_version(model: str, version: str, request: Request, parts: AppParts) -> Response:
    """The same; the version must be the one being served."""
    return await answered(parts, served(parts, model, version), request)


def served(parts: Parts, model: str, version: str | None = None) -> Champion:
    """Return the champion of a model.

    Raises
    ------
    UnknownModelError, NoChampionError
        There is none.
    UnknownVersionError
        It is of another version.
    """
    champion = parts.champions.get(model)
    if version is not None and version != champion.version:
        raise UnknownVersionError(
            f"The version asked for is not the one of {model!r} that is served.",
            remedy=f"Ask version {champion.version}, or none to get the one being served.",
        )
    return champion


def described(champion: Champion) -> Response:
    """Return what a version takes and gives."""
    inputs = [
        TensorAnswer(name=f.name, datatype=DATATYPES.get(f.dtype, "BYTES"), shape=[-1])
        for f in champion.spec.features
    ]
    outputs = [
        TensorAnswer(name=output.name, datatype=output.datatype, shape=[-1])
        for output in outputs_of(champion).values()
    ]
    return answer(
        MetadataAnswer(
            name=champion.spec.name,
            versions=[champion.version],
            platform="nextbest",
            inputs=inputs,
            outputs=outputs,
        )
    )


async def answered(parts: Parts, champion: Champion, request: Request) -> Response:
    """Read, score and answer one request."""
    inference = read(await request.body(), request.headers.get(HEADER))
    names = inference.outputs if inference.outputs is not None else outputs_of(champion)
    outputs = chosen(champion, names)
    scores = await score_columns(parts, champion, inference.columns)
    return inferred(inference, champion, outputs, scores)
