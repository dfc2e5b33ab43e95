"""How what went wrong inside a request becomes a problem: ours, FastAPI's and Starlette's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from features.errors import NextbestError
from features.names import shown
from serving import problems
from serving.problems import Kind, problem, respond

MAX_FIELDS = 20
SCHEMA_REMEDY = "Correct the fields under 'errors'; /openapi.json has the schema and examples."

# Only these kinds of validation errors are put into words, and only with the schema's own limits:
# pydantic's messages can quote the input.
WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "string_type": "must be text",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} item(s)",
    "too_long": "must have at most {max_length} items",
}


def install(app: FastAPI) -> None:
    """Make every error of a request a problem."""
    app.add_exception_handler(NextbestError, on_our_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)


async def on_our_error(request: Request, error: Exception) -> Response:
    """Answer one of our own errors by the table."""
    assert isinstance(error, NextbestError)
    return respond(problems.of(error))


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """Answer a request that does not fit the schema, without its values."""
    assert isinstance(error, RequestValidationError)
    found: Sequence[Mapping[str, Any]] = error.errors()
    for each in found:
        if each["type"] == "json_invalid":
            reason = str(each.get("ctx", {}).get("error", "it ends too early")).rstrip(".")
            position = each["loc"][-1]
            return respond(
                problem(
                    problems.MALFORMED,
                    f"The body is not JSON: {reason}, at character {position}.",
                    "Send one JSON object, UTF-8, with double quotes and no trailing commas.",
                )
            )
    errors = [(field_of(each["loc"]), words_of(each)) for each in found[:MAX_FIELDS]]
    detail = "; ".join(f"{field} {what}" for field, what in errors[:3]) + "."
    return respond(problem(problems.INVALID, detail, SCHEMA_REMEDY, errors))


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what Starlette raises: no such path, no such method, a body that cannot be read."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        told = problem(
            problems.NO_ROUTE, "Nothing is served at this path.", "GET / lists what there is."
        )
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        remedy = f"Use {allowed}." if allowed else "GET / lists what there is."
        told = problem(problems.NO_METHOD, "The path takes other methods.", remedy)
    elif error.status_code == 413:
        told = problem(problems.TOO_LARGE, str(error.detail), "Send fewer rows at a time.")
    elif error.status_code == 400:
        told = problem(
            problems.MALFORMED,
            "The body cannot be read as JSON in UTF-8.",
            "Send one JSON object, UTF-8, not nested more than the schema asks.",
        )
    else:
        kind = Kind(error.status_code, f"http-{error.status_code}", "The request was refused")
        told = problem(kind, "The request was refused.", "GET / lists what there is.")
    return respond(told, error.headers)


def field_of(location: Sequence[str | int]) -> str:
    """Return where in the request an error is, as a path that can be read.

    A name that looks like a value (an address, a sentence) is not repeated.

    Examples
    --------
    >>> field_of(("body", "rows", 3, "customer_id"))
    'rows[3].customer_id'
    >>> field_of(("body", "jane@example.com"))
    '(a name that is none)'
    """
    path = ""
    for part in location[1:]:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += ("." if path else "") + shown(part)
    return path or str(location[0])


def words_of(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field, from the schema's limits and never from the input."""
    template = WORDS.get(error["type"], "has a form that is not accepted")
    return template.format_map({**error.get("ctx", {})})
