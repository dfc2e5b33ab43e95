"""Questions to a database or to Redis while a request waits: in threads, and never too many.

The event loop answers scores, so it never waits for a socket. A request that does holds a place of
its own kind: when those are taken the next one is told to come back, and requests that need nobody
else still find room.

Source: Nygard, Release It!, 2nd ed., chapter 5, Bulkheads and Fail Fast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from features.errors import NextbestError
from serving.errors import BusyError
from serving.outside.breaker import Breaker

T = TypeVar("T")
THREADS = 8


class Calls:
    """Asks one thing outside of the process.

    Parameters
    ----------
    what : str
        As callers are told of it: "database".
    silence : type of NextbestError
        What is raised where it does not answer.
    most : int
        Requests that may wait for it at once.
    breaker : Breaker
    threads : int
    """

    def __init__(
        self,
        what: str,
        silence: type[NextbestError],
        most: int,
        breaker: Breaker,
        threads: int = THREADS,
    ) -> None:
        self._what, self._silence, self._most = what, silence, most
        self.breaker = breaker
        self._waiting = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=what.replace(" ", "-"))

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, done in a thread.

        Raises
        ------
        BusyError
            As many wait as may.
        NextbestError
            Of the type `silence`: it does not answer, or did not just now and is left alone.
        """
        if not self.breaker.may_ask():
            raise self._unasked()
        if self._waiting >= self._most:
            raise BusyError(
                f"{self._most:,} requests wait for the {self._what} already.",
                remedy="Send it again after the seconds in Retry-After.",
            )
        tries_again = self.breaker.is_silent

        def turn() -> T:
            if self.breaker.is_silent and not tries_again:  # since this waits for its thread
                raise self._unasked()
            return self._heard(work)

        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, turn)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Start nothing any more, and wait for what is under way: it holds connections."""
        self._threads.shutdown(cancel_futures=True)

    def _heard(self, work: Callable[[], T]) -> T:
        try:
            done = work()
        except self._silence:
            self.breaker.hear(answers=False)
            raise
        except NextbestError:  # an answer too, such as that there is no such customer
            self.breaker.hear(answers=True)
            raise
        self.breaker.hear(answers=True)
        return done

    def _unasked(self) -> NextbestError:
        return self._silence(
            f"The {self._what} did not answer just now.",
            remedy="Send it again after the seconds in Retry-After.",
        )
