"""uvicorn as this service runs it."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import uvicorn

from serving.lean import give_back
from serving.listener import BACKLOG, say_where

if TYPE_CHECKING:
    from fastapi import FastAPI

    from serving.workers.door import Door

COLLECT_AT = (20_000, 20, 20)
"""Objects made and not freed; requests make no cycles."""
GRACE_SECONDS = 10


class Server(uvicorn.Server):
    """uvicorn that says when it can be called.

    Parameters
    ----------
    config : uvicorn.Config
    ready : callable
        Called once it listens; by default it prints where.
    door : Door, optional
        Lets callers in, in place of a listening socket that is this process's alone.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[socket.socket], None] | None = None,
        door: Door | None = None,
    ) -> None:
        super().__init__(config)
        self._ready, self._door = ready or say_where, door

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell: whoever hears of it can call at once."""
        await super().startup(sockets)
        # What stands by now stays: to look through it again and again would cost each score some.
        gc.collect()
        gc.freeze()
        give_back()
        gc.set_threshold(*COLLECT_AT)
        if self._door is not None:
            self._door.open(self._protocol(self._door))
            self.servers.append(self._door)  # type: ignore[arg-type]
        for listener in sockets or ([] if self._door is None else [self._door.listener]):
            self._ready(listener)

    def _protocol(self, door: Door) -> Callable[[], asyncio.Protocol]:
        """Return what makes a connection's protocol as uvicorn does, and tells the door its end."""
        of_http: Any = self.config.http_protocol_class
        loop = asyncio.get_running_loop()

        class Counted(of_http):  # type: ignore[misc]
            def connection_lost(self, error: Exception | None) -> None:
                super().connection_lost(error)
                door.left()

        return lambda: Counted(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=loop,
        )


def run(
    app: FastAPI,
    listener: socket.socket | None = None,
    door: Door | None = None,
    ready: Callable[[socket.socket], None] | None = None,
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Serve until a signal says to stop.

    Parameters
    ----------
    app : FastAPI
    listener : socket, optional
        Where callers come from; or `door`.
    door : Door, optional
    ready : callable, optional
        See `Server`.
    beside : callable, optional
        Runs meanwhile, on the same event loop.
    """
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        backlog=BACKLOG,
        lifespan="on",
        log_config=None,
        access_log=False,  # a line a request would cost more than a score, and name customers
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )

    async def serve() -> None:
        other = None if beside is None else asyncio.create_task(beside())
        try:
            await Server(config, ready, door).serve([] if listener is None else [listener])
        finally:
            if other is not None:
                other.cancel()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve())
