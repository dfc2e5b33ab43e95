from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from limits.errors import StorageError

from features.errors import BadInputError
from serving.access.keys import Key, make
from serving.access.rates import PRUNE_SECONDS, SLOW_SECONDS, Counts, Rates, limit_of
from serving.outside.breaker import RETRY_SECONDS

REDIS = "redis://127.0.0.1:6379/0"
SILENT = "redis://127.0.0.1:1/0"


def key_of(rate: str) -> Key:
    return make("crm", ["score"], now=5, rate=rate)[0]


def waits(rates: Rates, key: Key, times: int) -> list[bool]:
    """Whether each call is told to wait."""

    async def called() -> list[bool]:
        told = [await rates.seconds_to_wait(key) > 0 for _ in range(times)]
        await rates.close()
        return told

    return asyncio.run(called())


class Sometimes:
    """A shared store that lets all in while it answers."""

    def __init__(self) -> None:
        self.answers, self.asked = True, 0
        self.takes: Callable[[], None] = lambda: None

    async def hit(self, item: Any, *identifiers: str) -> bool:
        self.asked += 1
        if not self.answers:
            raise StorageError(ConnectionError())
        self.takes()
        return True

    def get_window_stats(self, item: Any, *identifiers: str) -> Coroutine[Any, Any, Any]:
        raise AssertionError


def test_each_key_is_let_in_as_often_as_its_own_rate_says() -> None:
    rates = Rates("3/hour")
    once, default = key_of("1/hour"), key_of("")
    assert waits(rates, once, 2) == [False, True]
    assert waits(rates, default, 4) == [False, False, False, True]
    assert waits(rates, key_of("1/hour"), 1) == [False]


def test_without_a_rate_nothing_is_counted() -> None:
    shared = Sometimes()
    assert waits(Rates("", shared), key_of(""), 50) == [False] * 50
    assert shared.asked == 0


def test_a_silent_store_refuses_nobody_and_is_asked_again_after_a_second() -> None:
    now, failures = [100.0], []
    shared = Sometimes()
    rates = Rates("2/hour", shared, lambda: failures.append(1), lambda: now[0])
    key = key_of("")
    assert waits(rates, key, 3) == [False] * 3
    shared.answers = False
    assert waits(rates, key, 3) == [False, False, True]  # counted here from the start
    assert (shared.asked, len(failures)) == (4, 1)
    now[0] += RETRY_SECONDS
    waits(rates, key, 2)
    assert (shared.asked, len(failures)) == (5, 2)
    shared.answers = True
    now[0] += RETRY_SECONDS
    assert waits(rates, key, 1) == [True]  # it is asked again beside the call, which counts here
    assert waits(rates, key, 5) == [False] * 5
    assert (shared.asked, len(failures)) == (11, 2)


def test_a_slow_store_is_waited_for_once_a_second_and_by_no_call() -> None:
    now = [100.0]
    shared = Sometimes()
    rates = Rates("2/hour", shared, clock=lambda: now[0])
    shared.takes = lambda: now.__setitem__(0, now[0] + 2 * SLOW_SECONDS)
    key = key_of("")
    assert waits(rates, key, 4) == [False, False, False, True]  # only the first was in Redis
    assert shared.asked == 1


def test_a_redis_that_nobody_started_refuses_nobody() -> None:
    failures: list[int] = []
    rates = Rates.open("2/hour", SILENT)
    rates.failed = lambda: failures.append(1)
    assert waits(rates, key_of(""), 3) == [False, False, True]
    assert len(failures) == 1


def test_windows_that_are_over_are_forgotten() -> None:
    now = [100.0]
    counts = Counts(lambda: now[0])
    counts.storage.incr("a window that ends at once", expiry=-1)
    counts.seconds_to_wait(limit_of("1/hour"), "crm")
    assert "a window that ends at once" in counts.storage.expirations
    now[0] += PRUNE_SECONDS
    assert counts.seconds_to_wait(limit_of("1/hour"), "crm") > 0
    assert "a window that ends at once" not in counts.storage.expirations
    assert "a window that ends at once" not in counts.storage.storage


@pytest.mark.services
def test_servers_that_share_a_redis_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    key = key_of("3/minute")._replace(id=uuid.uuid4().hex)
    monkeypatch.setattr("serving.access.rates.REDIS_SECONDS", 10.0)  # on a machine that is busy
    rates = [Rates.open("", REDIS, lambda: 0.0) for _ in range(2)]
    assert waits(rates[0], key, 2) == [False, False]
    assert waits(rates[1], key, 2) == [False, True]


@pytest.mark.parametrize("rate", ["many", "0/second", "3"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(BadInputError, match=r"rate|lets nothing in"):
        Rates(rate)


@pytest.mark.parametrize("store", ["", "memcached://127.0.0.1", "redis://127.0.0.1:port/0"])
def test_what_is_no_store_of_rates_is_refused(store: str) -> None:
    with pytest.raises(BadInputError, match="NEXTBEST_RATE_STORE"):
        Rates.open("", store)
