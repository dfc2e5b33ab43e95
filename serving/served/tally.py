"""How many scores of each process were to be kept and how many are: what a kill lost is counted.

A page of a file holds both numbers; it belongs to the system, so that it outlives a process that is
killed (not the machine's loss of power). A process holds a lock on its file, which ends with it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from features.served import ServedStore

FOLDER = "served"
SIZE = 16


class ServedTally:
    """Two numbers of this process: of the last score taken, and of the last one settled.

    Parameters
    ----------
    home : Path
    process : str
        See `features.score_id.ScoreIds`.

    Attributes
    ----------
    numbers : memoryview of two uint64
        Taken; settled, which is written to the database or counted as dropped.
    """

    def __init__(self, home: Path, process: str) -> None:
        folder = home / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{process}.tally"
        new = folder / f".{process}"
        self._file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.ftruncate(self._file, SIZE)
        new.rename(self._path)  # locked before anybody sees it
        self._page = mmap.mmap(self._file, SIZE)
        self.numbers = memoryview(self._page).cast("Q")

    def close(self) -> None:
        """End in order: what was taken is settled, and nothing remains to be counted."""
        self.numbers.release()
        self._page.close()
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def lost(home: Path, store: ServedStore) -> int:
    """Return how many scores died with processes that ended without a word; counted once.

    Raises
    ------
    DatabaseError
        The database does not answer; they are counted when it does.
    """
    number = 0
    for path in sorted((home / FOLDER).glob("*.tally")):
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:  # another process counts it
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_nlink:
                number += _lost(os.read(file, SIZE), store.last_number(path.stem))
                path.unlink()
        except BlockingIOError:  # it lives
            continue
        finally:
            os.close(file)
    return number


def _lost(page: bytes, kept: int) -> int:
    taken, settled = memoryview(page).cast("Q")
    return int(max(0, taken - max(settled, kept)))
