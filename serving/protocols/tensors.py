"""A request of the Open Inference Protocol: a tensor a feature, as columns.

Source: Open Inference Protocol 2, HTTP/REST, https://github.com/kserve/open-inference-protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from features.names import shown
from serving.errors import RequestError
from serving.protocols.bodies import Lenient, decoded
from serving.protocols.octets import Octets
from serving.schema import MOST_ROWS

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64", "BYTES",
]  # fmt: skip
Name = Annotated[str, Field(min_length=1, max_length=200)]
MOST_TENSORS = 1_000
BY_SHAPE = "Send shape [n] or [n, 1], and n values."


class Tensor(Lenient):
    """The values of one feature, or of customer_id."""

    name: Name
    shape: list[Annotated[int, Field(ge=0, le=2**31)]] = Field(min_length=1, max_length=2)
    datatype: Datatype
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any] | None = Field(
        default=None,
        max_length=MOST_ROWS,
        description="Flat or nested; null, NaN and empty text are missing.",
    )


class Wanted(Lenient):
    """An output that is asked for."""

    name: Name
    parameters: dict[str, Any] = Field(default_factory=dict)


class InferenceRequest(Lenient):
    """What is asked: columns of equal length, and which outputs."""

    id: str | None = Field(default=None, max_length=200, description="Comes back in the answer.")
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: list[Tensor] = Field(min_length=1, max_length=MOST_TENSORS)
    outputs: list[Wanted] | None = Field(default=None, max_length=MOST_TENSORS)


class Inference(NamedTuple):
    """A request, read.

    Attributes
    ----------
    id : str or None
    columns : dict of str to list
        What `serving.protocols.columns` scores.
    outputs : dict of str to bool, or None
        The outputs asked for by name, and whether each is to be in binary; None is all.
    is_binary : bool
        Whether outputs are in binary where nothing is said of them.
    """

    id: str | None
    columns: dict[str, list[Any]]
    outputs: dict[str, bool] | None
    is_binary: bool


def read(body: bytes, json_length: str | None) -> Inference:
    """Return what a body asks.

    Parameters
    ----------
    body : bytes
        JSON; and after it, by the binary tensor data extension, the values of some tensors.
    json_length : str or None
        The header ``Inference-Header-Content-Length``.

    Raises
    ------
    RequestError, RequestValidationError, HTTPException
        It is no such request; the tensor is named.
    """
    octets = Octets(body, json_length)
    asked = decoded(InferenceRequest, octets.json)
    columns: dict[str, list[Any]] = {}
    for tensor in asked.inputs:
        if tensor.name in columns:
            raise _wrong(tensor.name, "is there more than once", "Send each tensor once.")
        columns[tensor.name] = _values(tensor, octets)
    octets.check_end()
    is_binary = asked.parameters.get("binary_data_output") is True
    outputs = asked.outputs and {
        wanted.name: wanted.parameters.get("binary_data", is_binary) is True
        for wanted in asked.outputs
    }
    if outputs and len(outputs) < len(asked.outputs or ()):
        raise RequestError("An output is asked for twice.", remedy="Ask for each once.")
    return Inference(asked.id, columns, outputs or None, is_binary)


def _values(tensor: Tensor, octets: Octets) -> list[Any]:
    rows, data = tensor.shape[0], tensor.data or []
    if data and all(type(row) is list and len(row) == 1 for row in data):
        data = list(chain.from_iterable(data))
    if tensor.shape[1:] not in ([], [1]) or any(type(value) is list for value in data):
        raise _wrong(tensor.name, "has another shape", BY_SHAPE)
    size = tensor.parameters.get("binary_data_size")
    values = data
    if size is not None:
        values = octets.values(tensor.name, tensor.datatype, rows, size)
    if len(values) != rows:
        raise _wrong(tensor.name, "has not as many values as its shape says", BY_SHAPE)
    kind, what = KINDS[tensor.datatype]
    if not set(map(type, values)) <= kind:
        raise _wrong(tensor.name, f"must hold {what}", "Correct its data or its datatype.")
    if tensor.datatype == "BYTES":
        return [value or None for value in values]
    return values


def _wrong(name: str, what: str, remedy: str) -> RequestError:
    field = f"inputs.{shown(name)}"
    return RequestError(f"{field} {what}.", remedy=remedy, fields=[(field, what)])


_NONE: type = type(None)
_WHOLE: tuple[set[type], str] = ({int, _NONE}, "whole numbers")
_REAL: tuple[set[type], str] = ({int, float, _NONE}, "numbers")
KINDS: Mapping[str, tuple[set[type], str]] = {
    "BOOL": ({bool, _NONE}, "true or false"),
    "BYTES": ({str, _NONE}, "text"),
    **dict.fromkeys(("FP16", "FP32", "FP64"), _REAL),
    **{f"{sign}INT{bits}": _WHOLE for sign in ("", "U") for bits in (8, 16, 32, 64)},
}
"""Types of a datatype's values in JSON, and what they are in words."""
