"""Who calls: a key that is known, of the scope that the route needs, and not too often.

Pure ASGI, inside the gate and outside both ways to a score, so that nothing goes around it.

Source: RFC 6750, Bearer tokens; RFC 6585, 429 Too Many Requests.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import problems
from serving.access.audit import COUNTS
from serving.access.needs import scopes_for
from serving.access.store import Act
from serving.front.boundary import route_of
from serving.problems import problem, respond
from serving.responses import ProblemAnswer

if TYPE_CHECKING:
    from serving.access.keys import Key
    from serving.access.metrics import AccessMetrics
    from serving.access.opened import Access

Refusal = tuple[ProblemAnswer, Mapping[str, str]]

REALM = 'Bearer realm="nextbest"'
REQUEST_ID = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What is taken from a caller: it is kept, and a free text could name a customer."""


class Guard:
    """Refuses whoever may not, and has what was noted written to the audit.

    Parameters
    ----------
    app : ASGI application
    access : Access
    metrics : AccessMetrics
    """

    def __init__(self, app: ASGIApp, access: Access, metrics: AccessMetrics) -> None:
        self.app = app
        self._ring, self._rates, self._audit = access.ring, access.rates, access.audit
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or not self._ring.required:
            await self.app(scope, receive, send)
            return
        needed = scopes_for(scope["method"], scope["path"])
        if needed is None:
            await self.app(scope, receive, send)
            return
        key, refusal = self._checked(scope, needed)
        if key is not None and self._rates.rate_of(key):
            seconds = await self._rates.seconds_to_wait(key)
            if seconds:
                refusal = self._too_often(seconds)
        if key is None or refusal is not None:
            assert refusal is not None
            await respond(*refusal)(scope, receive, send)
            return
        await self._let_in(key, scope, receive, send)

    async def _let_in(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        counts: dict[str, int] = {}
        scope[COUNTS] = counts
        status = 500
        request_id = ""

        async def observed(message: Message) -> None:
            nonlocal status, request_id
            if counts and message["type"] == "http.response.start":
                status = message["status"]
                request_id = request_id_of(scope)
                headers = [*message["headers"], (b"x-request-id", request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self.app(scope, receive, observed)
        finally:
            if counts:
                action = f"{scope['method']} {route_of(scope)}"
                at = time.time_ns() // 1000
                self._audit.put(Act(at, key.id, key.name, action, request_id, status, counts))

    def _checked(self, scope: Scope, needed: frozenset[str]) -> tuple[Key | None, Refusal | None]:
        sent = _sent(scope)
        if sent is None:
            return None, self._unknown(
                "missing",
                problems.NO_KEY,
                "The request carries no API key.",
                "Send the header 'Authorization: Bearer KEY'. Whoever runs the service makes one: "
                "python -m serving keys create NAME --scope score",
            )
        key, state = self._ring.find(sent)
        if key is None or state != "active":
            said = {
                "unknown": "No key is known by what the request carries.",
                "expired": "The key has expired.",
                "revoked": "The key was revoked.",
            }
            return None, self._unknown(
                state,
                problems.WRONG_KEY,
                said[state],
                "Check that the key is whole, or ask whoever runs the service for another one.",
            )
        if needed.isdisjoint(key.scopes):
            self._metrics.refused("scope")
            scopes = " ".join(sorted(needed))
            told = problem(
                problems.WRONG_SCOPE,
                f"The key lacks the scope for this: {scopes.replace(' ', ' or ')}.",
                "Use a key that has it; scopes of a key never change.",
            )
            challenge = f'{REALM}, error="insufficient_scope", scope="{scopes}"'
            return None, (told, {"www-authenticate": challenge, "connection": "close"})
        return key, None

    def _unknown(self, reason: str, kind: problems.Kind, detail: str, remedy: str) -> Refusal:
        self._metrics.refused(reason)
        challenge = REALM if reason == "missing" else f'{REALM}, error="invalid_token"'
        told = problem(kind, detail, remedy)
        return told, {"www-authenticate": challenge, "connection": "close"}

    def _too_often(self, seconds: int) -> Refusal:
        self._metrics.refused("rate")
        told = problem(
            problems.TOO_OFTEN,
            "The key has made all the calls that its rate lets in.",
            "Send it again after the seconds in Retry-After; a batch is one call.",
        )
        return told, {"retry-after": str(seconds)}


def _sent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            if value[:7].lower() != b"bearer ":
                return None
            sent: str = value[7:].strip().decode("latin-1")
            return sent
    return None


def request_id_of(scope: Scope) -> str:
    """Return the request's own ``x-request-id`` where it is a UUID, else a new one.

    Examples
    --------
    >>> request_id_of({"headers": [(b"x-request-id", b"0af7651916cd43dd8448eb211c80319c")]})
    '0af7651916cd43dd8448eb211c80319c'
    >>> len(request_id_of({"headers": [(b"x-request-id", b"jane@example.com")]}))
    32
    """
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return str(value.decode())
    return uuid.uuid4().hex
