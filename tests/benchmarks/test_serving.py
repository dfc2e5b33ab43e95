"""What the benchmark of serving counts are whole answers, and a refusal is no answer."""

from __future__ import annotations

import math
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from benchmarks.serving.__main__ import ratios
from benchmarks.serving.calls import RefusedError, is_whole, rate

ANSWER = b"HTTP/1.1 %d OK\r\nContent-Length: 2\r\n\r\n{}"


class Answering(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with suppress(ConnectionError):  # callers leave in the middle of an answer
            while asked := self.request.recv(65_536):
                self.request.sendall(ANSWER % (200 if asked.startswith(b"POST /good ") else 500))


@pytest.fixture
def port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_answers_are_counted_and_a_refusal_stops_the_round(port: int) -> None:
    assert rate(port, "/good", b"{}", seconds=0.05) > 0
    with pytest.raises(RefusedError, match="500"):
        rate(port, "/bad", b"{}", seconds=0.05)


def test_an_answer_is_whole_at_its_length() -> None:
    whole = ANSWER % 200
    assert is_whole(whole)
    assert not any(is_whole(whole[:end]) for end in range(len(whole)))


def test_what_was_not_measured_is_no_ratio() -> None:
    found = ratios({"noop": 100.0, "inline": 90.0})
    assert found["ratio_to_noop"] == 0.9
    assert all(math.isnan(value) for name, value in found.items() if name != "ratio_to_noop")
