from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from features.errors import BadInputError
from serving.access.keys import digest_of, make, matches, parts_of
from serving.access.ring import Ring
from serving.access.store import AccessStore, Act, UnknownKeyError
from tests.databases import postgres


@contextmanager
def sqlite(folder: Path) -> Iterator[tuple[str, str]]:
    yield f"sqlite:///{folder / 'access.db'}", "nextbest_"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], AccessStore]]:
    """Opens the store of one database, as another process would."""
    stores: list[AccessStore] = []
    database = sqlite(tmp_path) if request.param == "sqlite" else postgres()
    with database as (url, prefix):

        def opened() -> AccessStore:
            stores.append(AccessStore(url, prefix))
            return stores[-1]

        yield opened
        for store in stores:
            store.close()


def test_keys_are_kept_as_they_were_made(again: Callable[[], AccessStore]) -> None:
    first, _ = make("crm", ["score", "lists"], now=5, lifetime=10, rate="3/minute")
    second, _ = make("shop", ["events"], now=6)
    for key in (first, second):
        again().create(key, "user jane")
    assert again().all_keys() == [first, second]


def test_a_secret_is_nowhere_in_the_database(tmp_path: Path) -> None:
    key, token = make("crm", ["score"], now=5)
    with sqlite(tmp_path) as (url, _):
        store = AccessStore(url)
        store.create(key, "user jane")
        store.close()
    secret = token.split("_", 2)[2]
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert digest_of(secret).hex().encode() in kept


def test_revoking_is_done_once_and_recorded_once(again: Callable[[], AccessStore]) -> None:
    key, _ = make("crm", ["score"], now=5)
    again().create(key, "user jane")
    assert again().revoke(key.id, "user john", now=9)
    assert not again().revoke(key.id, "user john", now=11)
    assert [held.revoked_at for held in again().all_keys()] == [9]
    assert [(act.who, act.action, act.key_id) for act in again().acts()] == [
        ("user john", "keys revoke", key.id),
        ("user jane", "keys create", key.id),
    ]
    with pytest.raises(UnknownKeyError, match="keys list"):
        again().revoke("nobody", "user john", now=12)


def test_acts_are_read_as_they_were_recorded_the_latest_first(
    again: Callable[[], AccessStore],
) -> None:
    acts = [Act(n, "k", "crm", "POST /v1/events", f"r{n}", 200, {"sent": n}) for n in range(5)]
    store = again()
    store.record(acts[:2])
    store.record(acts[2:])
    assert again().acts() == acts[::-1]
    assert again().acts(limit=2) == [acts[4], acts[3]]


def test_no_two_keys_are_alike_and_only_its_own_secret_is_a_keys() -> None:
    made = [make("crm", ["score"], now=5) for _ in range(20)]
    assert len({key.id for key, _ in made}) == len({key.digest for key, _ in made}) == 20
    for key, token in made:
        assert parts_of(token) is not None
        opened = [other for other, _ in made if matches(other, token.split("_", 2)[2])]
        assert opened == [key]


@pytest.mark.parametrize(
    ("name", "scopes", "said"),
    [
        ("", ["score"], "no name"),
        ("a\nb", ["score"], "no name"),
        ("x" * 81, ["score"], "no name"),
        ("crm", [], "got none"),
        ("crm", ["score", "root"], "got root"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(name: str, scopes: list[str], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        make(name, scopes, now=5)


def test_a_key_ends_at_its_moments() -> None:
    key, _ = make("crm", ["score"], now=5, lifetime=10)
    assert [key.state(at) for at in (5, 14, 15)] == ["active", "active", "expired"]
    assert [key._replace(revoked_at=7).state(at) for at in (6, 7, 99)] == [
        "active",
        "revoked",
        "revoked",
    ]


def test_a_silent_database_changes_nothing_for_known_keys(tmp_path: Path) -> None:
    with sqlite(tmp_path) as (url, _):
        store = AccessStore(url)
        key, token = make("crm", ["score"], now=5)
        store.create(key, "user jane")
        ring = Ring(store, clock=lambda: 6)
        ring.look()
        store.close()
        for file in list(tmp_path.iterdir()):
            file.rename(file.with_name(f"{file.name}.away"))
        (tmp_path / "access.db").mkdir()  # nothing can be opened there
        ring.look()
        assert ring.find(token) == (key, "active")
        assert ring.has_active()
        assert ring.read_at == 6
        (tmp_path / "access.db").rmdir()
        for file in tmp_path.glob("*.away"):
            file.rename(file.with_name(file.name.removesuffix(".away")))
        other, second = make("shop", ["score"], now=5)
        store.create(other, "user jane")
        ring.look()
        assert ring.find(second) == (other, "active")
        store.close()


def test_a_service_that_had_a_key_needs_one_for_good() -> None:
    class Emptied:
        def __init__(self) -> None:
            self.keys = [make("crm", ["score"], now=5)[0]]

        def all_keys(self) -> list[object]:
            return list(self.keys)

    store = Emptied()
    ring = Ring(store)  # type: ignore[arg-type]
    assert not ring.required
    ring.look()
    assert ring.required
    store.keys.clear()
    ring.look()
    assert ring.required
    assert not ring.has_active()
