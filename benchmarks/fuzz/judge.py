"""What no answer and no log line may be."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from benchmarks.fuzz.calls import Call, encoded
from benchmarks.fuzz.canaries import traces_in
from serving.front.telemetry import configure_logging
from serving.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from starlette.testclient import TestClient

CLIENTS = ("httpx2", "httpcore", "hypothesis", "schemathesis")
"""Log what they send themselves."""
HEADERS = {"content-type": "application/json"}


class Finding(NamedTuple):
    """A call whose answer must not be."""

    call: Call
    why: str
    told: str

    def __str__(self) -> str:
        """Return all that is needed to send it again."""
        body = encoded(self.call.body)
        shown = None if body is None else body[:2_000]
        return (
            f"{self.call.label}\n  {self.why}: {self.told[:600]}\n  {self.call.headers} {shown!r}"
        )


class Judge:
    """Sends calls to a service and keeps what it must not answer.

    Parameters
    ----------
    client : TestClient
    token : str, optional
        Sent as the key of each call.
    """

    def __init__(self, client: TestClient, token: str = "") -> None:
        self._client = client
        self._headers = HEADERS | ({"authorization": f"Bearer {token}"} if token else {})
        self.findings: list[Finding] = []
        self.statuses: Counter[int] = Counter()

    def send(self, call: Call) -> int:
        """Send one call and judge its answer; returns the status, 0 if there was none."""
        body = encoded(call.body)
        headers = {name: value.encode("latin-1", "replace") for name, value in call.headers.items()}
        try:
            answer = self._client.request(
                call.method, call.path, content=body, headers={**self._headers, **headers},
                follow_redirects=False,
            )  # fmt: skip
        except Exception as error:  # whatever it is, a caller got no answer
            self.findings.append(Finding(call, "no answer", repr(error)))
            return 0
        self.statuses[answer.status_code] += 1
        why = wrong(answer)
        if why is not None:
            self.findings.append(Finding(call, f"{answer.status_code}, {why}", answer.text))
        return int(answer.status_code)


def wrong(answer: Any) -> str | None:
    """Return what is wrong with an answer."""
    status, kind = answer.status_code, answer.headers.get("content-type", "")
    if status >= 500 and not (status == 503 and "retry-after" in answer.headers):
        return "the service failed"
    traces = traces_in("".join(told_in(answer)))
    if traces:
        return f"an error tells {traces}"
    if status >= 400 and kind != MEDIA_TYPE and answer.request.method != "HEAD":
        return f"an error of type {kind!r}"
    return None


def told_in(answer: Any) -> Iterator[str]:
    """Yield the errors in an answer: all of one that is an error, the bad rows of another."""
    if answer.status_code >= 400:
        yield answer.text
    elif answer.headers.get("content-type") == "application/json" and answer.content:
        told = answer.json()
        if isinstance(told, dict):
            yield json.dumps(told.get("refused"))
            for row in told.get("results", ()):
                yield json.dumps(row.get("problem"))


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """Collect all that is logged or printed until the block ends, as a service would write it."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    handler.addFilter(lambda record: not record.name.startswith(CLIENTS))
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    before = structlog.get_config()
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    configure_logging()
    try:
        with redirect_stdout(heard), redirect_stderr(heard):
            yield heard
    finally:
        structlog.configure(**before)
        root.setLevel(level)
        root.removeHandler(handler)
