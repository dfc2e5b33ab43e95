"""python -m serving: the API, with its poller beside it; `keys` says who may call."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import structlog
import uvicorn
from pydantic import ValidationError

from features.errors import NextbestError
from serving.access import command as keys_command
from serving.access.opened import Access
from serving.champions.absent import OF_NUMBA, absent
from serving.champions.cache import has_champion, told
from serving.champions.child import PollerProcess
from serving.champions.registry_address import is_reachable
from serving.errors import CannotServeError
from serving.front.telemetry import configure_logging
from serving.listener import BACKLOG, bind, check_host
from serving.settings import ServingSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from features.feature import Feature
    from features.ledger import Ledger
    from features.online import OnlineStore
    from serving.received.live_store import LiveStore

COLLECT_AT = (20_000, 20, 20)
"""Objects made and not freed; requests make no cycles."""
GRACE_SECONDS = 10
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger("nextbest.serving")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or run a command; returns 0, or 2 after saying why not."""
    arguments = vars(parser().parse_args(argv))
    command = arguments.pop("command")
    try:
        if command is not None:
            return COMMANDS[command](**arguments, settings=ServingSettings())
        given = {name: value for name, value in arguments.items() if value is not None}
        serve(ServingSettings(**given))
    except NextbestError as error:
        print(error, file=sys.stderr)
        return 2
    except ValidationError as error:
        for each in error.errors():
            print(f"{'.'.join(map(str, each['loc']))}: {each['msg']}", file=sys.stderr)
        print("Correct the option, or the NEXTBEST_... variable of that name.", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    made.add_argument("--host", help="by default 127.0.0.1; others need API keys")
    made.add_argument("--port", type=int, help="by default 8000; 0 takes a free one")
    commands = made.add_subparsers(dest="command", metavar="[replay | forget | keys]")
    replay = commands.add_parser("replay", help="compute a logged score again and compare it")
    replay.add_argument("score_id", help="`score_id` of an answer")
    forget = commands.add_parser("forget", help="delete logged scores")
    which = forget.add_mutually_exclusive_group(required=True)
    which.add_argument("--customer", help="those of one customer, by id")
    which.add_argument("--before", help="those served before a date or time (UTC)")
    keys_command.declare(commands.add_parser("keys", help="who may call"))
    return made


def replay(score_id: str, settings: ServingSettings, **_: object) -> int:
    """Compute a score again; returns 0 if it is the same, 1 if not."""
    from serving.served.replaying import run

    return run(score_id, settings)


def forget(customer: str | None, before: str | None, settings: ServingSettings, **_: object) -> int:
    """Delete logged scores; returns 0."""
    from serving.served.forgetting import run

    return run(customer, before, settings)


COMMANDS: dict[str, Callable[..., int]] = {
    "replay": replay,
    "forget": forget,
    "keys": keys_command.run,
}


def serve(settings: ServingSettings) -> None:
    """Start everything, serve, and stop everything.

    Raises
    ------
    CannotServeError
        The host is not allowed, or the port is taken.
    NextbestError
        There is no online store, or no model has a champion.
    """
    with ExitStack() as held:
        access = Access.open(settings)
        held.callback(access.close)
        check_host(settings.host, access.ring.has_active)
        listener = held.enter_context(closing(bind(settings.host, settings.port)))
        configure_logging()
        child = PollerProcess(settings)
        try:
            with stoppable():
                is_awaited = is_reachable(settings.tracking_uri) or not has_champion(settings.cache)
                if is_awaited:
                    child.start()
                # Compiles, while the child imports MLflow.
                store = held.enter_context(closing(open_store(settings)))
                if not (is_awaited and child.await_first_poll()):
                    log.warning("the registry has not answered yet; serving what the cache holds")
                ledger = held.enter_context(closing(open_ledger(settings, store)))
                store.catch_up(ledger)
                app = make_app(settings, store, ledger, access)
                if not is_awaited:
                    child.start()
            run(app, listener, child)
        except Stopped:
            log.info("stopped before it served")
        finally:
            child.stop()


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

    shelf = shelf_of(settings.home, settings.online_store)

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
    return Ledger.open(settings.home, settings.database_url or None, clock)


def make_app(
    settings: ServingSettings, store: LiveStore, ledger: Ledger, access: Access | None = None
) -> FastAPI:
    """Return the application with its champions loaded.

    Raises
    ------
    CannotServeError
        No model has a champion that can be verified.
    """
    from features.served import ServedStore
    from models.catalog import CATALOG
    from models.scores import SqlScoreStore, database_url
    from models.shapley.machine_code import compiled
    from serving.app import create_app
    from serving.champions.champions import Champions
    from serving.scores.moments import Moments

    compiled(settings.home / "numba")  # for reasons, before the first request
    champions = Champions(CATALOG, settings.cache)
    url = settings.database_url or None
    scores = SqlScoreStore(database_url(settings.home, url))
    served = ServedStore.open(settings.home, url) if settings.log_served else None
    clock = Moments(settings.clock, store).as_of
    app = create_app(
        settings, champions, store, scores, clock, ledger, served=served, access=access
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


class Stopped(BaseException):
    """A signal asked to stop while there was nothing to stop yet."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Make a signal end the block; after it, signals are uvicorn's.

    uvicorn raises a signal again once it has shut down, which by then must not end the process
    before the poller has been stopped: so what it comes back to does nothing.
    """

    def stop(number: int, frame: object) -> None:
        raise Stopped

    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in SIGNALS:
            signal.signal(number, lambda number, frame: None)


class Server(uvicorn.Server):
    """uvicorn, saying where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address: whoever reads it can call at once."""
        await super().startup(sockets)
        # What stands by now stays: to look through it again and again would cost each score some.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AT)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"Nextbest listens on http://{shown}:{port} (stop with Ctrl-C)", flush=True)


def run(app: FastAPI, listener: socket.socket, child: PollerProcess) -> None:
    """Serve until a signal says to stop, and keep the poller alive meanwhile."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        backlog=BACKLOG,
        lifespan="on",
        log_config=None,
        access_log=False,  # a line a request would cost more than a score, and name customers
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )

    async def serve_beside_child() -> None:
        keeping = asyncio.create_task(child.keep_alive())
        try:
            await Server(config).serve(sockets=[listener])
        finally:
            keeping.cancel()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve_beside_child())


if __name__ == "__main__":
    sys.exit(main())
