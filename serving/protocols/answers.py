"""What the protocols answer, as structs: the routes encode them and OpenAPI is made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from serving.parts import answer
from serving.protocols.media import OCTETS
from serving.protocols.octets import HEADER, octets_of
from serving.protocols.outputs import Output

if TYPE_CHECKING:
    from serving.champions.champions import Champion
    from serving.protocols.tensors import Inference


class ServerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The service, as the Open Inference Protocol describes one."""

    name: str
    version: str
    extensions: list[str]


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That the service answers, and that it can score."""

    live: bool
    ready: bool | None = None


class ReadyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """That a model can score."""

    name: str
    ready: bool


class TensorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A tensor as it is declared; -1 is any number of rows."""

    name: str
    datatype: str
    shape: list[int]


class MetadataAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model takes and gives; any of the inputs may be left out."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorAnswer]
    outputs: list[TensorAnswer]


class OutputAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column of answers; with binary data, its size stands in `parameters`."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    data: list[Any] | None = None


class InferenceAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Answers about rows, one tensor an output."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputAnswer]


class PredictionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """MLflow's answer: a prediction a row, with the model and version that made them."""

    predictions: list[Any]
    model: str
    version: str


def inferred(
    inference: Inference, champion: Champion, outputs: Sequence[Output], scores: Sequence[Any]
) -> Response:
    """Return the answer to a request of the Open Inference Protocol: JSON, then binary data."""
    wanted: Mapping[str, bool] = inference.outputs or {}
    tensors, pieces = [], []
    for output in outputs:
        values = [output.of(score) for score in scores]
        tensor = OutputAnswer(
            name=output.name, shape=[len(values)], datatype=output.datatype, data=values
        )
        if wanted.get(output.name, inference.is_binary):
            pieces.append(octets_of(output.datatype, values))
            size = {"binary_data_size": len(pieces[-1])}
            tensor = msgspec.structs.replace(tensor, data=None, parameters=size)
        tensors.append(tensor)
    body = InferenceAnswer(
        model_name=champion.spec.name,
        model_version=champion.version,
        id=inference.id,
        outputs=tensors,
    )
    if not pieces:
        return answer(body)
    head = msgspec.json.encode(body)
    headers = {HEADER: str(len(head))}
    return Response(b"".join([head, *pieces]), headers=headers, media_type=OCTETS)
