"""The service's own command line on a free port, with what it takes of the machine."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

MIB = 2**20


class Running(NamedTuple):
    """A server that listens."""

    port: int
    process: int


@contextmanager
def server(home: Path, log: Path | None = None, **environment: str) -> Iterator[Running]:
    """Run `python -m serving` on a free port until the block ends.

    Parameters
    ----------
    home : Path
    log : Path, optional
        Where its log lines go; by default nowhere.
    **environment : str
        Variables for the server alone.
    """
    with (log or Path(os.devnull)).open("w") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving", "--port", "0"],
            env=os.environ | {"NEXTBEST_HOME": str(home)} | environment,
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
        )
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        if found is None:
            raise SystemExit("The server did not start; run `python -m serving` to see why.")
        yield Running(int(found[1]), process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


def ask(port: int, path: str, body: Any = None) -> tuple[int, bytes]:
    """Return status and content of one answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        if body is None:
            connection.request("GET", path)
        else:
            headers = {"content-type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def resident_mib(process: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / MIB
    raise SystemExit(f"Process {process} has no memory: it has ended.")
