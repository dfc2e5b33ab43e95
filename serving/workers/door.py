"""One door for several workers: whoever has the fewest callers lets the next one in.

The kernel gives waiting connections to whoever asks first, or by their addresses' hash; both leave
one worker with most of a few connections that stay, and one processor idle. So the workers count
their connections in a page that all of them see.
"""

from __future__ import annotations

import asyncio
import mmap
import socket
from collections.abc import Callable
from pathlib import Path

NOBODY = -1
"""In a place of the page whose worker does not serve."""
YIELD_SECONDS = 0.005
"""How long a worker with more callers than another leaves a new one to it."""
AGAIN_SECONDS = 0.1
WIDTH = 8
PAGE = "callers"
"""What the page is called in the folder of a run."""


class Callers:
    """How many connections each worker has, where every one of them sees it.

    Parameters
    ----------
    path : Path
        Of a file that the parent made with `create`.

    Attributes
    ----------
    numbers : memoryview of int64
        One a place; each is written by its worker, and by the parent while there is none.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 0)
        self.numbers = memoryview(self._page).cast("q")

    @classmethod
    def create(cls, path: Path, workers: int) -> Callers:
        """Return the page of so many places, nobody in any."""
        path.write_bytes(bytes(WIDTH * workers))
        made = cls(path)
        for place in range(workers):
            made.leave(place)
        return made

    def leave(self, place: int) -> None:
        """Say that nobody serves in a place."""
        self.numbers[place] = NOBODY

    def close(self) -> None:
        """Give the page back."""
        self.numbers.release()
        self._page.close()


class Door:
    """Takes connections from a listening socket that other processes take them from as well.

    Parameters
    ----------
    listener : socket
        Closed with the door.
    callers : Callers
    place : int
        Of this worker in it.

    Attributes
    ----------
    listener : socket
    """

    def __init__(self, listener: socket.socket, callers: Callers, place: int) -> None:
        listener.setblocking(False)
        self.listener = listener
        self._callers, self._numbers, self._place = callers, callers.numbers, place
        self._make: Callable[[], asyncio.Protocol] = asyncio.Protocol
        self._greeting: set[asyncio.Task[None]] = set()
        self._is_open = False

    def open(self, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        """Let callers in from now on, a protocol each; each must tell `left` when it ends."""
        self._make = make_protocol
        self._numbers[self._place] = 0
        self._is_open = True
        self._listen()

    def left(self) -> None:
        """Count one connection less."""
        if self._numbers[self._place] > 0:
            self._numbers[self._place] -= 1

    def close(self) -> None:
        """Let nobody in any more; who is in stays."""
        if self._is_open:
            self._is_open = False
            asyncio.get_running_loop().remove_reader(self.listener)
            self._callers.leave(self._place)
        self.listener.close()

    async def wait_closed(self) -> None:
        """Wait for callers who were let in and not greeted yet."""
        await asyncio.gather(*self._greeting)

    def _listen(self) -> None:
        if self._is_open:
            asyncio.get_running_loop().add_reader(self.listener, self._knock)

    def _knock(self) -> None:
        fewest = min(number for number in self._numbers if number != NOBODY)
        if self._numbers[self._place] > fewest:
            self._pause(YIELD_SECONDS)
        else:
            self._take()

    def _pause(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.listener)
        loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        if self._is_open:
            self._listen()
            self._take()  # who has fewer callers may be busy, and nobody is to wait for that

    def _take(self) -> None:
        try:
            caller, _ = self.listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the caller went away
        except OSError:  # no more files may be open: to try at once would try for ever
            self._pause(AGAIN_SECONDS)
            return
        caller.setblocking(False)
        if caller.family != socket.AF_UNIX:
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._numbers[self._place] += 1
        greeting = asyncio.ensure_future(self._greet(caller))
        self._greeting.add(greeting)
        greeting.add_done_callback(self._greeting.discard)

    async def _greet(self, caller: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(self._make, caller)
        except OSError:  # it went away meanwhile
            caller.close()
            self.left()
