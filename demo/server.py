"""Start the service on a free port, wait until it is ready, and always stop it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.error import URLError
from urllib.request import urlopen

from demo.steps import SHOWN_LINES, Step, StepFailedError
from features.errors import NextbestError

SERVE = Step("serve the models", ("serving", "--port", "0"))
ADDRESS = re.compile(r"http://127\.0\.0\.1:[1-9]\d*")
PATIENCE_S = 60.0
GRACE_S = 15.0


class NotReadyError(NextbestError):
    """The server lives but did not become ready in time."""

    def __init__(self, patience: float, printed: str) -> None:
        super().__init__(
            f"The server was not ready after {patience:g} s. It printed:\n{printed}\n",
            remedy="Run `python -m serving` by hand and open /health/ready.",
        )


class _Server:
    """One `python -m serving` in a session of its own, its output kept as it comes."""

    def __init__(self, step: Step, env: Mapping[str, str]) -> None:
        self.step = step
        self.printed: deque[str] = deque(maxlen=SHOWN_LINES)
        self.process = subprocess.Popen(
            [sys.executable, "-m", *step.arguments],
            env=dict(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.url: str | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line.rstrip())
            found = ADDRESS.search(line)
            if found and self.url is None:
                self.url = found.group()

    def wait_until_ready(self, patience: float) -> str:
        """Its address, once it says where it listens and /health/ready answers 200."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            code = self.process.poll()
            if code is not None:
                self._reader.join(GRACE_S)
                raise StepFailedError(self.step, code, list(self.printed))
            if self.url is not None and _is_ready(self.url):
                return self.url
            time.sleep(0.1)
        raise NotReadyError(patience, "\n".join(self.printed))

    def stop(self) -> None:
        """End the server politely, then its whole session, whatever is left of it."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(GRACE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


def _is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def running(
    env: Mapping[str, str], step: Step = SERVE, patience: float = PATIENCE_S
) -> Iterator[str]:
    """The address of a ready server, which is stopped when the block ends, however it ends.

    Raises
    ------
    StepFailedError
        The server ended by itself.
    NotReadyError
        It was not ready after `patience` seconds.
    """
    server = _Server(step, env)
    try:
        yield server.wait_until_ready(patience)
    finally:
        server.stop()
