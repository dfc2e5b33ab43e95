"""Brings the registry's champions to the cache: the only part of serving that knows MLflow.

It runs as a child process, so that MLflow's weight stays out of the worker. Each turn it asks the
registry which version is the champion of each model, downloads what the cache lacks and then
announces it. A registry that does not answer changes nothing: it is asked again.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import structlog

from serving.champions import announced
from serving.telemetry import configure_logging, place

MICROS = 1_000_000
PARTIAL = ".partial-"

log = structlog.get_logger("nextbest.poller")


class Registry(Protocol):
    """What the poller asks of `models.registry`."""

    def champion(self, model: str) -> str | None:
        """Return the version that carries the alias, None if none does."""
        ...

    def download(self, model: str, version: str, folder: Path) -> None:
        """Write the files of a version's bundle into a folder."""
        ...


class Poller:
    """Asks the registry and keeps the cache.

    Parameters
    ----------
    connect : callable
        Returns the registry; called again until it succeeds.
    models : iterable of str
    cache : Path
        `<cache>/<model>/<version>/` are bundles, `<cache>/<model>/champion.json` says which.
    wall : callable
        Seconds since 1970.
    """

    def __init__(
        self,
        connect: Callable[[], Registry],
        models: Iterable[str],
        cache: Path,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._connect = connect
        self._models = tuple(models)
        self._cache = cache
        self._wall = wall
        self._registry: Registry | None = None
        self._failure: str | None = None

    def poll(self) -> bool:
        """Ask once about every model; returns whether the registry answered.

        A failure is logged when it begins, and told to the worker by the status file.
        """
        failure: str | None = None
        try:
            if self._registry is None:
                self._registry = self._connect()
            for model in self._models:
                version = self._registry.champion(model)
                if version is not None:
                    self._bring(self._registry, model, version)
        except Exception as error:  # the boundary: whatever a registry raises, serving goes on
            failure = type(error).__name__
            if failure != self._failure:
                log.warning("registry does not answer", **place(error))
        if failure is None and self._failure is not None:
            log.info("registry answers again")
        self._failure = failure
        self._tell(failure)
        return failure is None

    def run(self, stop: threading.Event, seconds: float) -> None:
        """Poll until told to stop, one turn each `seconds`."""
        for folder in self._cache.glob(f"*/{PARTIAL}*"):
            shutil.rmtree(folder)  # left by a poller that was killed
        while not stop.is_set():
            started = time.monotonic()
            self.poll()
            stop.wait(max(0.0, seconds - (time.monotonic() - started)))

    def _bring(self, registry: Registry, model: str, version: str) -> None:
        home = self._cache / model
        folder = home / version
        if announced(home) == version and folder.is_dir():
            return
        if not folder.is_dir():
            partial = home / f"{PARTIAL}{version}-{os.getpid()}"
            partial.mkdir(parents=True)
            try:
                registry.download(model, version, partial)
                partial.rename(folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        replace(home / "champion.json", {"model": model, "version": version})
        log.info("champion announced", model=model, version=version)

    def _tell(self, failure: str | None) -> None:
        before = status(self._cache)
        answered = before.get("answered_at", 0) if failure else int(self._wall() * MICROS)
        self._cache.mkdir(parents=True, exist_ok=True)
        members = {"pid": os.getpid(), "answered_at": answered, "failure": failure}
        replace(self._cache / "poller.json", members)


def status(cache: Path) -> dict[str, Any]:
    """Return what the poller last said: pid, answered_at (microseconds UTC), failure; else {}."""
    try:
        members: dict[str, Any] = json.loads((cache / "poller.json").read_bytes())
    except FileNotFoundError:
        return {}
    return members


def replace(path: Path, members: dict[str, Any]) -> None:
    """Write a small JSON file so that a reader sees the old one or the new one, never a part."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(members))
    partial.replace(path)


def main() -> int:
    """Poll until standard input ends, which it does when the parent stops or dies."""
    from models.catalog import CATALOG
    from serving.mlflow_registry import MlflowRegistry
    from serving.settings import ServingSettings

    configure_logging()
    settings = ServingSettings()
    stop = threading.Event()

    def await_parent() -> None:
        sys.stdin.buffer.read()
        stop.set()

    threading.Thread(target=await_parent, daemon=True).start()
    poller = Poller(lambda: MlflowRegistry(settings.home), CATALOG, settings.cache)
    poller.run(stop, settings.poll_seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
