"""Redis as the online store talks to it: what it says when something is wrong."""

from __future__ import annotations

import builtins
import time
from pathlib import Path

import pytest

from benchmarks.chaos.proxy import Proxy
from features.errors import StoreError
from features.redis_client import ask, connect, escaped, shown
from features.redis_shelf import RedisShelf
from tests.features.shelves import REDIS, empty_store, shelf_in


@pytest.fixture
def shelf(tmp_path: Path):
    with shelf_in("redis", tmp_path) as found:
        yield found


@pytest.mark.services
def test_a_connection_that_was_closed_meanwhile_is_opened_anew(shelf: RedisShelf) -> None:
    store, other = empty_store(shelf), connect(REDIS)
    number = ask(store._client, "CLIENT", "ID")
    other.client_kill_filter(_id=str(number))
    assert store.get("jane") is None
    assert ask(store._client, "CLIENT", "ID") != number
    other.close()


@pytest.mark.services
def test_a_generation_that_is_gone_is_said(shelf: RedisShelf) -> None:
    with pytest.raises(StoreError, match="python -m features materialise"):
        shelf.generation("never filled")


@pytest.mark.services
def test_a_redis_that_forgets_keys_is_not_filled(
    shelf: RedisShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"maxmemory": 1 << 20, "maxmemory_policy": "allkeys-lru"}
    monkeypatch.setattr(shelf._client, "info", lambda section: told)
    with pytest.raises(StoreError, match="noeviction"), shelf.filling():
        pass


@pytest.mark.services
def test_a_redis_that_hangs_is_given_up_in_time_and_all_that_hung_with_it(
    shelf: RedisShelf,
) -> None:
    empty_store(shelf)
    with Proxy(6379) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/9"
        far = RedisShelf(shelf.background, url, shelf._prefix.decode()[:-1], patience=0.2)
        store = far.open()
        lines = [store._client.connection_pool.get_connection() for _ in range(3)]
        for line in lines:
            store._client.connection_pool.release(line)
        proxy.become("hang")
        started = time.monotonic()
        with pytest.raises(StoreError, match="Timeout"):
            _ = store.sequence
        assert time.monotonic() - started < 2.0
        assert (store.instant, store.last_instant) == (0, None)  # for which nobody is asked
        proxy.become("pass")
        assert store.sequence == 0
        store.close()


def test_an_error_never_shows_the_password() -> None:
    client = connect("redis://somebody:secret@127.0.0.1:1/3")
    assert shown(client) == "127.0.0.1:1/3"
    with pytest.raises(StoreError) as caught:
        ask(client, "GET", "x")
    assert "secret" not in str(caught.value)


def test_without_its_client_the_remedy_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "redis":
            raise ImportError(name)
        return known(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(StoreError, match=r"pip install 'nextbest\[redis\]'"):
        connect(REDIS)


def test_what_a_pattern_would_read_otherwise_is_escaped() -> None:
    assert escaped(b"a*[b]?") == rb"a\*\[b\]\?"
