"""Nobody waits long for what is silent, and not everybody may wait at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from features.errors import StoreError, UnknownCustomerError
from serving.errors import BusyError
from serving.outside.breaker import RETRY_SECONDS, Breaker
from serving.outside.calls import Calls


class Store:
    """Answers when it is let, or fails."""

    def __init__(self) -> None:
        self.let, self.entered = threading.Event(), threading.Event()
        self.failure: Exception | None = None
        self.asked = 0

    def ask(self) -> str:
        self.asked += 1
        self.entered.set()
        assert self.let.wait(10)
        if self.failure is not None:
            raise self.failure
        return "jane"


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def told() -> list[bool]:
    return []


@pytest.fixture
def calls(now: list[float], told: list[bool]) -> Iterator[Calls]:
    made = Calls("store", StoreError, 3, Breaker(told.append, lambda: now[0]), threads=1)
    yield made
    made.close()


SILENT = StoreError("Redis hangs.", remedy="Wait.")


def test_the_event_loop_goes_on_while_an_answer_is_awaited(calls: Calls) -> None:
    store = Store()

    async def turns() -> str:
        asked = asyncio.create_task(calls.run(store.ask))
        while not store.entered.is_set():
            await asyncio.sleep(0)
        store.let.set()
        return await asked

    assert asyncio.run(turns()) == "jane"


def test_more_than_may_wait_are_told_to_come_back_and_find_room_afterwards(calls: Calls) -> None:
    store = Store()

    async def four() -> list[object]:
        asked = [asyncio.create_task(calls.run(store.ask)) for _ in range(4)]
        await asyncio.sleep(0)
        store.let.set()
        told = await asyncio.gather(*asked, return_exceptions=True)
        return [*told, await calls.run(store.ask)]

    *first, refused, last = asyncio.run(four())
    assert (first, last) == (["jane"] * 3, "jane")
    assert isinstance(refused, BusyError)


def test_what_waits_for_a_thread_behind_one_that_finds_silence_does_not_ask(calls: Calls) -> None:
    store = Store()
    store.failure = SILENT

    async def three() -> list[BaseException | str]:
        asked = [asyncio.create_task(calls.run(store.ask)) for _ in range(3)]
        await asyncio.sleep(0)
        store.let.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [type(each) for each in asyncio.run(three())] == [StoreError] * 3
    assert store.asked == 1


def test_what_is_silent_is_asked_once_a_second_until_it_answers(
    calls: Calls, now: list[float], told: list[bool]
) -> None:
    store = Store()
    store.let.set()
    store.failure = SILENT

    async def times(n: int) -> list[object]:
        one = [await asyncio.gather(calls.run(store.ask), return_exceptions=True) for _ in range(n)]
        return [each for (each,) in one]

    assert [type(each) for each in asyncio.run(times(5))] == [StoreError] * 5
    assert (store.asked, told) == (1, [False])
    now[0] += RETRY_SECONDS
    asyncio.run(times(5))
    assert store.asked == 2
    store.failure = None
    now[0] += RETRY_SECONDS
    assert asyncio.run(times(2)) == ["jane", "jane"]
    assert told == [False, True]


def test_that_there_is_no_such_customer_is_an_answer(calls: Calls, told: list[bool]) -> None:
    store = Store()
    store.let.set()
    store.failure = UnknownCustomerError("Nobody.", remedy="Check the id.")
    for _ in range(2):
        with pytest.raises(UnknownCustomerError):
            asyncio.run(calls.run(store.ask))
    assert (store.asked, told) == (2, [])
