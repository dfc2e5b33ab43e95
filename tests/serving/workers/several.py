"""Several real workers of an application made of fakes, their parent a process of its own.

python -m tests.serving.workers.several HOME WORKERS
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket
from typing import Any, NamedTuple

from features.ledger import Ledger
from features.served import ServedStore
from models.catalog import CATALOG, spec
from models.scores import SqlScoreStore
from serving.app import create_app
from serving.champions.champions import Champions
from serving.front.page import Page, path_of
from serving.front.telemetry import Telemetry, configure_logging
from serving.listener import bind, say_where
from serving.server import run
from serving.settings import ServingSettings
from serving.stopping import SIGNALS
from serving.workers.door import PAGE, Callers, Door
from serving.workers.folder import run_folder
from serving.workers.parent import Workers
from serving.workers.worker import end_with_parent, say_ready
from tests.serving.fakes import NOW, fake_store

BODY = json.dumps({"features": {spec("churn").features[0].name: 3}})
JSON = {"content-type": "application/json"}
MODULE = "tests.serving.workers.several"
WORKER = (sys.executable, "-m", MODULE, "worker")


class Running(NamedTuple):
    """A parent with workers that serve."""

    port: int
    process: subprocess.Popen[str]

    def workers(self) -> list[int]:
        """Return the workers' processes, in the order they were started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in children.read_text().split()]

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def metrics(self) -> dict[str, float]:
        """Return what a worker says, whichever lets us in."""
        with closing(self.connection()) as connection:
            return metrics(connection)


@contextmanager
def running(home: Path, workers: int) -> Iterator[Running]:
    """Give so many workers that serve, and stop them."""
    with subprocess.Popen(
        [sys.executable, "-m", MODULE, str(home), str(workers)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found is not None
            yield Running(int(found[1]), process)
        finally:
            process.send_signal(signal.SIGTERM)


def score(connection: http.client.HTTPConnection) -> dict[str, Any]:
    """Return the answer to one request for a score."""
    connection.request("POST", "/v1/scores/churn", BODY, JSON)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer


def metrics(connection: http.client.HTTPConnection) -> dict[str, float]:
    """Return Prometheus' numbers by their names and labels."""
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    split = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in split}


async def parent(home: Path, number: int) -> None:
    with closing(bind("127.0.0.1", 0)) as listener, run_folder(home) as folder:
        workers = Workers(number, listener, folder, home, WORKER, pause=0.1)
        for each in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(each, workers.stop)
        if await workers.start():
            say_where(listener)
        await workers.run()


def worker(listener: str, place: str, folder: str, _: str) -> None:
    end_with_parent()
    home = ServingSettings().home
    settings = ServingSettings(log_served=1.0)
    app = create_app(
        settings, Champions(CATALOG, home / "cache"), fake_store(), SqlScoreStore("sqlite://"),
        lambda: NOW, Ledger.open(home, clock=lambda latest: max(NOW, latest)),
        Telemetry(Page(path_of(Path(folder), int(place), os.getpid()))), ServedStore.open(home),
    )  # fmt: skip
    door = Door(socket(fileno=int(listener)), Callers(Path(folder) / PAGE), int(place))
    run(app, door=door, ready=say_ready)


def main(argv: Sequence[str]) -> None:
    configure_logging()
    if argv[0] == "worker":
        worker(*argv[1:])
    else:
        asyncio.run(parent(Path(argv[0]), int(argv[1])))


if __name__ == "__main__":
    main(sys.argv[1:])
