from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from serving.champions.registry_address import is_reachable


class Busy(BaseHTTPRequestHandler):
    """Answers, if only that it cannot."""

    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_an_mlflow_server_is_reachable_where_it_answers_at_all(answering: int) -> None:
    assert is_reachable(f"http://127.0.0.1:{answering}/path")


def test_one_that_accepts_and_never_answers_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as dumb:
        assert not is_reachable(f"http://127.0.0.1:{dumb.getsockname()[1]}", seconds=0.1)


@pytest.mark.parametrize("scheme", ["https", "postgresql+psycopg"])
def test_others_are_reachable_where_somebody_listens(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as registry:
        uri = f"{scheme}://127.0.0.1:{registry.getsockname()[1]}/path"
        assert is_reachable(uri)
    assert not is_reachable(uri)


def test_a_file_is_always_reachable() -> None:
    assert is_reachable("sqlite:///mlflow.db")
    assert is_reachable("mlruns")
