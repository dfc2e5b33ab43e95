"""POST /v1/scores/{model} at little more than the cost of an empty answer.

Most of what a request costs in FastAPI is FastAPI. So requests that are perfect as they are take a
short cut: decoded into the model's own types, scored and encoded. Whatever is not perfect, from an
unknown field to an unknown customer, is handed on to the route with its body as it came, and the
route's answer is the truth; tests/contracts/test_hot_route.py holds that both answer alike.

It stands inside the gate and the recorder: hosts, sizes, keys and metrics are theirs for both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.exceptions import HTTPException

from features.errors import NextbestError
from serving.received.live_store import Known
from serving.scores.hot_body import HotBody, decoder_of
from serving.scores.reading import read
from serving.scores.scoring import score_known

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from serving.parts import Parts

PREFIX = "/v1/scores/"
CONTENT_TYPE = (b"content-type", b"application/json")

_encode = msgspec.json.Encoder().encode
_values_of = msgspec.structs.astuple


class Declared:
    """The route that the recorder counts, as FastAPI declares it."""

    path = f"{PREFIX}{{model}}"


class HotRoute:
    """Answers perfect requests for one score, and hands everything else on.

    Parameters
    ----------
    app : ASGI application
    parts_of : callable
        Returns the application's parts.
    """

    def __init__(self, app: ASGIApp, parts_of: Callable[[], Parts]) -> None:
        self.app = app
        self._parts_of = parts_of
        # Made at the first request: a middleware is built before the parts may be asked for.
        self._decoders: dict[str, msgspec.json.Decoder[HotBody]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        decoder = self._by_path().get(scope["path"])
        if decoder is None:
            await self.app(scope, receive, send)
            return
        try:
            message = await receive()
        except HTTPException as error:  # the gate counted too many bytes
            await self.app(scope, _again(error, receive), send)
            return
        whole = message["type"] == "http.request" and not message.get("more_body", False)
        answer = await self._answered(scope["path"], decoder, message) if whole else None
        if answer is None:
            await self.app(scope, _again(message, receive), send)
            return
        scope["route"] = Declared
        headers = [(b"content-length", b"%d" % len(answer)), CONTENT_TYPE]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _by_path(self) -> dict[str, msgspec.json.Decoder[HotBody]]:
        if self._decoders is None:
            specs = self._parts_of().champions.specs
            self._decoders = {
                PREFIX + name: decoder_of(spec.features) for name, spec in specs.items()
            }
        return self._decoders

    async def _answered(
        self, path: str, decoder: msgspec.json.Decoder[HotBody], message: Message
    ) -> bytes | None:
        """Return the answer to a perfect request; None for any other."""
        parts = self._parts_of()
        try:
            asked = decoder.decode(message.get("body", b""))
            champion = parts.champions.get(path[len(PREFIX) :])
            if asked.features is not None:
                known = _sent(asked)
                if known is None:
                    return None
                as_of = parts.clock()
            else:
                as_of, known = await read(parts, champion.spec, asked)
            score = score_known(parts, champion, known, as_of, asked, asked.explain, asked.language)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, NextbestError):
            return None
        return _encode(score)


def _sent(asked: HotBody) -> Known | None:
    values = _values_of(asked.features)
    if asked.customer_id is not None or asked.context or values.count(None) == len(values):
        return None
    return Known(values)


def _again(said: Message | HTTPException, receive: Receive) -> Receive:
    """Return a `receive` that says again what was said, and then goes on."""
    waiting = [said]

    async def again() -> Message:
        if not waiting:
            return await receive()
        first = waiting.pop()
        if isinstance(first, HTTPException):
            raise first
        return first

    return again
