"""The online store of a single host: an LMDB file that all of its processes read and write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from features import record
from features.following import FollowingStore
from features.history import History
from features.lmdb_file import LmdbFile
from features.record import Buffer
from features.store_meta import META, STATE, Meta, Progress, customer_key, tiles_key
from features.tiling import Background

T = TypeVar("T")


class EmbeddedStore(FollowingStore):
    """One generation of the store, in a folder of its own.

    Records are read where they lie in the file: nothing is copied, and several processes share
    the pages. One process at a time writes; a change is there for all once :meth:`transact`
    returned.

    Parameters
    ----------
    file : LmdbFile
    background : Background
    """

    def __init__(self, file: LmdbFile, background: Background) -> None:
        self.file = file
        with file.reading() as txn:
            super().__init__(Meta.unpack(txn.get(META)), background)
            self.follow(txn.get(STATE) or b"", txn.get)

    def history(self, customer_id: str) -> _Reading:
        """Return a context manager that gives what is stored of a customer; None for a stranger.

        What it gives lies in the file and is valid inside the ``with`` only.
        """
        return _Reading(self, customer_id)

    def progress(self) -> Progress:
        """Return how far the store has followed the ledger, read now."""
        with self.file.reading() as txn:
            return self.follow(txn.get(STATE) or b"", txn.get)

    def transact(self, work: Callable[[Any], T]) -> T:
        """Return what `work` returns, all of its writes done; it may be called again."""
        return self.file.write(lambda txn: work(EmbeddedDraft(txn)))

    def customer_ids(self) -> list[str]:
        """Return everybody known, sorted."""
        found = []
        with self.file.reading() as txn, txn.cursor() as cursor:
            for letter in (b"c", b"n"):
                more = cursor.set_range(letter)
                while more and (key := bytes(cursor.key())).startswith(letter):
                    found.append(key[1:] if letter == b"c" else bytes(cursor.value()))
                    more = cursor.next()
        return sorted(name.decode() for name in found)

    def settle(self) -> None:
        """Write everything through to the disk: the store as it is then outlives a crash."""
        self.file.sync()

    def close(self) -> None:
        """Write everything through to the disk; the file itself is closed when nobody reads it."""
        self.settle()


class _Tiles:
    """The tiles of one customer in a transaction."""

    __slots__ = ("_begin", "_txn")

    def __init__(self, txn: Any, customer_id: str) -> None:
        self._txn = txn
        self._begin = tiles_key(customer_id)

    def get(self, names: Sequence[bytes]) -> list[Buffer | None]:
        """Return tiles by their names; None where there is none."""
        return [self._txn.get(self._begin + name) for name in names]


class EmbeddedDraft:
    """A write transaction of LMDB; see `features.draft.Draft`."""

    def __init__(self, txn: Any) -> None:
        self._txn = txn
        self.get: Callable[[bytes], Buffer | None] = txn.get
        self.put: Callable[[bytes, bytes], Any] = txn.put

    def fetch(self, keys: Sequence[bytes]) -> None:
        """Do nothing: a value is read where it lies."""

    def tiles(self, customer_id: str) -> _Tiles:
        """Return what reads a customer's tiles."""
        return _Tiles(self._txn, customer_id)

    def put_tiles(self, customer_id: str, tiles: Mapping[bytes, bytes]) -> None:
        """Write some of a customer's tiles; an empty one is removed."""
        begin = tiles_key(customer_id)
        for name, value in tiles.items():
            if value:
                self._txn.put(begin + name, value)
            else:
                self._txn.delete(begin + name)

    def drop_tiles(self, customer_id: str) -> None:
        """Remove all of a customer's tiles."""
        begin = tiles_key(customer_id)
        with self._txn.cursor() as cursor:
            while cursor.set_range(begin) and bytes(cursor.key()).startswith(begin):
                cursor.delete()


class _Reading:
    """One customer's history for as long as a read transaction lasts."""

    __slots__ = ("_customer", "_store", "_txn")

    def __init__(self, store: EmbeddedStore, customer_id: str) -> None:
        self._store = store
        self._customer = customer_id

    def __enter__(self) -> History | None:
        store = self._store
        txn = self._txn = store.file.begin()
        try:
            progress = store.follow(txn.get(STATE) or b"", txn.get)
            value = txn.get(customer_key(self._customer))
            return (
                None
                if value is None
                else History.of(record.decode(value), progress, _Tiles(txn, self._customer))
            )
        except BaseException:
            store.file.end(txn)
            raise

    def __exit__(self, *_: object) -> None:
        self._store.file.end(self._txn)
