from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from serving.__main__ import main
from serving.errors import CannotServeError
from serving.listener import bind, check_host
from serving.stopping import SIGNALS


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty home; what a command line sets for its whole process is undone."""
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    structlog.reset_defaults()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.com", "::", ""])
def test_a_host_that_others_can_reach_is_refused(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--host", host, "--port", "0"]) == 2
    assert "there is no active API key" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_loopback_hosts_are_allowed(host: str) -> None:
    check_host(host)


def test_a_port_that_is_taken_is_named_with_a_way_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"Port {port} of 127.0.0.1 cannot be used: Address already in use." in said
    assert "--port 0" in said


def test_port_0_takes_a_free_one() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0
        with pytest.raises(CannotServeError):
            bind("127.0.0.1", listener.getsockname()[1])


def test_without_a_log_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0"]) == 2
    assert "python -m features build" in capsys.readouterr().err


def test_a_port_that_is_none_is_refused_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--port", "70000"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("port: ")
    assert "NEXTBEST_" in said
