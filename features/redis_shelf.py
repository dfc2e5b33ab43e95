"""Generations of the store in Redis: keys under one prefix, and which generation is current."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar, cast

from features.draft import Draft
from features.errors import NoLogError, StoreError
from features.redis_client import connect, escaped, shown, talking
from features.redis_store import RedisDraft, RedisStore
from features.tiling import Background

PREFIX = "nextbest"
CURRENT, LOCK = b"CURRENT", b"FILLING"
PATIENCE = 600
"""Seconds after which a process that was filling and died no longer holds the lock."""
_CHUNK = 200
T = TypeVar("T")


class RedisShelf:
    """See `features.shelf.Shelf`.

    Parameters
    ----------
    background : Background
    url : str
        ``redis://host:port/db``.
    prefix : str
        What all keys begin with.
    patience : float, optional
        Seconds that Redis may keep silent, see `features.redis_client.connect`.
    """

    def __init__(
        self,
        background: Background,
        url: str,
        prefix: str = PREFIX,
        patience: float | None = None,
    ) -> None:
        self.background = background
        self._client = connect(url, patience)
        self._prefix = prefix.encode() + b":"
        self._token = uuid.uuid4().hex.encode()

    def open(self) -> RedisStore:
        """Return the current store."""
        name = self.stamp()
        if name is None:
            raise NoLogError(
                f"There is no online store in {shown(self._client)}.",
                remedy="Ingest a source, then fill the store: python -m features build",
            )
        return self.generation(name)

    def stamp(self) -> str | None:
        """Return the name of the current generation; None while there is none."""
        with talking(self._client):
            name = cast("bytes | None", self._client.get(self._prefix + CURRENT))
        return None if name is None else name.decode()

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Be the only one to fill a store here."""
        lock = self._prefix + LOCK
        with talking(self._client):
            memory = self._client.info("memory")
            if memory.get("maxmemory") and str(memory["maxmemory_policy"]).startswith("allkeys"):
                raise StoreError(
                    f"Redis at {shown(self._client)} forgets keys when its memory is full.",
                    remedy="Set its maxmemory-policy to noeviction.",
                )
            if not self._client.set(lock, self._token, nx=True, ex=PATIENCE):
                raise StoreError(
                    f"Another process is filling the online store in {shown(self._client)}.",
                    remedy=f"Wait until it has ended; {PATIENCE // 60} minutes if it was killed.",
                )
        try:
            yield
        finally:
            with talking(self._client):
                if self._client.get(lock) == self._token:
                    self._client.delete(lock)

    def create(self, name: str) -> None:
        """Begin an empty generation: nothing is there until something is put."""

    def write(self, name: str, work: Callable[[Draft], None]) -> None:
        """Write to a generation that nobody reads yet."""
        draft = RedisDraft(self._client, self._base(name))
        work(draft)
        with talking(self._client), self._client.pipeline(transaction=False) as pipe:
            draft.write(pipe)
            pipe.expire(self._prefix + LOCK, PATIENCE)
            pipe.execute()

    def generation(self, name: str) -> RedisStore:
        """Return the store of a generation."""
        return RedisStore(self._client, self._base(name), self.background)

    def point(self, name: str, draft: Any) -> None:
        """Make a generation the current one, in the transaction of a draft if there is one."""
        if draft is None:
            with talking(self._client):
                self._client.set(self._prefix + CURRENT, name)
        else:
            draft.written[self._prefix + CURRENT] = name.encode()

    def sweep(self, keep: Iterable[str]) -> Iterator[str]:
        """Remove all generations but some."""
        kept = {name.encode() for name in keep}
        gone: set[bytes] = set()
        with talking(self._client):
            found = self._client.scan_iter(escaped(self._prefix) + b"*:*", _CHUNK)
            for some in chunks(found):
                names = [key[len(self._prefix) :].split(b":", 1)[0] for key in some]
                old = [key for key, name in zip(some, names, strict=True) if name not in kept]
                if old:
                    self._client.unlink(*old)
                gone |= set(names) - kept
        yield from sorted(name.decode() for name in gone)

    def _base(self, name: str) -> bytes:
        return self._prefix + name.encode() + b":"


def chunks(some: Iterable[T]) -> Iterator[list[T]]:
    """Yield what is given in lists that one command of Redis can take."""
    rest = iter(some)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
