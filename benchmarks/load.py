"""Score requests at a constant rate, each noted with its time, status and version."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CALLERS = 5
HEADERS = {"content-type": "application/json"}


class Answer(NamedTuple):
    """One answer; times in seconds of `time.monotonic`."""

    sent: float
    seconds: float
    status: int
    version: str


@dataclass
class Load:
    """Callers that together send `rate` requests a second, late ones included.

    A request is due by the clock, not when the one before was answered, so a server that stands
    still is not spared.

    Examples
    --------
    >>> Load(port=8000, path="/v1/scores/churn", body={"customer_id": "1001"}).failures
    []
    """

    port: int
    path: str
    body: Mapping[str, Any]
    rate: float = 50.0
    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Begin to call."""
        self._stop = threading.Event()
        self._callers = [
            threading.Thread(target=self._call, args=(number,), daemon=True)
            for number in range(CALLERS)
        ]
        for caller in self._callers:
            caller.start()

    def stop(self) -> None:
        """End, once every caller has its last answer."""
        self._stop.set()
        for caller in self._callers:
            caller.join()

    def await_version(self, version: str, seconds: float) -> float | None:
        """Return how long it takes until a version answers; None if it does not in time."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if any(answer.version == version for answer in self.answers[-CALLERS:]):
                return time.monotonic() - started
            time.sleep(0.01)
        return None

    def _call(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        content = json.dumps(self.body)
        due = time.monotonic() + number / self.rate
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            sent = time.monotonic()
            try:
                connection.request("POST", self.path, content, HEADERS)
                answer = connection.getresponse()
                status, told = answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(repr(error))
                with suppress(OSError):
                    connection.close()
            else:
                version = str(told.get("version", ""))
                self.answers.append(Answer(sent, time.monotonic() - sent, status, version))
            due += CALLERS / self.rate
        connection.close()
