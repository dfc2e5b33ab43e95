"""Brings the registry's champions to the cache: the only part of serving that knows MLflow.

It runs as a child process, so that MLflow's weight stays out of the worker. Each turn it asks the
registry which version is the champion of each model, downloads what the cache lacks and then
announces it. A registry that does not answer changes nothing: it is asked again.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import structlog

from serving.champions import cache
from serving.front.boundary import place
from serving.front.telemetry import configure_logging
from serving.shadows.challengers import ALIAS as CHALLENGER
from serving.shadows.challengers import shadowed

log = structlog.get_logger("nextbest.poller")


class Registry(Protocol):
    """What the poller asks of `models.registry.Registry`."""

    def resolve(self, model: str, alias: str = ..., /) -> str | None:
        """Return the version that an alias (by default champion) names, None if none is."""
        ...

    def download(self, model: str, version: str, destination: Path) -> Path:
        """Copy a version's bundle to a folder, which appears whole or not at all."""
        ...


class Poller:
    """Asks the registry and keeps the cache.

    Parameters
    ----------
    connect : callable
        Returns the registry; called again until it succeeds.
    models : iterable of str
    folder : Path
        The cache, see `serving.champions.cache`.
    is_whole : callable
        Whether a bundle found in the cache is as it was published; asked once, and one that is
        not is downloaded again.
    wall : callable
        Seconds since 1970.
    shadowed : iterable of str
        Models whose challenger is brought too.
    """

    def __init__(
        self,
        connect: Callable[[], Registry],
        models: Iterable[str],
        folder: Path,
        is_whole: Callable[[Path], bool] = Path.is_dir,
        wall: Callable[[], float] = time.time,
        shadowed: Iterable[str] = (),
    ) -> None:
        self._shadowed = tuple(shadowed)
        self._connect = connect
        self._models = tuple(models)
        self._folder = folder
        self._is_whole = is_whole
        self._wall = wall
        self._seen: set[Path] = set()
        self._unbrought: set[tuple[str, str]] = set()
        self._registry: Registry | None = None
        self._failure: str | None = None
        self._answered_at = int(cache.told(folder).get("answered_at", 0))

    def poll(self) -> bool:
        """Ask once about every model; returns whether the registry answered.

        A failure is logged when it begins and when it ends, and told to the worker.
        """
        failure: str | None = None
        try:
            if self._registry is None:
                self._registry = self._connect()
            for model in self._models:
                version = self._registry.resolve(model)
                if version is not None:
                    self._bring(self._registry, model, version, cache.CHAMPION)
            for model in self._shadowed:
                version = self._registry.resolve(model, CHALLENGER)
                self._bring_challenger(self._registry, model, version)
            self._answered_at = int(self._wall() * cache.MICROS)
        except Exception as error:  # the boundary: whatever a registry raises, serving goes on
            failure = type(error).__name__
            if failure != self._failure:
                log.warning("registry does not answer", **place(error))
        if failure is None and self._failure is not None:
            log.info("registry answers again")
        self._failure = failure
        cache.tell(self._folder, self._answered_at, failure)
        return failure is None

    def run(self, stop: threading.Event, seconds: float) -> None:
        """Poll until told to stop, one turn each `seconds`."""
        while not stop.is_set():
            started = time.monotonic()
            self.poll()
            stop.wait(max(0.0, seconds - (time.monotonic() - started)))

    def _bring_challenger(self, registry: Registry, model: str, version: str | None) -> None:
        """Bring a challenger; one that cannot be had is no failure of the registry."""
        if version is None:
            if cache.announced(self._folder, model, CHALLENGER) is not None:
                cache.announce(self._folder, model, None, CHALLENGER)
            return
        try:
            self._bring(registry, model, version, CHALLENGER)
            self._unbrought.discard((model, version))
        except Exception as error:  # the boundary, as in `poll`
            if (model, version) not in self._unbrought:
                self._unbrought.add((model, version))
                log.warning("challenger not brought", model=model, version=version, **place(error))

    def _bring(self, registry: Registry, model: str, version: str, alias: str) -> None:
        bundle = self._folder / model / version
        if bundle not in self._seen:
            if bundle.is_dir() and not self._is_whole(bundle):
                log.warning("a bundle in the cache was damaged", model=model, version=version)
                shutil.rmtree(bundle)
            if not bundle.is_dir():
                bundle.parent.mkdir(parents=True, exist_ok=True)
                registry.download(model, version, bundle)
            self._seen.add(bundle)
        if cache.announced(self._folder, model, alias) != version:
            cache.announce(self._folder, model, version, alias)
            log.info(f"{alias} announced", model=model, version=version)


def is_whole(folder: Path) -> bool:
    """Return whether every file of a bundle has the hash it was published with."""
    from models.bundle import Bundle, BundleError

    try:
        Bundle.load(folder)
    except (BundleError, OSError):
        return False
    return True


def main() -> int:
    """Poll until standard input ends, which it does when the parent stops or dies."""
    from models.catalog import CATALOG
    from models.registry import prepare
    from serving.settings import ServingSettings

    configure_logging()
    settings = ServingSettings()
    stop = threading.Event()

    def await_parent() -> None:
        sys.stdin.buffer.read()
        stop.set()

    threading.Thread(target=await_parent, daemon=True).start()

    def connect() -> Registry:
        return prepare(settings.home, settings.tracking_uri or None)

    shadows = shadowed(settings.shadows, CATALOG)
    poller = Poller(connect, CATALOG, settings.cache, is_whole, shadowed=shadows)
    poller.run(stop, settings.poll_seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
