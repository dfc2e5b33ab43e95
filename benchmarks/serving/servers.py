"""The servers that are compared: python -m benchmarks.serving.servers NAME HOME PORT."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

from serving.listener import bind
from serving.server import Server
from serving.workers.door import PAGE, Callers, Door
from serving.workers.folder import run_folder
from serving.workers.parent import Workers
from serving.workers.worker import end_with_parent, say_ready

OURS = ("ours", "logged")


def noop(home: Path) -> FastAPI:
    """Return the limit: FastAPI that awaits the body and gives a fixed answer."""
    app = FastAPI()
    fixed = b'{"model":"churn","score":50.0}' + b" " * 600

    @app.post("/v1/scores/churn")
    async def answer(request: Request) -> Response:
        await request.body()
        return Response(fixed, media_type="application/json")

    return app


def ours(home: Path, log_served: float = 0.0) -> FastAPI:
    """Return this service with the model published in a home, and its online store if any."""
    from benchmarks.serving.model import spec
    from features.jit import compiled
    from features.ledger import Ledger
    from features.online import OnlineFeatures
    from features.served import ServedStore
    from features.shelf import shelf_of
    from models.scores import SqlScoreStore
    from serving.app import create_app
    from serving.champions.champions import Champions
    from serving.received.live_store import LiveStore
    from serving.scores.moments import Moments
    from serving.settings import ServingSettings

    settings = ServingSettings(home=home, log_served=log_served)
    specs = {"churn": spec()}
    shelf = shelf_of(home, "embedded")
    store = LiveStore(
        shelf.open, shelf.stamp,
        lambda opened, features: OnlineFeatures(opened, features, compiled(home / "numba")), specs,
    )  # fmt: skip
    moments = Moments("auto", store)
    return create_app(
        settings, Champions(specs, home / "cache"), store, SqlScoreStore("sqlite://"),
        moments.as_of if store_is_there(store) else lambda: time.time_ns() // 1000,
        Ledger.open(home, clock=moments.commit), served=ServedStore.open(home),
    )  # fmt: skip


def logged(home: Path) -> FastAPI:
    """Return this service, logging every score and refusing what it could not log."""
    return ours(home, log_served=1.0)


def store_is_there(store: Any) -> bool:
    """Open the online store; return whether there is one."""
    return bool(store.refresh())


def tutorial(home: Path) -> FastAPI:
    """Return what tutorials show: pydantic, a DataFrame a request, scikit-learn's interface."""
    import joblib
    import pandas as pd

    from benchmarks.serving.model import PICKLED

    model = joblib.load(home / "cache" / PICKLED)
    app = FastAPI()

    @app.post("/v1/scores/churn")
    def answer(body: dict[str, dict[str, float]]) -> dict[str, float]:
        frame = pd.DataFrame([body["features"]])
        return {"probability": float(model.predict_proba(frame)[0, 1])}

    return app


SERVERS = {"noop": noop, "ours": ours, "logged": logged, "tutorial": tutorial}


def config_of(name: str, home: Path, port: int = 0) -> uvicorn.Config:
    """Return how a server is run."""
    return uvicorn.Config(
        SERVERS[name](home), port=port, loop="uvloop", http="httptools", ws="none",
        access_log=False, log_level="warning", server_header=name not in OURS,
    )  # fmt: skip


async def several(name: str, home: Path, port: int, number: int) -> None:
    """Serve from so many workers, by what the service itself serves with."""
    command = (sys.executable, "-m", "benchmarks.serving.servers", "worker", name, str(home))
    with closing(bind("127.0.0.1", port)) as listener, run_folder(home) as folder:
        workers = Workers(number, listener, folder, home, command)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, workers.stop)
        if await workers.start():
            ready_file(home, name, number).touch()
        await workers.run()


def ready_file(home: Path, name: str, number: int) -> Path:
    """Return the file that is there once all of several workers serve."""
    return home / f"{name}-{number}.ready"


def worker(name: str, home: str, listener: str, place: str, folder: str, _: str) -> None:
    """Be one of them."""
    end_with_parent()
    door = Door(socket.socket(fileno=int(listener)), Callers(Path(folder) / PAGE), int(place))
    Server(config_of(name, Path(home)), say_ready, door).run(sockets=[])


if __name__ == "__main__":
    name, *given = sys.argv[1:]
    if name == "worker":
        worker(*given)
    elif len(given) == 3:
        asyncio.run(several(name, Path(given[0]), int(given[1]), int(given[2])))
    else:
        made = config_of(name, Path(given[0]), int(given[1]))
        (Server if name in OURS else uvicorn.Server)(made).run()
