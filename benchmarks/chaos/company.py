"""A company made up for the benchmark: PostgreSQL, Redis and an MLflow server as it would have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.chaos.callers import Call, Caller
from benchmarks.events_server import free_port
from benchmarks.serving.four import FROZEN_AT, LEVELS, fill
from features.log import EventLog
from features.materialise import materialise
from features.redis_client import connect
from features.shelf import shelf_of
from models.catalog import CATALOG
from models.scores import ScoreRow, SqlScoreStore
from serving.access.keys import make
from serving.access.store import AccessStore

MODEL = "churn"
POSTGRES_PORT, REDIS_PORT, REDIS_DB = 5432, 6379, 11
STARTS_WITHIN = 120.0
ALONE = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
RATE = "100000/second"


@contextmanager
def schema() -> Iterator[str]:
    """Give the name of a schema of the database `test` that nothing else uses; dropped after."""
    name = f"chaos_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(database_url(POSTGRES_PORT, "public"))
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    try:
        yield name
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


def database_url(port: int, name: str) -> str:
    """Return the address of a schema."""
    at = f"postgresql+psycopg://postgres@127.0.0.1:{port}/test"
    return f"{at}?options=-csearch_path%3D{name}"


def redis_url(port: int) -> str:
    """Return the address of the Redis database used."""
    return f"redis://127.0.0.1:{port}/{REDIS_DB}"


@contextmanager
def empty_redis() -> Iterator[None]:
    """Make sure that the Redis database holds nothing, and leave it so."""
    client = connect(redis_url(REDIS_PORT))
    if client.dbsize():
        raise SystemExit(f"Redis database {REDIS_DB} is in use; empty it to go on.")
    try:
        yield
    finally:
        client.flushdb()
        client.close()


@contextmanager
def registry_server(home: Path) -> Iterator[int]:
    """Run an MLflow server on loopback; yields its port."""
    port = free_port()
    process = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "mlflow"), "server", "--host", "127.0.0.1",
            "--port", str(port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}",
            "--artifacts-destination", str(home / "mlartifacts"),
        ],
        env=os.environ | ALONE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                    break
            except OSError:
                time.sleep(0.2)
        else:
            raise SystemExit("The MLflow server did not start.")
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # it has children
        process.wait()


def settle(home: Path, name: str) -> tuple[list[str], str]:
    """Fill log, online store, batch scores and keys; return the customers and a key.

    Parameters
    ----------
    home : Path
    name : str
        Of the schema.
    """
    customers = fill(home, customers=100)
    url = database_url(POSTGRES_PORT, name)
    materialise(EventLog.open(home), shelf_of(home, redis_url(REDIS_PORT))).close()
    with closing(SqlScoreStore(url)) as scores:
        scores.replace(MODEL, [scored(who, at) for at, who in enumerate(customers)])
    with closing(AccessStore(url)) as access:
        scopes = ("score", "events", "lists", "admin")
        key, token = make("chaos", scopes, now=time.time_ns() // 1000, rate=RATE)
        access.create(key, "benchmark")
    return customers, token


def scored(customer: str, at: int) -> ScoreRow:
    """Return a customer's score of a batch, made up."""
    return ScoreRow(
        MODEL, "1", customer, customer, FROZEN_AT, FROZEN_AT, 0,
        probability=0.5 / (at + 1), margin=-float(at), percentile=50.0, grade="B",
    )  # fmt: skip


def callers(customers: list[str], rate: float) -> dict[str, Caller]:
    """Return a caller of each kind; scores with inline features `rate` a second, others a fifth."""
    score = f"/v1/scores/{MODEL}"
    named = {
        "inline": lambda n: Call(score, {"features": values()}),
        "by_id": lambda n: Call(score, {"customer_id": customers[n % len(customers)]}),
        "events": lambda n: Call("/v1/events", {"events": [event(customers, n)]}),
        "customers": lambda n: Call(f"/v1/customers/{customers[n % len(customers)]}?explain=0"),
        "prospects": lambda n: Call(f"/v1/prospects?model={MODEL}&limit=5&save_rate=0.2&value=900"),
    }
    return {
        name: Caller(name, rate if name == "inline" else rate / 5, make)
        for name, make in named.items()
    }


def event(customers: list[str], number: int) -> dict[str, Any]:
    """Return an event that no other number has."""
    return {
        "event_id": f"chaos-{number}",
        "customer_id": customers[number % len(customers)],
        "kind": "visit",
        "occurred_at": FROZEN_AT - 1_000_000,
    }


def values() -> dict[str, Any]:
    """Return a value of each feature of the model that has a type simple enough."""
    of_type: dict[str, Any] = {"int": 3, "float": 2.5, "bool": True, "category": LEVELS[0]}
    features = CATALOG[MODEL].features
    return {f.name: of_type[f.dtype] for f in features if f.dtype in of_type and not f.levels}
