"""What stands around every request: it is counted, and no failure of it leaves without an answer.

Pure ASGI, as all middleware here is.
"""

from __future__ import annotations

import time
import traceback
import uuid
from typing import TYPE_CHECKING, Any

import structlog

from serving import problems
from serving.problems import problem, respond

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from serving.front.telemetry import Telemetry

log = structlog.get_logger("nextbest.serving")


class Answer:
    """Passes an answer on to the server, and knows whether any of it has left."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        self.has_begun = True
        await self.send(message)


class BrokenOffError(RuntimeError):
    """A failure after an answer had begun, which nobody can mend: the connection ends."""


class Boundary:
    """Turns a failure nobody foresaw into a problem.

    Pure ASGI: an exception that reached the server, or the framework, would be printed with its
    message, and messages can quote customers. Only its type and place are logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = Answer(send)
        try:
            await self.app(scope, receive, answer)
        except BrokenOffError:
            raise
        except Exception as error:  # the boundary: whatever it is, the caller gets an answer
            reference = uuid.uuid4().urn
            log.error("request failed", reference=reference, route=route_of(scope), **place(error))
            if answer.has_begun:
                told = f"The answer broke off; see {reference} in the log."
                raise BrokenOffError(told) from None
            await respond(
                problem(
                    problems.INTERNAL,
                    "The service failed on this request; nothing about the request was kept.",
                    f"Try again; if it stays, report {reference} to whoever runs the service.",
                    instance=reference,
                )
            )(scope, receive, send)


class Recorder:
    """Counts every request, by its route as declared; pure ASGI, and outermost."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, observed)
        finally:
            seconds = time.perf_counter() - started
            self.telemetry.answered(scope["method"], route_of(scope), status, seconds)


def route_of(scope: Scope) -> str:
    """Return a request's route as declared, so that no id becomes a label."""
    return str(getattr(scope.get("route"), "path", "none"))


def place(error: BaseException) -> dict[str, Any]:
    """Return an exception's type and where it came from, without its message.

    Examples
    --------
    >>> place(ValueError("jane@example.com"))
    {'error': 'ValueError', 'at': []}
    """
    frames = traceback.extract_tb(error.__traceback__)
    at = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": at[-8:]}
