"""One LMDB file: opened once a process, read by many, grown when it is full."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import lmdb

from features.boot import CLEAN, Mark, boot_id
from features.errors import StoreError

T = TypeVar("T")
MAP_SIZE = 1 << 36
"""Address space, not disk: the file is as long as what is in it."""
READERS = 1024
_REBUILD = "Fill the store again: python -m features materialise"
_opened: WeakValueDictionary[Path, LmdbFile] = WeakValueDictionary()
_opening = threading.Lock()


class LmdbFile:
    """An environment of LMDB whose writes are not synced: a killed process does no harm.

    A crash of the operating system may; then the mark beside the file no longer holds, and the
    file is refused. Open with :meth:`at`: LMDB allows a file only once in a process.
    """

    def __init__(self, folder: Path, map_size: int = MAP_SIZE) -> None:
        self.folder = folder
        self._mark = Mark(folder / "mark", boot_id())
        # One entry a reader; appending and popping are atomic, and cost less than a lock.
        self._reading: list[None] = []
        self._growing = False
        self._writing = threading.Lock()
        try:
            self.env = lmdb.open(
                str(folder), map_size=map_size, sync=False, metasync=False, readahead=False,
                max_readers=READERS, max_spare_txns=64,
            )  # fmt: skip
            self.env.reader_check()
        except lmdb.Error as error:
            raise StoreError(
                f"The online store in {folder} cannot be opened: {error}.", remedy=_REBUILD
            ) from error

    @classmethod
    def at(cls, folder: Path, map_size: int = MAP_SIZE) -> LmdbFile:
        """Return the file in a folder, the same one to everybody in this process.

        Raises
        ------
        StoreError
            It cannot be opened, or the operating system crashed after it was last written.
        """
        path = folder.resolve()
        with _opening:
            held = _opened.get(path)
            if held is None:
                if not Mark(path / "mark", boot_id()).trusted:
                    raise StoreError(
                        f"The online store in {folder} was being written when the system stopped.",
                        remedy=_REBUILD,
                    )
                held = _opened[path] = cls(path, map_size)
            return held

    @classmethod
    def create(cls, folder: Path, map_size: int = MAP_SIZE) -> LmdbFile:
        """Return a new file in a folder that is not there yet."""
        folder.mkdir(parents=True)
        Mark(folder / "mark", boot_id()).set(boot_id() or CLEAN)
        return cls.at(folder, map_size)

    def begin(self) -> Any:
        """Return a transaction to read in; end it with :meth:`end`."""
        while True:
            self._reading.append(None)
            resized = False
            try:
                if not self._growing:
                    return self.env.begin(buffers=True)
            except lmdb.MapResizedError:
                resized = True
            except BaseException:
                self._reading.pop()
                raise
            self._reading.pop()
            if resized:
                self._resize(0)
            else:
                time.sleep(0.001)

    def end(self, txn: Any) -> None:
        """End a transaction that was read in; what was read is no longer valid."""
        txn.abort()
        self._reading.pop()

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Read in one transaction."""
        txn = self.begin()
        try:
            yield txn
        finally:
            self.end(txn)

    def write(self, work: Callable[[Any], T]) -> T:
        """Return what `work` returns, once all it wrote is there for every process.

        Where the map is full, the map grows and `work` runs again.

        Raises
        ------
        StoreError
            The disk is full.
        """
        while True:
            with self._writing:
                try:
                    with self.env.begin(write=True, buffers=True) as txn:
                        self._mark.dirty()
                        done = work(txn)
                    return done
                except lmdb.MapFullError:
                    size = self.env.info()["map_size"] * 2
                except lmdb.MapResizedError:
                    size = 0
                except (lmdb.Error, OSError) as error:
                    raise StoreError(
                        f"The online store in {self.folder} cannot be written: {error}.",
                        remedy="Make room on the disk; what was committed is not lost.",
                    ) from error
            self._resize(size)

    def sync(self) -> None:
        """Write everything through to the disk, so that the file as it is outlives a crash."""
        with self._writing, self.env.begin(write=True):
            if self._mark.read() != CLEAN:
                self.env.sync(True)
                self._mark.set(CLEAN)

    def _resize(self, size: int) -> None:
        """Change the size of the map while nobody reads; 0 takes over another process's."""
        with self._writing:
            self._growing = True
            try:
                while self._reading:
                    time.sleep(0.0001)
                self.env.set_mapsize(size)
            finally:
                self._growing = False
