"""Several processes that answer on one port: started, started again when one dies, and stopped.

The parent answers nothing and holds no model. One poller serves all workers, and one socket: a
worker's death closes no door, and what waits at it is answered by the others.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from serving.champions.cache import has_champion
from serving.champions.child import PollerProcess
from serving.champions.registry_address import is_reachable
from serving.errors import CannotServeError
from serving.front.page import RESTARTS, Found, path_of, retire
from serving.listener import say_where
from serving.stopping import SIGNALS
from serving.workers.door import PAGE, Callers
from serving.workers.folder import run_folder

if TYPE_CHECKING:
    import socket
    from asyncio.subprocess import Process

    from serving.settings import ServingSettings

COMMAND = (sys.executable, "-m", "serving.workers.worker")
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 30.0
"""Who lived as long is started again at once, or nearly so."""
MOST_FAILURES = 5
"""Starts that fail one after the other while nobody serves, before the whole gives up."""
STOP_SECONDS = 90.0
"""What finishing requests and writing logs through may take, see the patience of each."""
INSIST_SECONDS = 1.0

log = structlog.get_logger("nextbest.workers")


class Workers:
    """Keeps a number of workers alive until told to stop.

    Parameters
    ----------
    number : int
    listener : socket
        Bound and listening; handed to each.
    folder : Path
        Of this run, see `serving.workers.folder`.
    home : Path
    command : sequence of str
        What starts a worker; it is given the socket's number, its place, the folder and the
        process of a poller to await, 0 for none.
    pause : float
        Seconds before the first start again.
    """

    def __init__(
        self,
        number: int,
        listener: socket.socket,
        folder: Path,
        home: Path,
        command: Sequence[str] = COMMAND,
        pause: float = SHORTEST_PAUSE,
    ) -> None:
        self._listener, self._folder, self._command = listener, folder, tuple(command)
        self._environment = os.environ | {"NEXTBEST_HOME": str(home.resolve())}
        self._pause = pause
        self._callers = Callers.create(folder / PAGE, number)
        self._ready = [asyncio.Event() for _ in range(number)]
        self._running: dict[int, Process] = {}
        self._stopping = asyncio.Event()
        self._failures = 0
        self._failure: CannotServeError | None = None

    def stop(self) -> None:
        """Have `run` end, once every worker has finished."""
        self._stopping.set()

    async def start(self, poller: int = 0) -> bool:
        """Start one worker, and the others once it serves; returns whether all came to serve.

        So what is compiled is compiled once, and what keeps a worker from starting is told once.
        """
        self._keepers = [asyncio.create_task(self._keep(0, poller))]
        if not await self._unless_stopped(self._ready[0]):
            return False
        others = range(1, len(self._ready))
        self._keepers += [asyncio.create_task(self._keep(place, 0)) for place in others]
        for place in others:
            if not await self._unless_stopped(self._ready[place]):
                return False
        return True

    async def run(self) -> None:
        """Keep them alive until told to stop.

        Raises
        ------
        CannotServeError
            They could not be started, or started again.
        """
        await self._stopping.wait()
        await self._end()
        await asyncio.gather(*self._keepers)
        self._callers.close()
        if self._failure is not None:
            raise self._failure

    async def _keep(self, place: int, poller: int) -> None:
        pause = self._pause
        while not self._stopping.is_set():
            began = time.monotonic()
            code, served = await self._live(place, poller)
            poller = 0  # who comes later finds what it brought
            if self._stopping.is_set():
                return
            log.warning("a worker ended", worker=place, code=code, served=served)
            self._failures = 0 if served else self._failures + 1
            if not served and self._is_hopeless():
                self._fail(code)
                return
            if time.monotonic() - began > STEADY_SECONDS:
                pause = self._pause
            await self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _live(self, place: int, poller: int) -> tuple[int, bool]:
        """Start one worker and wait for its end: how it ended, and whether it ever served."""
        process = await asyncio.create_subprocess_exec(
            *self._command, str(self._listener.fileno()), str(place), str(self._folder),
            str(poller), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=self._environment, pass_fds=(self._listener.fileno(),), start_new_session=True,
        )  # fmt: skip
        self._running[place] = process
        assert process.stdout is not None
        served = bool(await process.stdout.readline())
        if served:
            self._ready[place].set()
            log.info("a worker serves", worker=place, process=process.pid)
        code = await process.wait()
        del self._running[place]
        self._ready[place].clear()
        self._callers.leave(place)
        restarted: Found = {} if self._stopping.is_set() else {(RESTARTS,): [1.0]}
        retire(path_of(self._folder, place, process.pid), restarted)
        return code, served

    def _is_hopeless(self) -> bool:
        is_first = len(self._keepers) == 1
        nobody = not any(ready.is_set() for ready in self._ready)
        return is_first or (nobody and self._failures >= MOST_FAILURES)

    def _fail(self, code: int) -> None:
        if self._failure is None:
            self._failure = CannotServeError(
                f"No worker can be started; the last one ended with {code}.",
                remedy="What it said stands above; python -m serving --workers 1 says it too.",
            )
        self._stopping.set()

    async def _end(self) -> None:
        """Ask all to stop, again and again, and make those end that have not in good time."""
        until = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < until:
            for process in list(self._running.values()):
                process.terminate()  # one that was about to serve did not hear it
            waits = [asyncio.create_task(each.wait()) for each in self._running.values()]
            await asyncio.wait(waits, timeout=INSIST_SECONDS)
        for place, process in self._running.items():
            log.error("a worker did not stop and was killed", worker=place)
            process.kill()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _unless_stopped(self, event: asyncio.Event) -> bool:
        waits = [asyncio.create_task(each.wait()) for each in (event, self._stopping)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return not self._stopping.is_set()


def serve(settings: ServingSettings, listener: socket.socket) -> None:
    """Serve with `settings.workers` processes until a signal says to stop.

    Raises
    ------
    CannotServeError
        The workers cannot be started.
    """
    poller = PollerProcess(settings)
    with ExitStack() as held:
        held.callback(poller.stop)
        folder = held.enter_context(run_folder(settings.home))
        asyncio.run(_serve(settings, listener, folder, poller))


async def _serve(
    settings: ServingSettings, listener: socket.socket, folder: Path, poller: PollerProcess
) -> None:
    workers = Workers(settings.workers, listener, folder, settings.home)
    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, workers.stop)
    is_awaited = is_reachable(settings.tracking_uri) or not has_champion(settings.cache)
    if is_awaited:
        poller.start()
    else:
        log.warning("nobody listens at the registry's address; serving what the cache holds")
    serves = await workers.start(poller.pid)
    if not is_awaited:
        poller.start()
    keeping = asyncio.create_task(poller.keep_alive())
    if serves:
        say_where(listener)
    try:
        await workers.run()
    finally:
        keeping.cancel()
