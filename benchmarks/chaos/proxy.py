"""A TCP proxy that can fail in the ways in which networks and services do."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from typing import Literal, get_args

Mode = Literal["pass", "refuse", "hang", "reset", "slow"]
MODES: tuple[Mode, ...] = get_args(Mode)
CUTS = MODES[1:]
SLOW_SECONDS = 0.2
CHUNK = 2**16
NOT_LINGERING = struct.pack("ii", 1, 0)


class Link:
    """One connection through the proxy, and what becomes of what is sent on it."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.is_deaf = False

    def end(self, reset: bool = False) -> None:
        """Close both sides, or have the near one reset."""
        for writer in (self.near, self.far):
            if writer is None:
                continue
            held = writer.get_extra_info("socket")
            if reset and writer is self.near and held is not None:
                with suppress(OSError):
                    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOT_LINGERING)
            writer.transport.abort()


class Proxy:
    """Listens on a loopback port and passes on to another one, until told otherwise.

    - ``refuse``: nobody listens, and what was connected is closed, as by a service that stops.
    - ``hang``: connections are accepted and never answered. Those that hung stay dumb after it, as
      behind a firewall that has forgotten them, and the far side never learns that they ended.
    - ``reset``: every connection is reset, new ones too.
    - ``slow``: each part of what passes waits for `slow_seconds`.

    Parameters
    ----------
    upstream : int
        Port on 127.0.0.1.
    slow_seconds : float

    Attributes
    ----------
    port : int
        Where to connect.
    """

    def __init__(self, upstream: int, slow_seconds: float = SLOW_SECONDS) -> None:
        self._upstream, self._slow_seconds = upstream, slow_seconds
        self.mode: Mode = "pass"
        self.port = 0
        self._links: set[Link] = set()
        self._forgotten: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._wait(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def become(self, mode: Mode) -> None:
        """Behave so from now on, to connections that are open too."""
        self._wait(self._become(mode))

    def _wait(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _become(self, mode: Mode) -> None:
        before, self.mode = self.mode, mode
        if mode in ("refuse", "reset"):
            for link in self._links:
                link.end(reset=mode == "reset")
        if mode == "hang":
            for link in self._links:
                link.is_deaf = True
        if mode == "refuse" and self._server is not None:
            self._server.close()
        elif before == "refuse":
            await self._listen()

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.end()
        for writer in self._forgotten:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(writer)
        if self.mode == "reset":
            link.end(reset=True)
            return
        link.is_deaf = self.mode == "hang"
        self._links.add(link)
        try:
            if link.is_deaf:
                await self._pump(reader, link, None)
                return
            far_reader, link.far = await asyncio.open_connection("127.0.0.1", self._upstream)
            ways = (self._pump(reader, link, link.far), self._pump(far_reader, link, writer))
            _, other = await asyncio.wait(
                [asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED
            )
            for task in other:
                task.cancel()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._links.discard(link)
            if link.is_deaf and link.far is not None:
                self._forgotten.append(link.far)
                link.far = None
            link.end()

    async def _pump(
        self, reader: asyncio.StreamReader, link: Link, writer: asyncio.StreamWriter | None
    ) -> None:
        """Pass on what comes until one side ends; what a deaf link is told is lost."""
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.mode == "slow":
                    await asyncio.sleep(self._slow_seconds)
                if link.is_deaf or writer is None:
                    continue
                writer.write(data)
                await writer.drain()
