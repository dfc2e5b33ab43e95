"""The service as it is, without models: for measurements of what it is told, not of scores.

python -m benchmarks.events_server HOME PORT
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import uvicorn

from features.contract import Batch
from features.declare import events
from features.following import FollowingStore
from features.ingest import ingest
from features.jit import PLAIN
from features.ledger import Ledger, wall
from features.log import EventLog
from features.shelf import Shelf, shelf_of
from features.source import Source
from features.tiling import Background
from models.scores import SqlScoreStore
from serving.app import create_app
from serving.champions.champions import Champions
from serving.received.live_store import LiveStore
from serving.settings import ServingSettings

SHOP = Source("shop", "EUR", "Europe/Berlin", "assumed", 1, None)
PROPERTIES = {"store": "text", "discount": "integer"}
orders = events("order")
FEATURES = (
    orders.count(last="90d"),
    orders.sum("amount", unit="currency"),
    orders.sum("discount", unit="currency", last="365d"),
    orders.distinct("item"),
    orders.most_common("hour_of_week"),
    orders.count(channel="web"),
)
PATIENCE = 60.0
HEADERS = {"content-type": "application/json"}


def make_log(home: Path, customers: int) -> EventLog:
    """Write a log of one order a customer."""
    names = [f"c{number}" for number in range(customers)]
    table = pa.table(
        {
            "event_id": [f"first-{name}" for name in names],
            "customer_id": names,
            "kind": ["order"] * customers,
            "occurred_at": [1_700_000_000_000_000 + number for number in range(customers)],
        }
    )
    return ingest(SHOP, [Batch("made up", table)], home, properties=PROPERTIES).log


def shelf(home: Path) -> Shelf:
    """Return where the online store of a home stands."""
    return shelf_of(home, background=Background(home, FEATURES, lambda home: PLAIN))


def fill(home: Path, ledger: Ledger | None = None) -> FollowingStore:
    """Fill the online store of a home from its log and the ledger."""
    from features.materialise import materialise

    return materialise(EventLog.open(home), shelf(home), ledger, anew=True)


def serve(home: Path, port: int) -> None:
    """Serve until killed."""
    settings = ServingSettings(home=home, port=port)
    stores = shelf(home)
    store = LiveStore(stores.open, stores.stamp, lambda opened, features: None, {})  # type: ignore[arg-type, return-value]
    store.open()
    ledger = Ledger.open(home, settings.database_url or None)
    store.catch_up(ledger)
    scores = SqlScoreStore(f"sqlite:///{home / 'nextbest.db'}")
    champions = Champions({}, settings.cache)
    app = create_app(settings, champions, store, scores, lambda: wall(0), ledger)
    options: dict[str, Any] = {"loop": "uvloop", "http": "httptools", "ws": "none"}
    uvicorn.run(app, port=port, log_level="error", access_log=False, **options)


@contextmanager
def running(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the server, give it once it answers, and end it."""
    command = [sys.executable, "-m", "benchmarks.events_server", str(home), str(port)]
    process = subprocess.Popen(command, env=os.environ | {"NEXTBEST_HOME": str(home)})
    try:
        await_answer(process, port)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait()


def await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"The server ended with {process.returncode}.")
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
                connection.request("GET", "/health/live")
                connection.getresponse().read()
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The server does not answer.")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def call(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes
) -> tuple[int, Any]:
    """Return status and content of an answer."""
    connection.request(method, path, body, HEADERS)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def main(argv: Sequence[str]) -> None:
    """Serve a home on a port."""
    serve(Path(argv[0]), int(argv[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
