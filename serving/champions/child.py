"""The poller as a child process: started with the server, restarted if it dies, stopped with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import anyio
import structlog

from serving.champions.cache import told

if TYPE_CHECKING:
    from serving.settings import ServingSettings

COMMAND = (sys.executable, "-m", "serving.champions.poller")
IMPATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
"""The poller asks again by itself; by MLflow's default one question may hang for a quarter hour."""
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
PATIENCE = 1.0

log = structlog.get_logger("nextbest.serving")


class PollerProcess:
    """One child process, by default `serving.champions.poller`.

    It has a session of its own, so that Ctrl-C reaches the server alone; it ends when its standard
    input does, hence also when the server is killed.
    """

    def __init__(self, settings: ServingSettings, command: Sequence[str] = COMMAND) -> None:
        self._settings = settings
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the child."""
        environment = os.environ | {
            "NEXTBEST_HOME": str(self._settings.home.resolve()),
            "NEXTBEST_POLL_SECONDS": str(self._settings.poll_seconds),
            # A server reads registries, it does not call home, and it never unpickles.
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        }
        for name, value in IMPATIENT.items():
            environment.setdefault(name, value)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Ask the child to end by closing its input, then insist."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        for insist in (process.terminate, process.kill):
            try:
                process.wait(PATIENCE)
                break
            except subprocess.TimeoutExpired:
                insist()
        process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        """The child's process; 0 while there is none."""
        return 0 if self._process is None else self._process.pid

    def await_first_poll(self) -> bool:
        """Wait until the child asked the registry once; returns whether it did so in time."""
        process = self._process
        assert process is not None
        return await_poll(self._settings, process.pid, lambda: process.poll() is None)

    async def keep_alive(self, pause: float = SHORTEST_PAUSE) -> None:
        """Start the child again whenever it ended by itself, ever later if it keeps ending."""
        shortest = pause
        while True:
            await anyio.sleep(pause)
            if self._process is None or self._process.poll() is None:
                pause = shortest
                continue
            log.warning("the poller ended", code=self._process.returncode)
            self.stop()
            self.start()
            pause = min(2 * pause, LONGEST_PAUSE)


def await_poll(
    settings: ServingSettings, process: int, is_alive: Callable[[], bool] = lambda: True
) -> bool:
    """Wait until a poller asked the registry once; returns whether it did so in time."""
    deadline = time.monotonic() + settings.first_poll_seconds
    while time.monotonic() < deadline and is_alive():
        if told(settings.cache).get("pid") == process:
            return True
        time.sleep(0.05)
    return False
