"""How many requests may stand at the service at once: what exceeds it is told to come back.

A queue without end answers everybody too late and takes memory meanwhile. Here the excess costs
some microseconds and gets 503 with `Retry-After`. One score never waits for anything, so those that
arrive together are answered one after the other, in one turn of the event loop: what was answered
in the turn counts as being there still.

Pure ASGI, and no timer of its own for a request: it stands before every score.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from serving import problems
from serving.front.boundary import Answer, BrokenOffError
from serving.problems import problem, respond
from serving.tables.media import SUFFIX, is_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

AT_ONCE, TOO_LONG = "at_once", "seconds"
"""Why a request was refused, as metrics call it."""
ALWAYS = frozenset(
    {"/health/live", "/health/ready", "/metrics"}
    | {"/v2/health/live", "/v2/health/ready", "/ping", "/health"}
)
"""Asked by those who have to tell a busy service from a dead one."""
NEVER = float("inf")
LONGEST_LOOK = 1.0


class Admission:
    """Refuse what exceeds a number of requests at once, and end what takes too long.

    Parameters
    ----------
    app : ASGI application
    most : int
        Requests at once.
    seconds : float
        How long a request may take, its body's way included. Tables (`serving.tables.media`) may
        take as long as they keep arriving, see `serving.tables.arriving`.
    refused : callable
        Told `AT_ONCE` or `TOO_LONG` for each request that was refused.
    clock : callable
        Seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int,
        seconds: float,
        refused: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._most = most
        self._seconds = seconds
        self._refused = refused
        self._clock = clock
        self._running: dict[asyncio.Task[Any], float] = {}
        self._overdue: set[asyncio.Task[Any]] = set()
        self._answered_this_turn = 0
        self._looking: asyncio.AbstractEventLoop | None = None
        self._excess = respond(
            problem(
                problems.OVERLOADED,
                f"The service answers {most:,} requests at once, and more are here.",
                "Send it again after the seconds in Retry-After; nothing of it was read.",
            )
        )
        self._too_slow = respond(
            problem(
                problems.TOO_SLOW,
                f"The request was not answered within {seconds:g} seconds.",
                "Send it again after the seconds in Retry-After, in smaller parts if it is large. "
                "Events with an event_id, customers and campaigns may be sent twice.",
            ),
            {"connection": "close"},  # its body may still be on the way
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self.app(scope, receive, send)
            return
        if len(self._running) + self._answered_this_turn >= self._most:
            self._refused(AT_ONCE)
            await self._excess(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._running[task] = NEVER if _is_table(scope) else self._clock() + self._seconds
        if self._looking is not loop:
            self._looking = loop
            self._look_later(loop)
        answer = Answer(send)
        try:
            await self.app(scope, receive, answer)
        except asyncio.CancelledError:
            if task not in self._overdue:
                raise
            task.uncancel()
            self._refused(TOO_LONG)
            if answer.has_begun:
                told = f"An answer was not finished within {self._seconds:g} seconds."
                raise BrokenOffError(told) from None
            await self._too_slow(scope, receive, send)
        finally:
            del self._running[task]
            self._overdue.discard(task)
            if self._answered_this_turn == 0:
                loop.call_soon(self._end_turn)  # runs after all that is ready by now
            self._answered_this_turn += 1

    def _end_turn(self) -> None:
        self._answered_this_turn = 0

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_later(min(LONGEST_LOOK, self._seconds / 4), self._end_overdue, loop)

    def _end_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._clock()
        for task, until in self._running.items():
            if until <= now and task not in self._overdue:
                self._overdue.add(task)
                task.cancel()
        if self._running:
            self._look_later(loop)
        else:
            self._looking = None


def _is_table(scope: Scope) -> bool:
    if not scope["path"].endswith(SUFFIX):
        return False
    content_type = dict(reversed(list(scope["headers"]))).get(b"content-type", b"")
    return is_table(scope["path"], content_type.decode("latin-1"))
