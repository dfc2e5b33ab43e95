"""Requests at a rate that the server does not choose, over many connections, each answer judged.

A request that is due while every connection waits is counted as one that found no connection: a
caller has only so many. A connection that the server closes is opened again.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from benchmarks.serving.calls import LARGEST, is_whole

RIGHT_TO = 1e-12


class Asked(NamedTuple):
    """A request as bytes, and the probabilities it must be answered with."""

    request: bytes
    expected: tuple[float, ...]


@dataclass
class Tally:
    """What became of the requests of a round.

    Attributes
    ----------
    right, wrong : int
        Answers with 200.
    refused, silent : int
        503 with `Retry-After`, and without.
    other, broken : int
        Any other status, and connections that ended in the middle.
    unsent : int
        Due while no connection was free.
    seconds : list of float
        From request to right answer.
    """

    right: int = 0
    wrong: int = 0
    refused: int = 0
    silent: int = 0
    other: int = 0
    broken: int = 0
    unsent: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """How many were answered, or broke off."""
        return self.right + self.wrong + self.refused + self.silent + self.other + self.broken

    def __add__(self, other: Tally) -> Tally:
        """Return the sum of two rounds."""
        names = [each.name for each in fields(self)]
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def judge(self, answer: bytes, asked: Asked, seconds: float) -> None:
        """Count one whole answer."""
        status = answer[9:12]
        head, _, body = answer.partition(b"\r\n\r\n")
        if status == b"200":
            if is_right(json.loads(body), asked.expected):
                self.right += 1
                self.seconds.append(seconds)
            else:
                self.wrong += 1
        elif status == b"503" and b"\r\nretry-after: " in head.lower():
            self.refused += 1
        elif status == b"503":
            self.silent += 1
        else:
            self.other += 1


def is_right(told: dict[str, Any], expected: tuple[float, ...]) -> bool:
    """Return whether an answer, of one row or of a batch, has the probabilities expected.

    Examples
    --------
    >>> is_right({"probability": 0.5}, (0.5,)), is_right({"results": []}, (0.5,))
    (True, False)
    """
    scores = [each.get("score") or {} for each in told["results"]] if "results" in told else [told]
    found = [score.get("probability", -1.0) for score in scores]
    return len(found) == len(expected) and all(
        abs(one - other) <= RIGHT_TO for one, other in zip(found, expected, strict=True)
    )


class Line:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answer = bytearray()
        self.asked = Asked(b"", ())
        self.sent_at = 0.0
        self.open()

    def open(self) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, asked: Asked) -> None:
        """Send a request; on a new connection where the server has closed this one."""
        self.answer.clear()
        self.asked, self.sent_at = asked, time.perf_counter()
        try:
            self.socket.sendall(asked.request)
        except OSError:
            self.socket.close()
            self.open()
            self.socket.sendall(asked.request)

    def receive(self) -> bool | None:
        """Take what came: True once the answer is whole, None where the connection ended."""
        try:
            came = self.socket.recv(LARGEST)
        except OSError:
            came = b""
        if not came:
            return None
        self.answer += came
        return is_whole(self.answer)


def drive(port: int, asked: list[Asked], rate: float, seconds: float, connections: int) -> Tally:
    """Send requests in turn, `rate` a second, and return what became of them.

    A rate of infinity sends on every connection as soon as it is free.
    """
    tally = Tally()
    with ExitStack() as held, selectors.DefaultSelector() as waiting:
        free = deque(Line(port) for _ in range(connections))
        lines = list(free)
        held.callback(lambda: [line.socket.close() for line in lines])
        number, started = 0, time.perf_counter()
        while True:
            now = time.perf_counter() - started
            if now >= seconds and len(free) == connections:
                return tally
            due = min(now, seconds) * rate if now < seconds else number
            while number < due:
                if not free:
                    if rate == float("inf"):
                        break
                    tally.unsent += 1
                elif now < seconds:
                    line = free.popleft()
                    line.send(asked[number % len(asked)])
                    waiting.register(line.socket, selectors.EVENT_READ, line)
                number += 1
            pause = 0.05 if rate == float("inf") else min(0.05, max(0.0, (number + 1) / rate - now))
            for key, _ in waiting.select(pause):
                line = key.data
                whole = line.receive()
                if whole is False:
                    continue
                waiting.unregister(key.fileobj)
                if whole:
                    took = time.perf_counter() - line.sent_at
                    tally.judge(bytes(line.answer), line.asked, took)
                else:
                    tally.broken += 1
                    line.socket.close()
                    line.open()
                free.append(line)
