"""A promotion in the registry reaches the answers within 5 s, and no request fails meanwhile.

Everything is real: MLflow on SQLite, the server's own command line, its poller, HTTP.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load import Load
from features.clock import parse_instant
from features.materialise import materialise
from features.shelf import shelf_of
from models.catalog import spec
from models.registry import Registry, prepare
from tests.serving.fakes import make_bundle
from tests.small_log import SHOP, write_small_log

RATE = 50.0
BOUND_SECONDS = 5.0
PATIENCE = 300.0


def get(port: int, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    status, content = answer.status, answer.read()
    connection.close()
    return status, content


@contextmanager
def serving(home: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`python -m serving` on a free port, and the port."""
    patient = {"NEXTBEST_FIRST_POLL_SECONDS": str(PATIENCE)}
    # MLflow writes the registry it was last told of into the environment of this process.
    clean = {name: each for name, each in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    environment = clean | {"NEXTBEST_HOME": str(home)} | patient | more
    process = subprocess.Popen(
        [sys.executable, "-m", "serving", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert select.select([process.stdout], [], [], PATIENCE)[0]
        found = re.search(r":(\d+)", process.stdout.readline().replace("http:", ""))
        assert found is not None
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A home with a log, an online store and two versions of churn, the first being champion."""
    orders = [
        {"customer_id": "1001", "kind": "order", "occurred_at": f"2026-0{month}-01T10:00:00Z",
         "amount": 1_000, "quantity": 2, "store": "1", "channel": "store"}
        for month in range(1, 6)
    ]  # fmt: skip
    shop = replace(SHOP, frozen_at=parse_instant("2026-05-20"))
    held = write_small_log(tmp_path, orders, source=shop)
    materialise(held, shelf_of(tmp_path)).close()
    registry = prepare(tmp_path)
    run = registry.client.create_run(registry.experiment("churn")).info.run_id
    for number, intercept in enumerate((-1.0, 1.0)):
        bundle = make_bundle(spec("churn"), intercept).save(tmp_path / f"bundle{number}")
        registry.publish("churn", bundle, run)
    registry.promote("churn", "1")
    return registry


def test_a_promotion_reaches_the_answers_within_5_s_and_no_request_fails(
    tmp_path: Path, registry: Registry
) -> None:
    with serving(tmp_path) as (process, port):
        load = Load(port, "/v1/scores/churn", {"customer_id": "1001", "explain": 3}, RATE)
        load.start()
        time.sleep(1.0)
        registry.promote("churn", "2")
        promoted = time.monotonic()
        load.await_version("2", BOUND_SECONDS + 1.0)
        time.sleep(0.5)
        load.stop()

        assert load.failures == []
        assert {answer.status for answer in load.answers} == {200}
        assert {answer.version for answer in load.answers} == {"1", "2"}
        last_of_old = max(answer.sent for answer in load.answers if answer.version == "1")
        assert last_of_old - promoted < BOUND_SECONDS
        spent = load.answers[-1].sent - load.answers[0].sent
        assert len(load.answers) / spent > 0.8 * RATE

        status, content = get(port, "/v1/models/churn")
        served = json.loads(content)
        assert (status, served["champion"]["version"]) == (200, "2")
        assert served["previous_version"] == "1"
        assert b'nextbest_scores_total{model="churn",version="2"}' in get(port, "/metrics")[1]

        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        told = json.loads((tmp_path / "cache" / "poller.json").read_text())
        assert not Path(f"/proc/{told['pid']}").exists()

    # Nobody listens there: the champion in the cache is served, whatever a start may wait.
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}"
    forever = str(2 * PATIENCE)
    with serving(tmp_path, MLFLOW_TRACKING_URI=dead, NEXTBEST_FIRST_POLL_SECONDS=forever) as (
        _,
        port,
    ):
        status, content = get(port, "/health/ready")
        assert (status, json.loads(content)["champions"]) == (200, {"churn": "2"})
