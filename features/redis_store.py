"""The online store of several hosts: the same values as the embedded one, in Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from features import record
from features.following import FollowingStore
from features.history import History
from features.record import Buffer
from features.redis_client import ask, escaped, talking
from features.store_meta import META, STATE, Meta, Progress, customer_key, tiles_key
from features.tiling import Background

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")
_SCANNED = 1_000


class RedisStore(FollowingStore):
    """One generation of the store: all keys that begin with its prefix.

    Parameters
    ----------
    client : redis.Redis
        Answers in bytes.
    base : bytes
        What the generation's keys begin with.
    background : Background
    """

    distant = True

    def __init__(self, client: Redis, base: bytes, background: Background) -> None:
        self._client = client
        self.base = base
        self._state = base + STATE
        with talking(client):
            described = client.get(base + META)
        super().__init__(Meta.unpack(cast("bytes | None", described)), background)
        self.progress()

    @contextmanager
    def history(self, customer_id: str) -> Iterator[History | None]:
        """Return a context manager that gives what is stored of a customer; None for a stranger."""
        state, value = self._read(self._state, self.base + customer_key(customer_id))
        progress = self.follow(state or b"", self._get)
        yield (
            None
            if value is None
            else History.of(
                record.decode(value), progress, _Tiles(self._client, self.base, customer_id)
            )
        )

    def progress(self) -> Progress:
        """Return how far the store has followed the ledger, read now."""
        (state,) = self._read(self._state)
        return self.follow(state or b"", self._get)

    def transact(self, work: Callable[[Any], T]) -> T:
        """Return what `work` returns, all of its writes done; it may be called again.

        Whoever else changes the store in the meantime changes its state, and `work` begins anew.
        """
        from redis import WatchError

        while True:
            with talking(self._client), self._client.pipeline() as untyped:
                pipe: Any = untyped
                try:
                    pipe.watch(self._state)
                    draft = RedisDraft(pipe, self.base)
                    done = work(draft)
                    pipe.multi()
                    draft.write(pipe)
                    pipe.execute()
                except WatchError:
                    continue
                return done

    def customer_ids(self) -> list[str]:
        """Return everybody known, sorted."""
        found: list[bytes] = []
        start = len(self.base) + 1
        with talking(self._client):
            for letter in (b"c", b"n"):
                keys = [*self._client.scan_iter(escaped(self.base + letter) + b"*", _SCANNED)]
                named = letter == b"c" or not keys
                found += [k[start:] for k in keys] if named else self._values(keys)
        return sorted({name.decode() for name in found})

    def settle(self) -> None:
        """Do nothing: how Redis keeps what it holds is set there."""

    def close(self) -> None:
        """Give all connections back."""
        self._client.close()

    def _values(self, keys: list[bytes]) -> list[bytes]:
        return cast("list[bytes]", self._client.mget(keys))

    def _get(self, key: bytes) -> Buffer | None:
        return self._read(self.base + key)[0]

    def _read(self, *keys: bytes) -> list[bytes | None]:
        """Return values in one round trip."""
        return cast("list[bytes | None]", ask(self._client, "MGET", *keys))


class _Tiles:
    """The tiles of one customer: one hash."""

    def __init__(self, client: Any, base: bytes, customer_id: str) -> None:
        self._client = client
        self._key = base + tiles_key(customer_id)

    def get(self, names: Sequence[bytes]) -> list[Buffer | None]:
        """Return tiles by their names, in one round trip; None where there is none."""
        if not names:
            return []
        return cast("list[Buffer | None]", ask(self._client, "HMGET", self._key, *names))


class RedisDraft:
    """A transaction on its way; see `features.draft.Draft`."""

    def __init__(self, client: Any, base: bytes) -> None:
        self.written: dict[bytes, bytes] = {}
        self._client = client
        self._base = base
        self._fetched: dict[bytes, bytes | None] = {}
        self._dropped: list[bytes] = []
        self._tiles: dict[bytes, Mapping[bytes, bytes]] = {}

    def fetch(self, keys: Sequence[bytes]) -> None:
        """Read values that will be asked for, all at once."""
        full = [self._base + key for key in keys]
        if full:
            self._fetched.update(zip(full, self._client.mget(full), strict=True))

    def get(self, key: bytes) -> Buffer | None:
        """Return a value."""
        full = self._base + key
        if full in self.written:
            return self.written[full]
        if full not in self._fetched:
            self.fetch([key])
        return self._fetched[full]

    def put(self, key: bytes, value: bytes) -> None:
        """Write a value with all the others, at the end."""
        self.written[self._base + key] = value

    def tiles(self, customer_id: str) -> _Tiles:
        """Return what reads a customer's tiles."""
        return _Tiles(self._client, self._base, customer_id)

    def put_tiles(self, customer_id: str, tiles: Mapping[bytes, bytes]) -> None:
        """Write some of a customer's tiles at the end; an empty one is removed."""
        self._tiles[self._base + tiles_key(customer_id)] = tiles

    def drop_tiles(self, customer_id: str) -> None:
        """Remove all of a customer's tiles at the end, before others are written."""
        self._dropped.append(self._base + tiles_key(customer_id))

    def write(self, pipe: Any) -> None:
        """Put all that was written into a pipeline."""
        for key, value in self.written.items():
            pipe.set(key, value)
        if self._dropped:
            pipe.delete(*self._dropped)
        for key, tiles in self._tiles.items():
            gone = [name for name, value in tiles.items() if not value]
            kept = {name: value for name, value in tiles.items() if value}
            if gone:
                pipe.hdel(key, *gone)
            if kept:
                pipe.hset(key, mapping=kept)
