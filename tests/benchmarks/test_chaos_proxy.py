"""The proxy fails as networks and services do, and is as if it were not there otherwise."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from benchmarks.chaos.proxy import Proxy

SLOW = 0.1
PATIENCE = 0.2


class Echo(socketserver.BaseRequestHandler):
    """Says again what it is told."""

    def handle(self) -> None:
        while told := self.request.recv(100):
            self.request.sendall(told)


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def proxy(upstream: int) -> Iterator[Proxy]:
    with Proxy(upstream, SLOW) as made:
        yield made


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)


def says_again(line: socket.socket, told: bytes = b"hello") -> bool:
    line.sendall(told)
    return line.recv(100) == told


def test_what_is_sent_passes_and_again_after_every_kind_of_cut(proxy: Proxy) -> None:
    for mode in ("refuse", "hang", "reset", "slow"):
        proxy.become(mode)  # type: ignore[arg-type]
        proxy.become("pass")
        with closing(connected(proxy)) as line:
            assert says_again(line)


def test_refusing_ends_what_is_connected_and_lets_nobody_connect(proxy: Proxy) -> None:
    with closing(connected(proxy)) as line:
        assert says_again(line)
        proxy.become("refuse")
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
        assert line.recv(1) == b""


def test_hanging_accepts_and_never_answers_and_what_hung_stays_dumb(proxy: Proxy) -> None:
    with closing(connected(proxy)) as before:
        assert says_again(before)
        proxy.become("hang")
        with closing(connected(proxy)) as during:
            for line in (before, during):
                with pytest.raises(TimeoutError):
                    says_again(line)
            proxy.become("pass")
            for line in (before, during):
                with pytest.raises(TimeoutError):
                    says_again(line)


def test_resetting_resets_what_is_connected_and_what_connects(proxy: Proxy) -> None:
    with closing(connected(proxy)) as line:
        assert says_again(line)
        proxy.become("reset")
        with pytest.raises(ConnectionResetError):
            line.recv(1)
        with pytest.raises(ConnectionError), closing(connected(proxy)) as other:
            assert says_again(other)


def test_slowness_delays_each_way(proxy: Proxy) -> None:
    with closing(connected(proxy)) as line:
        line.settimeout(10)
        proxy.become("slow")
        started = time.monotonic()
        assert says_again(line)
        assert time.monotonic() - started >= 2 * SLOW
