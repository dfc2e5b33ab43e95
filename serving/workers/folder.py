"""A folder of one run: what its workers share, gone when the run has ended, however it ended."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "workers"
LOCK = "lock"


@contextmanager
def run_folder(home: Path) -> Iterator[Path]:
    """Give a new folder under home, and remove it and those of runs that were killed.

    A lock in it says that its run lives; the lock ends with the process that holds it.
    """
    root = home / FOLDER
    root.mkdir(parents=True, exist_ok=True)
    for other in root.iterdir():
        lock = _locked(other)
        if lock is not None:
            shutil.rmtree(other, ignore_errors=True)
            os.close(lock)
    folder = Path(tempfile.mkdtemp(dir=root))
    # Made under another name: a folder is never seen without its lock by one who would remove it.
    made = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(made, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(made)


def _locked(folder: Path) -> int | None:
    """Return the lock of a folder whose run has ended; None of one that lives."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except OSError:  # it is being made
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
