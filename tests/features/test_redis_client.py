"""Redis as the online store talks to it: what it says when something is wrong."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

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
