"""One process that serves, the poller beside it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import structlog

from serving.champions.cache import has_champion
from serving.champions.child import PollerProcess
from serving.champions.registry_address import is_reachable
from serving.server import run
from serving.starting import started
from serving.stopping import Stopped, stoppable

if TYPE_CHECKING:
    import socket

    from serving.settings import ServingSettings

log = structlog.get_logger("nextbest.serving")


def serve(settings: ServingSettings, listener: socket.socket) -> None:
    """Start everything, serve until a signal says to stop, and stop everything.

    Raises
    ------
    NextbestError
        There is no online store, or no model has a champion.
    """
    poller = PollerProcess(settings)
    with ExitStack() as held:
        held.callback(poller.stop)
        try:
            with stoppable():
                is_awaited = is_reachable(settings.tracking_uri) or not has_champion(settings.cache)
                if is_awaited:
                    poller.start()
                polled = poller.await_first_poll if is_awaited else lambda: False
                app = held.enter_context(started(settings, polled))
                if not is_awaited:
                    poller.start()
            run(app, listener, beside=poller.keep_alive)
        except Stopped:
            log.info("stopped before it served")
