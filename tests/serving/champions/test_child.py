from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.champions.child import IMPATIENT, PollerProcess
from serving.settings import ServingSettings

# Notes its start, then does as it is told.
BEGINS = "import pathlib, sys, time; p = pathlib.Path(sys.argv[1]); p.open('a').write('x');"
ENDS_WITH_ITS_INPUT = "sys.stdin.read()"
ENDS_AT_ONCE = "sys.exit(3)"
HEEDS_NOTHING = "import signal; signal.signal(signal.SIGTERM, lambda *_: None); time.sleep(600)"


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    return tmp_path / "starts"


@pytest.fixture
def child(tmp_path: Path, starts: Path) -> Callable[[str], PollerProcess]:
    settings = ServingSettings(home=tmp_path, first_poll_seconds=0.1)
    return lambda what: PollerProcess(
        settings, [sys.executable, "-c", f"{BEGINS} {what}", str(starts)]
    )


def begun(starts: Path, times: int) -> bool:
    """Whether the child has started so many times, within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if starts.exists() and len(starts.read_text()) >= times:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("what", [ENDS_WITH_ITS_INPUT, ENDS_AT_ONCE])
def test_it_ends_when_its_input_does(
    child: Callable[[str], PollerProcess], starts: Path, what: str
) -> None:
    poller = child(what)
    poller.start()
    assert begun(starts, 1)
    before = time.monotonic()
    poller.stop()
    assert time.monotonic() - before < 1.0
    poller.stop()  # a second time does nothing


def test_it_is_made_to_end_if_it_heeds_nothing(
    child: Callable[[str], PollerProcess], starts: Path
) -> None:
    poller = child(HEEDS_NOTHING)
    poller.start()
    assert begun(starts, 1)
    poller.stop()


def test_it_is_started_again_when_it_ends_by_itself(
    child: Callable[[str], PollerProcess], starts: Path
) -> None:
    poller = child(ENDS_AT_ONCE)
    poller.start()

    async def watch() -> bool:
        keeping = asyncio.create_task(poller.keep_alive(pause=0.01))
        done = await asyncio.to_thread(begun, starts, 3)
        keeping.cancel()
        return done

    assert asyncio.run(watch())
    poller.stop()


def test_a_start_does_not_wait_for_a_registry_for_ever(
    child: Callable[[str], PollerProcess],
) -> None:
    poller = child(ENDS_WITH_ITS_INPUT)
    poller.start()
    assert not poller.await_first_poll()
    poller.stop()


def test_the_registry_may_hang_for_seconds_only_unless_the_environment_says_otherwise(
    tmp_path: Path, starts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "import os; p.write_text(' '.join(os.environ[n] for n in sys.argv[2:]));"
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    command = [sys.executable, "-c", f"{BEGINS} {told} {ENDS_WITH_ITS_INPUT}", str(starts)]
    poller = PollerProcess(ServingSettings(home=tmp_path), [*command, *IMPATIENT])
    poller.start()
    assert begun(starts, 3)
    poller.stop()
    assert starts.read_text() == f"{IMPATIENT['MLFLOW_HTTP_REQUEST_TIMEOUT']} 2"
