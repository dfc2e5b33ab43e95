"""A JSON body of another protocol as its pydantic model, refused as every other body is."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException

Body = TypeVar("Body", bound=BaseModel)


class Lenient(BaseModel):
    """A body by a contract that is not ours: what we do not know in it is left alone."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


def decoded(kind: type[Body], body: bytes) -> Body:
    """Return a body as a model; NaN, which data frames write into JSON, is read.

    Raises
    ------
    HTTPException
        It is no JSON in UTF-8.
    RequestValidationError
        It does not fit the model.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        found: list[Any] = [*error.errors(include_url=False, include_input=False)]
        if any(each["type"] == "json_invalid" for each in found):
            raise HTTPException(400) from None
        told = [{**each, "loc": ("body", *each["loc"])} for each in found]
        raise RequestValidationError(told) from None
