"""Redis as the online store talks to it: connected, and its failures said in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from features.errors import StoreError

if TYPE_CHECKING:
    from redis import Redis


def connect(url: str, patience: float | None = None) -> Redis:
    """Return a client for ``redis://host:port/db``.

    Parameters
    ----------
    url : str
    patience : float, optional
        Seconds that Redis may keep silent, after which nothing is tried again; by default the
        client's own, which is made to wait for a Redis that comes back.

    Raises
    ------
    StoreError
        The URL is none, or the package is not installed.
    """
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise StoreError(
            "The online store is to be Redis, but its client is not installed.",
            remedy="Install it: pip install 'nextbest[redis]'",
        ) from error
    waits: dict[str, Any] = {}
    if patience is not None:
        waits = {"socket_timeout": patience, "socket_connect_timeout": patience}
        waits["retry"] = Retry(NoBackoff(), 0)
    try:
        return Redis.from_url(url, **waits)
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
    from redis.exceptions import ConnectionError as LostError
    from redis.exceptions import RedisError, WatchError
    from redis.exceptions import TimeoutError as SilentError

    try:
        yield
    except WatchError:
        raise
    except RedisError as error:
        if isinstance(error, LostError | SilentError):
            # What one connection met the idle ones would meet as well, one after the other.
            client.connection_pool.disconnect(inuse_connections=False)
        raise StoreError(
            f"Redis at {shown(client)} does not do what the online store asks of it: {error}",
            remedy="Start it, or give it more memory; what was committed is not lost.",
        ) from error


def ask(client: Redis, *command: str | bytes) -> Any:
    """Return the answer to a command, on a connection itself: past what a client adds.

    Raises
    ------
    StoreError
    """
    from redis.exceptions import ConnectionError as LostError

    with talking(client):
        pool: Any = client.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_command(*command)
            return connection.read_response()
        except LostError:
            connection.disconnect()
        finally:
            pool.release(connection)
        # Redis was started again meanwhile, or closed an idle connection.
        return client.execute_command(*command)  # type: ignore[no-untyped-call]


def shown(client: Redis) -> str:
    """Return where a Redis is, without its password."""
    at = client.connection_pool.connection_kwargs
    return f"{at.get('host', at.get('path', '?'))}:{at.get('port', '')}/{at.get('db', 0)}"


def escaped(text: bytes) -> bytes:
    """Return a text as it stands in a pattern of Redis."""
    return b"".join(b"\\" + bytes([c]) if c in b"*?[]\\^" else bytes([c]) for c in text)
