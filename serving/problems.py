"""What a caller is told when something is wrong: RFC 9457 problems, from one table.

The core's errors know no HTTP; this table gives each its status and title. A problem names the
remedy and never repeats what the caller sent: the sentences of errors that could quote a customer
are replaced by the table's own.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from features.arrival import RefusedError
from features.database import DatabaseError
from features.errors import (
    BadInputError,
    MissingContextError,
    NextbestError,
    NoLogError,
    StoreError,
    UnknownCampaignError,
    UnknownCustomerError,
    UnknownFeatureError,
)
from models.catalog import UnknownModelError
from models.prospects import ProspectError
from serving.errors import (
    BadCursorError,
    BusyError,
    ForgottenError,
    NoCardError,
    NoChampionError,
    NoScoresError,
    NotCountedError,
    NothingTakenError,
    NotReadyError,
    NotWrittenError,
    OutsidePopulationError,
    RequestError,
    RowError,
    StaleCursorError,
    TableError,
    TooSlowError,
    UnknownVersionError,
    WrongOutputError,
)
from serving.responses import ProblemAnswer

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of problem.

    Attributes
    ----------
    status : int
        HTTP status.
    slug : str
        Its stable name; the problem's type is ``urn:nextbest:problem:<slug>``.
    title : str
        The same for every occurrence.
    detail : str or None
        What is said instead of the error's own message; None where that message is made of
        declared names only and can be repeated.
    """

    status: int
    slug: str
    title: str
    detail: str | None = None


MALFORMED = Kind(400, "malformed-json", "The body is not JSON")
BAD_HOST = Kind(400, "unknown-host", "The request is for another host")
INVALID = Kind(422, "invalid-request", "The request does not fit the schema")
TOO_LARGE = Kind(413, "body-too-large", "The body is too large")
NOT_JSON = Kind(415, "unsupported-media-type", "The body is not sent as JSON")
NO_KEY = Kind(401, "missing-key", "The request needs an API key")
WRONG_KEY = Kind(401, "unknown-key", "The API key opens nothing")
WRONG_SCOPE = Kind(403, "missing-scope", "The API key lacks a scope")
TOO_OFTEN = Kind(429, "too-many-requests", "The API key is used too often")
NO_ROUTE = Kind(404, "unknown-path", "There is nothing at this path")
NO_METHOD = Kind(405, "method-not-allowed", "The path does not take this method")
INTERNAL = Kind(500, "internal-error", "The service failed")
OVERLOADED = Kind(503, "overloaded", "Too many requests at once")
TOO_SLOW = Kind(503, "too-slow", "The request took too long")

