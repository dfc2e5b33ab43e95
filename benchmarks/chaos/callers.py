"""Requests of several kinds at constant rates, each noted: what came of it, when, and how soon.

A request is due by the clock. It takes a connection that is free, or a new one: who waits for an
answer keeps nobody else from asking.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PATIENCE = 35.0
"""Seconds; longer than the service gives any request."""
IDLE_SECONDS = 2.0
"""After it a connection is not used again: the service closes what is idle for 5 s."""


class Call(NamedTuple):
    """What is asked: without a body a GET."""

    path: str
    body: Any = None
    method: str = "POST"


class Seen(NamedTuple):
    """What became of a request; times in seconds of `time.monotonic`.

    Attributes
    ----------
    sent, seconds : float
    status : int
        0 where the connection broke, or nothing came.
    retry_after : bool
    problem : str
        The slug of an RFC 9457 problem; empty otherwise.
    content : dict
        Of an answer that is no problem.
    """

    sent: float
    seconds: float
    status: int
    retry_after: bool
    problem: str
    content: Mapping[str, Any]


@dataclass
class Caller:
    """Sends one kind of request.

    Attributes
    ----------
    name : str
    rate : float
        Requests a second.
    make : callable
        Returns the request of a number.
    seen : list of Seen
        In the order of the answers.
    """

    name: str
    rate: float
    make: Callable[[int], Call]
    seen: list[Seen] = field(default_factory=list)
    sent: int = 0
    _free: list[Any] = field(default_factory=list)

    async def run(self, port: int, key: str, stop: asyncio.Event) -> None:
        """Send until told to stop, and wait for the last answers."""
        under_way: set[asyncio.Task[None]] = set()
        due = time.monotonic()
        while not stop.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._ask(port, key, self.make(self.sent)))
            self.sent += 1
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            due += 1 / self.rate
        if under_way:
            await asyncio.wait(under_way)
        for _, writer, _ in self._free:
            writer.close()

    async def _ask(self, port: int, key: str, call: Call) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                status, headers, body = await self._exchange(port, written(port, key, call))
        except (OSError, TimeoutError, EOFError, ValueError):
            self.seen.append(Seen(started, time.monotonic() - started, 0, False, "", {}))
            return
        took = time.monotonic() - started
        told = json.loads(body)
        problem = str(told.get("type", "")).rpartition(":")[2]
        content = {} if problem else told
        self.seen.append(Seen(started, took, status, "retry-after" in headers, problem, content))

    async def _exchange(self, port: int, asked: bytes) -> tuple[int, dict[str, str], bytes]:
        while self._free and self._free[0][2] < time.monotonic() - IDLE_SECONDS:
            self._free.pop(0)[1].close()
        if self._free:
            reader, writer, _ = self._free.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(asked)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(headers["content-length"]))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._free.append((reader, writer, time.monotonic()))
        return int(head[0].split(" ")[1]), headers, body


def written(port: int, key: str, call: Call) -> bytes:
    """Return a request as bytes."""
    head = f"{'GET' if call.body is None else call.method} {call.path} HTTP/1.1\r\n"
    head += f"Host: 127.0.0.1:{port}\r\n"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    if call.body is None:
        return f"{head}\r\n".encode()
    body = json.dumps(call.body).encode()
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Load:
    """All callers together, in a thread of their own, while the block runs."""

    def __init__(self, port: int, callers: list[Caller], key: str = "") -> None:
        self._port, self._callers, self._key = port, callers, key
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError):  # it ended by a failure of its own
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        async def all_of_them() -> None:
            runs = (caller.run(self._port, self._key, self._stop) for caller in self._callers)
            await asyncio.gather(*runs)

        self._loop.run_until_complete(all_of_them())
