"""The online store of several hosts: the same values as the embedded one, in Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from features import record
from features.errors import StoreError
from features.following import FollowingStore
from features.history import History
from features.record import Buffer
from features.store_meta import META, STATE, Meta, Progress, customer_key

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
    """

    def __init__(self, client: Redis, base: bytes) -> None:
        self._client = client
        self.base = base
        self._state = base + STATE
        self._pool: Any = client.connection_pool
        with talking(client):
            described = client.get(base + META)
        super().__init__(Meta.unpack(cast("bytes | None", described)))
        self.progress()

    @contextmanager
    def history(self, customer_id: str) -> Iterator[History | None]:
        """Return a context manager that gives what is stored of a customer; None for a stranger."""
        state, value = self._read(self._state, self.base + customer_key(customer_id))
        progress = self.follow(state or b"", self._get)
        yield None if value is None else History.of(record.decode(value), progress)

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
                    for key, value in draft.written.items():
                        pipe.set(key, value)
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
        """Return values in one round trip: on a connection itself, past what a client adds."""
        from redis.exceptions import ConnectionError as LostError

        with talking(self._client):
            connection = self._pool.get_connection()
            try:
                connection.send_command("MGET", *keys)
                return cast("list[bytes | None]", connection.read_response())
            except LostError:
                connection.disconnect()
            finally:
                self._pool.release(connection)
            # Redis was started again meanwhile, or closed an idle connection.
            return cast("list[bytes | None]", self._client.mget(keys))


class RedisDraft:
    """A transaction on its way; see `features.apply.Draft`."""

    def __init__(self, pipe: Any, base: bytes) -> None:
        self.written: dict[bytes, bytes] = {}
        self._pipe = pipe
        self._base = base
        self._fetched: dict[bytes, bytes | None] = {}

    def fetch(self, keys: Sequence[bytes]) -> None:
        """Read values that will be asked for, all at once."""
        full = [self._base + key for key in keys]
        if full:
            self._fetched.update(zip(full, self._pipe.mget(full), strict=True))

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


def connect(url: str) -> Redis:
    """Return a client for ``redis://host:port/db``.

    Raises
    ------
    StoreError
        The URL is none, or the package is not installed.
    """
    try:
        from redis import Redis
    except ImportError as error:
        raise StoreError(
            "The online store is to be Redis, but its client is not installed.",
            remedy="Install it: pip install 'nextbest[redis]'",
        ) from error
    try:
        return Redis.from_url(url)
    except ValueError as error:
        raise StoreError(
            f"NEXTBEST_ONLINE_STORE is no address of a Redis: {error}",
            remedy="Write it like redis://127.0.0.1:6379/0, or embedded.",
        ) from error


@contextmanager
def talking(client: Redis) -> Iterator[None]:
    """Say in plain words that Redis does not answer, or not as it should.

    Raises
    ------
    StoreError
    """
    from redis.exceptions import RedisError, WatchError

    try:
        yield
    except WatchError:
        raise
    except RedisError as error:
        raise StoreError(
            f"Redis at {shown(client)} does not do what the online store asks of it: {error}",
            remedy="Start it, or give it more memory; what was committed is not lost.",
        ) from error


def shown(client: Redis) -> str:
    """Return where a Redis is, without its password."""
    at = client.connection_pool.connection_kwargs
    return f"{at.get('host', at.get('path', '?'))}:{at.get('port', '')}/{at.get('db', 0)}"


def escaped(text: bytes) -> bytes:
    """Return a text as it stands in a pattern of Redis."""
    return b"".join(b"\\" + bytes([c]) if c in b"*?[]\\^" else bytes([c]) for c in text)
