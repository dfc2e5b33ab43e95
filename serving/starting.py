"""What a process opens before it can answer, each of it before the first request."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import structlog

from serving.access.opened import Access
from serving.champions.absent import OF_NUMBA, absent
from serving.champions.cache import told
from serving.errors import CannotServeError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from features.feature import Feature
    from features.ledger import Ledger
    from features.online import OnlineFeatures, OnlineStore
    from serving.front.telemetry import Telemetry
    from serving.received.live_store import LiveStore
    from serving.settings import ServingSettings

log = structlog.get_logger("nextbest.serving")


@contextmanager
def started(
    settings: ServingSettings, polled: Callable[[], bool], telemetry: Telemetry | None = None
) -> Iterator[FastAPI]:
    """Give the application, its champions loaded; what it holds is closed after the block.

    Parameters
    ----------
    settings : ServingSettings
    polled : callable
        Waits until the registry was asked once, and returns whether it was.
    telemetry : Telemetry, optional
        Where metrics are counted; by default by this process alone.

    Raises
    ------
    NextbestError
        There is no online store, or no model has a champion that can be verified.
    """
    with (
        closing(Access.open(settings)) as access,
        closing(open_store(settings)) as store,  # compiles, while the poller imports MLflow
        closing(open_ledger(settings, store)) as ledger,
    ):
        if not polled():
            log.warning("the registry has not answered yet; serving what the cache holds")
        store.catch_up(ledger)
        yield make_app(settings, store, ledger, access, telemetry)


def open_store(settings: ServingSettings) -> LiveStore:
    """Return the online store, its features compiled before the first request.

    Raises
    ------
    NoLogError
        Nothing has been ingested and built.
    """
    from features.jit import compiled
    from features.online import OnlineFeatures
    from features.shelf import shelf_of
    from models.catalog import CATALOG
    from serving.received.live_store import LiveStore

    shelf = shelf_of(settings.home, settings.online_store, patience=settings.store_seconds)

    def rows(opened: OnlineStore, features: Sequence[Feature]) -> OnlineFeatures:
        # The first time is before there are threads; from then on it is at hand.
        with absent(*(() if "numba" in sys.modules else OF_NUMBA)):
            return OnlineFeatures(opened, features, compiled(settings.home / "numba"))

    store = LiveStore(shelf.open, shelf.stamp, rows, CATALOG)
    store.open()
    return store


def open_ledger(settings: ServingSettings, store: LiveStore) -> Ledger:
    """Return where what is received is written.

    Raises
    ------
    DatabaseError
        The database cannot be opened, or does not answer.
    """
    from features.ledger import Ledger
    from serving.scores.moments import Moments

    clock = Moments(settings.clock, store).commit
    url, patience = settings.database_url or None, settings.database_seconds
    return Ledger.open(settings.home, url, clock, patience)


def make_app(
    settings: ServingSettings,
    store: LiveStore,
    ledger: Ledger,
    access: Access | None = None,
    telemetry: Telemetry | None = None,
) -> FastAPI:
    """Return the application with its champions loaded.

    Raises
    ------
    CannotServeError
        No model has a champion that can be verified.
    """
    from features.served import ServedStore
    from models.catalog import CATALOG
    from models.quick_trees import quickened
    from models.scores import SqlScoreStore, database_url
    from models.shapley.machine_code import compiled
    from serving.app import create_app
    from serving.champions.champions import Champions, load_champion
    from serving.scores.moments import Moments

    compiled(settings.home / "numba")  # for reasons, before the first request
    quicken = quickened if settings.tree_engine == "lignum" else None
    load = partial(load_champion, quicken=quicken)
    champions = Champions(CATALOG, settings.cache, load)
    url = settings.database_url or None
    patience = settings.database_seconds
    scores = SqlScoreStore(database_url(settings.home, url), patience=patience)
    served = ServedStore.open(settings.home, url, patience) if settings.log_served else None
    clock = Moments(settings.clock, store).as_of
    app = create_app(
        settings, champions, store, scores, clock, ledger, telemetry, served, access=access
    )
    app.state.parts.watch.look()
    if not champions.current():
        refused = [champions.refusal(model) for model in CATALOG]
        why = " ".join(refusal.reason for refusal in refused if refusal is not None)
        failure = told(settings.cache).get("failure")
        if failure is not None:
            why += f" The registry does not answer ({failure})."
        raise CannotServeError(
            f"No model has a champion to serve from {settings.home}. {why}".strip(),
            remedy="Train and promote: python -m training all --promote",
        )
    return app
