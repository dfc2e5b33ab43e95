"""Callers at one door come to be shared evenly, and nobody waits for who is busy."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.listener import bind
from serving.workers.door import NOBODY, Callers, Door


class Names(asyncio.Protocol):
    """Says which door let the caller in."""

    def __init__(self, door: Door, name: bytes) -> None:
        self._door, self._name = door, name

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(self._name)

    def connection_lost(self, error: Exception | None) -> None:
        self._door.left()


@pytest.fixture
def callers(tmp_path: Path) -> Iterator[Callers]:
    made = Callers.create(tmp_path / "callers", 2)
    yield made
    made.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with bind("127.0.0.1", 0) as made:
        yield made


def opened(listener: socket.socket, callers: Callers, place: int) -> Door:
    door = Door(socket.socket(fileno=socket.dup(listener.fileno())), callers, place)
    door.open(lambda: Names(door, b"%d" % place))
    return door


async def let_in(listener: socket.socket) -> tuple[int, asyncio.StreamWriter]:
    """Call, and return the place of the door that let us in, and what hangs up."""
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    return int(await asyncio.wait_for(reader.read(1), 10)), writer


async def hang_up(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.01)


def test_connections_that_stay_are_shared_evenly(callers: Callers, listener: socket.socket) -> None:
    async def call() -> None:
        doors = [opened(listener, callers, place) for place in (0, 1)]
        several = await asyncio.gather(*(let_in(listener) for _ in range(10)))
        assert sorted(place for place, _ in several) == [0] * 5 + [1] * 5
        assert list(callers.numbers) == [5, 5]
        await hang_up(*(writer for _, writer in several))
        assert list(callers.numbers) == [0, 0]
        for door in doors:
            door.close()
        assert list(callers.numbers) == [NOBODY, NOBODY]

    asyncio.run(call())


def test_who_has_fewer_callers_and_is_busy_keeps_nobody_waiting(
    callers: Callers, listener: socket.socket
) -> None:
    async def call() -> None:
        callers.numbers[1] = 0  # it serves, and never comes to the door
        door = opened(listener, callers, 0)
        several = [await let_in(listener) for _ in range(3)]
        assert [place for place, _ in several] == [0, 0, 0]
        await hang_up(*(writer for _, writer in several))
        door.close()

    asyncio.run(call())


def test_who_serves_no_longer_is_not_waited_for(callers: Callers, listener: socket.socket) -> None:
    async def call() -> None:
        doors = [opened(listener, callers, place) for place in (0, 1)]
        doors[1].close()
        doors[1].close()
        several = [await let_in(listener) for _ in range(3)]
        assert list(callers.numbers) == [3, NOBODY]
        await hang_up(*(writer for _, writer in several))
        doors[0].close()
        await doors[0].wait_closed()

    asyncio.run(call())
