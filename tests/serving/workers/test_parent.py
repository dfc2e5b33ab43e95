"""The parent starts, starts again, gives up with a reason and stops, whatever its workers do."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from serving.errors import CannotServeError
from serving.listener import bind
from serving.workers.folder import run_folder
from serving.workers.parent import MOST_FAILURES, Workers

# Notes its start by its place and process, then does as it is told.
BEGINS = """
import os, pathlib, sys
notes = pathlib.Path(os.environ["NEXTBEST_HOME"]) / "notes"
notes.open("a").write(f"{sys.argv[2]} {os.getpid()}\\n")
starts = sum(line.startswith(sys.argv[2]) for line in notes.read_text().splitlines())
"""
SERVES = "print('ready', flush=True); sys.stdin.read()"
CANNOT = "sys.exit(2)"
SERVES_ONCE = f"{CANNOT} if starts > 1 else print('ready', flush=True)"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with bind("127.0.0.1", 0) as made:
        yield made


def notes(home: Path) -> list[tuple[int, int]]:
    """(place, process) of each start."""
    lines = (home / "notes").read_text().splitlines()
    return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


def kept(
    home: Path, listener: socket.socket, what: str, then: Callable[[Workers], Awaitable[None]]
) -> None:
    """Run two workers and a part of a test beside them."""

    async def keep(folder: Path) -> None:
        command = (sys.executable, "-c", f"{BEGINS}\n{what}")
        workers = Workers(2, listener, folder, home, command, pause=0.01)
        await workers.start()
        await then(workers)
        await workers.run()

    with run_folder(home) as folder:
        asyncio.run(keep(folder))


async def starts(home: Path, number: int) -> None:
    until = time.monotonic() + 20
    while len(notes(home)) < number:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


def test_all_are_started_and_all_end_when_told_to(tmp_path: Path, listener: socket.socket) -> None:
    async def then(workers: Workers) -> None:
        workers.stop()

    kept(tmp_path, listener, SERVES, then)
    assert [place for place, _ in notes(tmp_path)] == [0, 1]
    for _, process in notes(tmp_path):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_one_that_is_killed_is_started_again_in_its_place(
    tmp_path: Path, listener: socket.socket
) -> None:
    async def then(workers: Workers) -> None:
        os.kill(notes(tmp_path)[1][1], signal.SIGKILL)
        await starts(tmp_path, 3)
        os.kill(notes(tmp_path)[2][1], signal.SIGKILL)
        await starts(tmp_path, 4)
        workers.stop()

    kept(tmp_path, listener, SERVES, then)
    assert [place for place, _ in notes(tmp_path)] == [0, 1, 1, 1]


def test_if_the_first_cannot_start_no_other_is_tried(
    tmp_path: Path, listener: socket.socket
) -> None:
    async def then(workers: Workers) -> None:
        pass

    with pytest.raises(CannotServeError, match="the last one ended with 2"):
        kept(tmp_path, listener, CANNOT, then)
    assert [place for place, _ in notes(tmp_path)] == [0]


def test_it_gives_up_when_nobody_serves_and_no_start_succeeds(
    tmp_path: Path, listener: socket.socket
) -> None:
    async def then(workers: Workers) -> None:
        pass

    with pytest.raises(CannotServeError):
        kept(tmp_path, listener, SERVES_ONCE, then)
    assert len(notes(tmp_path)) >= 1 + MOST_FAILURES


def test_a_parent_that_cannot_start_its_workers_ends_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from serving.__main__ import main

    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    # Nobody listens there, and a champion is announced: so no poller is started first.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    (tmp_path / "cache" / "churn").mkdir(parents=True)
    (tmp_path / "cache" / "churn" / "champion.json").write_text('{"version": "1"}')
    assert main(["--port", "0", "--workers", "2"]) == 2
    said = capfd.readouterr().err
    assert "python -m features build" in said
    assert "No worker can be started; the last one ended with 2." in said