TABLE: dict[type[NextbestError], Kind] = {
    UnknownCustomerError: Kind(
        404,
        "unknown-customer",
        "No such customer",
        "Nothing is stored about a customer with this id.",
    ),
    UnknownModelError: Kind(
        404, "unknown-model", "No such model", "No model of the catalogue has this name."
    ),
    UnknownVersionError: Kind(404, "unknown-version", "No such version"),
    UnknownCampaignError: Kind(
        422, "unknown-campaign", "No such campaign", "No campaign has this id."
    ),
    UnknownFeatureError: Kind(422, "unknown-feature", "No such feature"),
    MissingContextError: Kind(422, "missing-context", "The context lacks a value"),
    BadCursorError: Kind(422, "bad-cursor", "The cursor cannot be read"),
    WrongOutputError: Kind(422, "wrong-output", "The model gives another kind of answer"),
    OutsidePopulationError: Kind(422, "outside-population", "The model is not for this customer"),
    RequestError: INVALID,
    NothingTakenError: Kind(422, "nothing-taken", "No event could be taken"),
    RefusedError: INVALID,
    BadInputError: Kind(
        422, "bad-input", "The input cannot be read", "A value is not what its field takes."
    ),
    TableError: Kind(400, "malformed-table", "The table cannot be read"),
    NoCardError: Kind(404, "no-card", "The model has no card"),
    StaleCursorError: Kind(409, "stale-cursor", "The list has changed"),
    ForgottenError: Kind(409, "forgotten", "Changes are not remembered for so long"),
    ProspectError: Kind(422, "bad-assumptions", "The list cannot be valued so"),
    NoScoresError: Kind(409, "no-scores", "Nothing has been scored yet"),
    NoChampionError: Kind(503, "no-champion", "The model has no champion"),
    StoreError: Kind(503, "no-store", "The online store does not answer", "It did not answer."),
    NotReadyError: Kind(503, "not-ready", "The service is not ready"),
    BusyError: Kind(503, "busy", "The service is busy"),
    TooSlowError: TOO_SLOW,
    NotWrittenError: Kind(503, "not-written", "Nothing is known to be written"),
    NotCountedError: Kind(503, "not-counted", "Written, but not counted yet"),
    DatabaseError: Kind(503, "no-database", "The database does not answer", "It did not answer."),
    NoLogError: Kind(503, "no-log", "There is no data", "The service finds no event log."),
}
FALLBACK = Kind(500, "failed", "The request failed", "The service could not answer this request.")
PASSING = {
    f"urn:nextbest:problem:{slug}"
    for slug in (
        "busy",
        "no-database",
        "no-store",
        "not-written",
        "not-counted",
        "overloaded",
        "too-slow",
    )
}
RETRY_SECONDS = "1"
REMEDY_OF_FALLBACK = "Report it with the time of the request; the service's log says more."


def kind_of(error: NextbestError) -> Kind:
    """Return the row of the table for an error: its own class's, else its nearest base's."""
    for base in type(error).__mro__:
        if issubclass(base, NextbestError) and base in TABLE:
            return TABLE[base]
    return FALLBACK


def problem(
    kind: Kind,
    detail: str,
    remedy: str,
    errors: Sequence[tuple[str, ...]] = (),
    instance: str | None = None,
) -> ProblemAnswer:
    """Return a problem of a kind; `errors` are (field, what is wrong with it[, remedy])."""
    return ProblemAnswer(
        type=f"urn:nextbest:problem:{kind.slug}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        remedy=remedy,
        errors=[dict(zip(("field", "detail", "remedy"), each, strict=False)) for each in errors],
        instance=instance,
    )


def of(error: NextbestError) -> ProblemAnswer:
    """Return the problem that tells a caller of one of our errors.

    Examples
    --------
    >>> from features.errors import UnknownCustomerError
    >>> of(UnknownCustomerError("Customer 'jane' is unknown.", remedy="Ingest first.")).detail
    'Nothing is stored about a customer with this id.'
    """
    if isinstance(error, RowError):
        told = of(error.error)
        return msgspec.structs.replace(told, detail=f"Row {error.row}: {told.detail}")
    kind = kind_of(error)
    if kind is FALLBACK:
        return problem(kind, str(kind.detail), REMEDY_OF_FALLBACK)
    fields: Sequence[tuple[str, ...]] = ()
    if isinstance(error, RequestError):
        fields = error.fields
    elif isinstance(error, RefusedError):
        fields = [(error.field, error.detail)]
    return problem(kind, kind.detail or error.message, error.remedy, fields)


def respond(told: ProblemAnswer, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as a response; one that passes by itself says when to come back."""
    if told.type in PASSING:
        headers = {"retry-after": RETRY_SECONDS, **(headers or {})}
    return ProblemResponse(told, headers)


class ProblemResponse(Response):
    """A problem; on the paths of the Open Inference Protocol with the `error` its clients read."""

    def __init__(self, told: ProblemAnswer, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(msgspec.json.encode(told), told.status, headers, media_type=MEDIA_TYPE)
        self._told, self._given = told, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        told = self._told
        if told.error is None and scope["path"].startswith("/v2/"):
            told = msgspec.structs.replace(told, error=f"{told.detail} {told.remedy}")
            await ProblemResponse(told, self._given)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
