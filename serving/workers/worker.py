"""One of several workers: python -m serving.workers.worker SOCKET PLACE FOLDER POLLER.

Started by `serving.workers.parent`, as a program anew: to fork what has run LightGBM, or has
threads, would hang sooner or later. It says when it can be called on its standard output, and ends
when its standard input does, hence also when the parent is killed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import structlog

from features.errors import NextbestError
from serving.champions.child import await_poll
from serving.front.page import Page, path_of
from serving.front.telemetry import Telemetry, configure_logging
from serving.server import run
from serving.settings import ServingSettings
from serving.starting import started
from serving.stopping import Stopped, stoppable
from serving.workers.door import PAGE, Callers, Door

READY = "ready"

log = structlog.get_logger("nextbest.serving")


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop; returns 0, or 2 after saying why it cannot."""
    listener = socket.socket(fileno=int(arguments[0]))
    place, folder, poller = int(arguments[1]), Path(arguments[2]), int(arguments[3])
    configure_logging()
    structlog.contextvars.bind_contextvars(worker=place)
    settings = ServingSettings()
    with ExitStack() as held:
        try:
            with stoppable():
                end_with_parent()
                polled = lambda: poller == 0 or await_poll(settings, poller)  # noqa: E731
                telemetry = Telemetry(Page(path_of(folder, place, os.getpid())))
                app = held.enter_context(started(settings, polled, telemetry))
            run(app, door=Door(listener, Callers(folder / PAGE), place), ready=say_ready)
        except Stopped:
            log.info("stopped before it served")
        except NextbestError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


def say_ready(listener: socket.socket) -> None:
    """Tell the parent."""
    print(READY, flush=True)


def end_with_parent() -> None:
    """Have this process told to stop when its standard input ends."""

    def wait() -> None:
        while os.read(0, 1):  # not through `sys.stdin`, whose lock an ending process wants
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
