"""Whether a cache on disk that is not synced at every write can still be trusted.

What a process wrote survives the process, not the machine: after a crash of the operating system
such a file may hold anything. A mark beside it says in which run of the system it was last
written, or that all of it had reached the disk.
"""

from __future__ import annotations

import os
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
CLEAN = "clean"


def boot_id() -> str:
    """Return what names this run of the operating system; empty where nothing does."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


class Mark:
    """The mark beside a cache.

    Parameters
    ----------
    path : Path
    boot : str
        See `boot_id`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     mark = Mark(Path(folder) / "mark", boot="monday")
    ...     mark.set("monday")
    ...     today, next_day = mark.trusted, Mark(mark.path, boot="tuesday").trusted
    >>> today, next_day
    (True, False)
    """

    def __init__(self, path: Path, boot: str) -> None:
        self.path = path
        self.boot = boot

    @property
    def trusted(self) -> bool:
        """Whether all that was written is there to be read."""
        said = self.read()
        return said == CLEAN or bool(self.boot and said == self.boot)

    def read(self) -> str:
        """Return what the mark says; nothing where there is none."""
        try:
            return self.path.read_text()
        except FileNotFoundError:
            return ""

    def dirty(self) -> None:
        """Say that from now on the cache is only as good as this run of the system."""
        if self.read() != self.boot:
            self.set(self.boot)

    def set(self, word: str) -> None:
        """Write the mark through to the disk."""
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with draft.open("w") as stream:
            stream.write(word)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
