"""OpenAPI entries of answers and problems, made from the structs that the routes encode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic import BaseModel

from models.contract import Score, SegmentScore
from serving import responses
from serving.access.needs import scopes_for
from serving.front.admission import ALWAYS
from serving.lists.changed import ChangesAnswer
from serving.problems import MEDIA_TYPE
from serving.protocols import answers as of_protocols

ANSWERS = (
    Score,
    SegmentScore,
    responses.ProblemAnswer,
    responses.BatchAnswer,
    responses.EventsAnswer,
    responses.ChangeAnswer,
    responses.CustomerAnswer,
    responses.ModelsAnswer,
    responses.ModelAnswer,
    responses.ProspectsAnswer,
    ChangesAnswer,
    of_protocols.ServerAnswer,
    of_protocols.HealthAnswer,
    of_protocols.ReadyAnswer,
    of_protocols.MetadataAnswer,
    of_protocols.InferenceAnswer,
    of_protocols.PredictionsAnswer,
)
OF_FASTAPI = "HTTPValidationError"
KEY = "key"
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key; needed from the moment that the service has one.",
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
REFERENCE = "#/components/schemas/{name}"


def install(app: FastAPI) -> None:
    """Add the structs to the components of the application's OpenAPI document."""
    made_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made_by_fastapi()
            _, components = msgspec.json.schema_components(ANSWERS, ref_template=REFERENCE)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(components)
            document["components"]["securitySchemes"] = {KEY: SCHEME}
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    if path not in ALWAYS:
                        operation["responses"].setdefault("503", problems(503)[503])
                    declare_key(operation, scopes_for(method.upper(), path))
                    if OF_FASTAPI in str(operation["responses"].get("422")):
                        operation["responses"].update({"422": problems(422)[422]})
            for unused in (OF_FASTAPI, "ValidationError"):
                schemas.pop(unused, None)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def declare_key(operation: dict[str, Any], scopes: frozenset[str] | None) -> None:
    """Say in an operation that it needs a key, and of which scopes any one opens it."""
    if scopes is not None:
        operation["security"] = [{KEY: [scope]} for scope in sorted(scopes)]
        for status, described in problems(401, 403, 429).items():
            operation["responses"].setdefault(str(status), described)


def answers(
    *structs: type[msgspec.Struct], example: Any = None, media_types: Sequence[str] = ()
) -> dict[int | str, dict[str, Any]]:
    """Return the entry of a route's answer: one struct, or any of several, or other media."""
    references = [{"$ref": REFERENCE.format(name=struct.__name__)} for struct in structs]
    content: dict[str, Any] = {
        "schema": references[0] if len(references) == 1 else {"anyOf": references}
    }
    if example is not None:
        content["example"] = example
    contents = {"application/json": content, **dict.fromkeys(media_types, BINARY)}
    return {200: {"description": "The answer", "content": contents}}


def body(kind: type[BaseModel], example: Any, media_types: Sequence[str]) -> dict[str, Any]:
    """Return the entry of a body that a route reads itself: JSON by a model, or other media."""
    schema = _inlined(kind.model_json_schema())
    content: dict[str, Any] = {"application/json": {"schema": schema, "example": example}}
    content |= dict.fromkeys(media_types, BINARY)
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without references, for those of pydantic lead to a place of their own."""
    definitions = schema.pop("$defs", {})

    def whole(part: Any) -> Any:
        if isinstance(part, dict):
            name = part.get("$ref", "").rpartition("/")[2]
            return whole(definitions[name]) if name else {k: whole(v) for k, v in part.items()}
        return [whole(each) for each in part] if isinstance(part, list) else part

    found: dict[str, Any] = whole(schema)
    return found


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the entries of the problems a route may answer with."""
    name = responses.ProblemAnswer.__name__
    entry = {
        "description": "Problem (RFC 9457), with its remedy",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name=name)}}},
    }
    return dict.fromkeys(statuses, entry)
