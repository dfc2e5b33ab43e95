"""Requests as fast as the answers come: keep-alive connections, requests made beforehand."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import ExitStack

CONNECTIONS = 8
LARGEST = 2**16


class RefusedError(Exception):
    """A server that answered with another status than 200."""


def request(port: int, path: str, body: bytes) -> bytes:
    """Return a POST request as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def rate(port: int, path: str, body: bytes, seconds: float) -> float:
    """Return the answers a second that a server gives, each awaited by one of 8 connections.

    Raises
    ------
    RefusedError
        An answer's status is not 200.
    """
    asked = request(port, path, body)
    done = 0
    with ExitStack() as held, selectors.DefaultSelector() as waiting:
        for _ in range(CONNECTIONS):
            each = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            waiting.register(each, selectors.EVENT_READ, bytearray())
            each.sendall(asked)
        started = time.perf_counter()
        until = started + seconds
        while time.perf_counter() < until:
            for key, _ in waiting.select(1.0):
                answer: bytearray = key.data
                answer += key.fileobj.recv(LARGEST)  # type: ignore[union-attr]
                if not is_whole(answer):
                    continue
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise RefusedError(bytes(answer[:500]).decode(errors="replace"))
                answer.clear()
                done += 1
                key.fileobj.sendall(asked)  # type: ignore[union-attr]
        took = time.perf_counter() - started
    return done / took


def is_whole(answer: bytes | bytearray) -> bool:
    """Return whether an answer with a Content-Length has arrived to its end.

    Examples
    --------
    >>> is_whole(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{"), is_whole(b"HTTP/1.1 200")
    (False, False)
    """
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)
