"""How often a key may call: counted in this process, or in a Redis that several servers share.

A Redis that does not answer, or slowly, refuses nobody. Each process then counts for itself, and
asks Redis once a second, beside the requests, whether it is back.

Source: limits' sliding window counter, https://limits.readthedocs.io/en/stable/strategies.html
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import structlog
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from features.errors import BadInputError
from serving.access.keys import Key
from serving.outside.breaker import Breaker

REDIS_SECONDS = 0.05
SLOW_SECONDS = 0.02
"""What takes longer is worse than what is counted alone: a score takes a fiftieth of it."""
PRUNE_SECONDS = 10.0
SCHEMES = ("redis://", "rediss://")

log = structlog.get_logger("nextbest.rates")


class Shared(Protocol):
    """Counts for several servers; `limits.aio.strategies` has it for Redis."""

    async def hit(self, item: RateLimitItem, *identifiers: str) -> bool:
        """Count one call, unless it is one too many."""
        ...

    async def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> Any:
        """Return when one more is let in, in seconds, and how many are left."""
        ...


@lru_cache(maxsize=1024)
def limit_of(rate: str) -> RateLimitItem:
    """Return a limit from how people write it.

    Raises
    ------
    BadInputError
        It is none.

    Examples
    --------
    >>> limit_of("100/second").amount
    100
    """
    try:
        limit = parse(rate)
    except ValueError as error:
        raise BadInputError(
            f"{rate!r} is no rate.", remedy="Write it like 100/second or 6000/minute."
        ) from error
    if limit.amount < 1:
        raise BadInputError(f"{rate!r} lets nothing in.", remedy="Revoke the key instead.")
    return limit


class NeverDue(threading.Timer):
    """In place of the timer that limits starts up to 100 times a second, a thread each time."""

    def is_alive(self) -> bool:
        """Return True: no other one is needed."""
        return True


class Counts:
    """Calls counted in this process.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.storage = MemoryStorage()
        self.storage.timer = NeverDue(0, lambda: None)
        self._limiter = SlidingWindowCounterRateLimiter(self.storage)
        self._clock, self._pruned_at = clock, clock()

    def seconds_to_wait(self, limit: RateLimitItem, key_id: str) -> int:
        """Count a call and return 0, or return the whole seconds until one more is let in."""
        if self._clock() - self._pruned_at >= PRUNE_SECONDS:
            self._pruned_at = self._clock()
            for name in list(self.storage.expirations):
                self.storage.get(name)  # forgets it where it is over
        if self._limiter.hit(limit, key_id):
            return 0
        return _until(self._limiter.get_window_stats(limit, key_id)[0])


class Rates:
    """Lets each key's calls in as often as its rate says.

    Parameters
    ----------
    default : str
        The rate of keys that have none of their own; empty for no limit.
    shared : Shared, optional
        By default this process counts alone.
    failed : callable
        Told of each time that `shared` did not answer.
    clock : callable
        Seconds that only grow.

    Raises
    ------
    BadInputError
        `default` is no rate.
    """

    def __init__(
        self,
        default: str = "",
        shared: Shared | None = None,
        failed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if default:
            limit_of(default)
        self._default, self._shared, self._clock = default, shared, clock
        self.failed = failed
        self._own: Counts | None = None
        self._breaker = Breaker(self._say, clock)
        self._trial: asyncio.Future[int | None] | None = None

    @classmethod
    def open(cls, default: str, store: str, clock: Callable[[], float] = time.monotonic) -> Rates:
        """Return rates counted in ``memory``, or in the Redis of a URL (asked at the first call).

        Raises
        ------
        BadInputError
            `store` is neither, or the client of Redis is not installed.
        """
        if store == "memory":
            return cls(default, clock=clock)
        if not store.startswith(SCHEMES):
            raise BadInputError(
                "NEXTBEST_RATE_STORE is neither memory nor the address of a Redis.",
                remedy="Write it like redis://127.0.0.1:6379/0.",
            )
        return cls(default, _redis(store), clock=clock)

    def rate_of(self, key: Key) -> str:
        """Return a key's rate; empty for none."""
        return key.rate or self._default

    async def seconds_to_wait(self, key: Key) -> int:
        """Count a call and return 0, or return the whole seconds until one more is let in."""
        rate = key.rate or self._default
        if not rate:
            return 0
        limit = limit_of(rate)
        if self._shared is not None and self._breaker.may_ask():
            if self._breaker.is_silent:
                self._trial = asyncio.ensure_future(self._asked(self._shared, limit, key.id))
            else:
                wait = await self._asked(self._shared, limit, key.id)
                if wait is not None:
                    return wait
        if self._own is None:
            self._own = Counts(self._clock)
        return self._own.seconds_to_wait(limit, key.id)

    async def close(self) -> None:
        """Give the connections to Redis back."""
        trial, self._trial = self._trial, None
        if trial is not None:
            await asyncio.wait([trial])
        storage = getattr(self._shared, "storage", None)
        if storage is not None:
            await storage.bridge.storage.aclose()

    async def _asked(self, shared: Shared, limit: RateLimitItem, key_id: str) -> int | None:
        """Count a call in Redis; return the seconds to wait, None where it does not answer."""
        asked_at = self._clock()
        try:
            wait = 0
            if not await shared.hit(limit, key_id):
                wait = _until((await shared.get_window_stats(limit, key_id))[0])
        except (StorageError, RuntimeError):  # the latter of uvloop: a connection that was reset
            self.failed()
            self._breaker.hear(answers=False)
            return None
        self._breaker.hear(answers=self._clock() - asked_at <= SLOW_SECONDS)
        return wait

    def _say(self, answers: bool) -> None:
        tell = log.info if answers else log.warning
        tell("shared rates answer again" if answers else "shared rates silent: counting here")


def _until(reset_at: float) -> int:
    return max(1, math.ceil(reset_at - time.time()))


def _redis(url: str) -> Shared:
    from limits.aio.storage import RedisStorage
    from limits.aio.strategies import SlidingWindowCounterRateLimiter as Limiter

    try:
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise BadInputError(
            "NEXTBEST_RATE_STORE is a Redis, but its client is not installed.",
            remedy="Install it: pip install 'nextbest[redis]'",
        ) from error
    options: dict[str, Any] = {
        "socket_timeout": REDIS_SECONDS,
        "socket_connect_timeout": REDIS_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "key_prefix": "nextbest:rates",
    }
    try:
        made = RedisStorage(
            f"async+{url}", wrap_exceptions=True, implementation="redispy", **options
        )
    except (ConfigurationError, ValueError) as error:
        raise BadInputError(
            f"NEXTBEST_RATE_STORE is no address of a Redis: {type(error).__name__}.",
            remedy="Write it like redis://127.0.0.1:6379/0.",
        ) from None
    return Limiter(made)
