"""OpenAPI entries of answers and problems, made from the structs that the routes encode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI

from models.contract import Score, SegmentScore
from serving import responses
from serving.access.needs import scopes_for
from serving.front.admission import ALWAYS
from serving.problems import MEDIA_TYPE

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
)
OF_FASTAPI = "HTTPValidationError"
KEY = "key"
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key; needed from the moment that the service has one.",
}
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
    binary = {"schema": {"type": "string", "format": "binary"}}
    contents = {"application/json": content, **dict.fromkeys(media_types, binary)}
    return {200: {"description": "The answer", "content": contents}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the entries of the problems a route may answer with."""
    name = responses.ProblemAnswer.__name__
    entry = {
        "description": "Problem (RFC 9457), with its remedy",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name=name)}}},
    }
    return dict.fromkeys(statuses, entry)
