"""Generations of the embedded store: folders under ``<home>/online``, and which is current."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from features.draft import Draft
from features.embedded_store import EmbeddedDraft, EmbeddedStore
from features.errors import NoLogError, StoreError
from features.lmdb_file import MAP_SIZE, LmdbFile
from features.tiling import Background

FOLDER = "online"
CURRENT = "CURRENT"


class EmbeddedShelf:
    """See `features.shelf.Shelf`.

    Parameters
    ----------
    background : Background
        Its home holds the store.
    map_size : int
        Of a new generation's file, in bytes of address space.
    """

    def __init__(self, background: Background, map_size: int = MAP_SIZE) -> None:
        self.background = background
        self.root = background.home / FOLDER
        self._map_size = map_size
        self._filled: LmdbFile | None = None

    def open(self) -> EmbeddedStore:
        """Return the current store."""
        name = self.stamp()
        if name is None:
            raise NoLogError(
                f"There is no online store under {self.background.home}.",
                remedy="Ingest a source, then fill the store: python -m features build",
            )
        return self.generation(name)

    def stamp(self) -> str | None:
        """Return the name of the current generation; None while there is none."""
        try:
            return (self.root / CURRENT).read_text().strip()
        except FileNotFoundError:
            return None

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Be the only one to fill a store here."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self.root} cannot be made: {error.strerror}.",
                remedy="Set NEXTBEST_HOME to a folder that you may write to.",
            ) from error
        with (self.root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(
                    f"Another process is filling the online store in {self.root}.",
                    remedy="Wait until it has ended.",
                ) from error
            yield

    def create(self, name: str) -> None:
        """Begin an empty generation."""
        self._filled = LmdbFile.create(self.root / name, self._map_size)

    def write(self, name: str, work: Callable[[Draft], None]) -> None:
        """Write to a generation that nobody reads yet."""
        LmdbFile.at(self.root / name).write(lambda txn: work(EmbeddedDraft(txn)))

    def generation(self, name: str) -> EmbeddedStore:
        """Return the store of a generation."""
        folder = self.root / name
        if not (folder / "data.mdb").exists():
            raise StoreError(
                f"The online store in {folder} is not there, or an older Nextbest wrote it.",
                remedy="Fill it again: python -m features materialise",
            )
        return EmbeddedStore(LmdbFile.at(folder), self.background)

    def point(self, name: str, draft: Any) -> None:
        """Make a generation the current one, in one step."""
        written = self.root / f".{CURRENT}.{os.getpid()}"
        written.write_text(name)
        written.replace(self.root / CURRENT)

    def sweep(self, keep: Iterable[str]) -> Iterator[str]:
        """Remove all generations but some; who still reads one goes on reading it."""
        kept = set(keep)
        for folder in sorted(self.root.iterdir()):
            if folder.is_dir() and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
                yield folder.name
