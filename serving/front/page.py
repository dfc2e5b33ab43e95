"""Where a process counts: in memory of its own, or in a file that its fellows read as well.

Several workers answer for one service, so each must be able to tell what all of them counted, and
those before them that died. A number in a mapped file costs as little to add to as one in memory,
and it outlives a process that is killed.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import msgspec

SUFFIX = ".page"
ENDED = "ended"
"""The file of what processes counted that have ended; it is no page."""
LOCK = "pages.lock"
RESTARTS = "nextbest_worker_restarts"
"""Counted by the parent of workers, which has no page."""
CHUNK = 1 << 16
HEAD = struct.Struct("II")
WIDTH = 8

Key = tuple[str, ...]
"""A metric's name, then the values of its labels."""
Found = dict[Key, list[float]]
Slots: TypeAlias = "memoryview[float] | list[float]"

_encode = msgspec.json.Encoder().encode
_key_of = msgspec.json.Decoder(tuple[bool, Key]).decode
_ended_of = msgspec.json.Decoder(list[tuple[Key, list[float]]]).decode


class Page:
    """Numbers of one process by key.

    Parameters
    ----------
    path : Path, optional
        Of a file that is made, see `path_of`; without it the numbers are in memory.

    Examples
    --------
    >>> page = Page()
    >>> page.slots(("requests", "200"), 1)[0] += 2
    >>> page.everywhere().adding
    {('requests', '200'): [2.0]}
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._slots: dict[tuple[bool, Key], Slots] = {}
        self._making = threading.Lock()
        if path is not None:
            path.touch(exist_ok=False)
        self._chunk: memoryview[int] | None = None
        self._size = self._used = 0

    def slots(self, key: Key, number: int, adds: bool = True) -> Slots:
        """Return the numbers of a key, float64 and 0 at first.

        Parameters
        ----------
        key : Key
        number : int
            How many there are; the same whenever and wherever the key is asked for.
        adds : bool
            Whether those of several processes add up and outlive theirs, as counts do.
        """
        made = self._slots.get((adds, key))
        if made is None:
            with self._making:
                made = self._slots.get((adds, key)) or self._made(key, number, adds)
                self._slots[adds, key] = made
        return made

    def everywhere(self) -> Everywhere:
        """Return the numbers of this process, its fellows and those that ended."""
        adding: Found = {}
        living: list[Found] = [{}]
        for (adds, key), slots in list(self._slots.items()):
            (adding if adds else living[0])[key] = list(slots)
        if self.path is None:
            return Everywhere(adding, living, {})
        processes = {self.path.stem: os.getpid()}
        with _locked(self.path.parent, fcntl.LOCK_SH):
            _add(adding, ended(self.path.parent))
            for other in sorted(self.path.parent.glob(f"*{SUFFIX}")):
                if other != self.path:
                    counts, states = read(other)
                    _add(adding, counts)
                    living.append(states)
                    processes[other.stem] = int(other.stem.partition("-")[2])
        return Everywhere(adding, living, processes)

    def _made(self, key: Key, number: int, adds: bool) -> Slots:
        if self.path is None:
            return [0.0] * number
        name = _encode((adds, key))
        name += b" " * (-len(name) % WIDTH)
        length = HEAD.size + len(name) + WIDTH * number
        if self._chunk is None or self._used + length > CHUNK:
            self._chunk, self._used = memoryview(self._grown(self.path)), 0
        begin = self._used + HEAD.size
        numbers = begin + len(name)
        self._used = numbers + WIDTH * number
        self._chunk[begin:numbers] = name
        # Last: a record is there for others once its head says how long it is.
        self._chunk[begin - HEAD.size : begin] = HEAD.pack(len(name), number)
        return self._chunk[numbers : self._used].cast("d")

    def _grown(self, path: Path) -> mmap.mmap:
        with path.open("r+b") as file:
            file.truncate(self._size + CHUNK)
            mapped = mmap.mmap(file.fileno(), CHUNK, offset=self._size)
        self._size += CHUNK
        return mapped


class Everywhere(msgspec.Struct):
    """What several processes counted.

    Attributes
    ----------
    adding : Found
        Of all processes, those that ended too, added up.
    living : list of Found
        What does not add up, of each process that lives.
    processes : dict of str to int
        The processes that live by what their files are called; empty where there is but one.
    """

    adding: Found
    living: list[Found]
    processes: dict[str, int]


def path_of(folder: Path, place: int, process: int) -> Path:
    """Return where the page of a worker lies in the folder of a run."""
    return folder / f"{place}-{process}{SUFFIX}"


def read(path: Path) -> tuple[Found, Found]:
    """Return what a page holds: what adds up, and what does not."""
    found: tuple[Found, Found] = ({}, {})
    content = path.read_bytes()
    for chunk in range(0, len(content), CHUNK):
        at = chunk
        while at + HEAD.size <= chunk + CHUNK:
            length, number = HEAD.unpack_from(content, at)
            if length == 0:
                break
            begin = at + HEAD.size
            adds, key = _key_of(content[begin : begin + length])
            at = begin + length + WIDTH * number
            found[0 if adds else 1][key] = list(
                struct.unpack_from(f"{number}d", content, begin + length)
            )
    return found


def retire(path: Path, more: Found) -> None:
    """Add what a process counted that ended to what others did, and remove its page.

    Parameters
    ----------
    path : Path
        Nothing happens where no page was made.
    more : Found
        What is to be counted beside it.
    """
    with _locked(path.parent, fcntl.LOCK_EX):
        found = ended(path.parent)
        if path.exists():
            _add(found, read(path)[0])
        _add(found, more)
        partial = path.with_name(f".{ENDED}")
        partial.write_bytes(_encode(list(found.items())))
        partial.replace(path.with_name(ENDED))
        path.unlink(missing_ok=True)


def ended(folder: Path) -> Found:
    """Return what processes counted that have ended."""
    try:
        return dict(_ended_of((folder / ENDED).read_bytes()))
    except FileNotFoundError:
        return {}


def _add(found: Found, more: Found) -> None:
    for key, numbers in more.items():
        before = found.get(key)
        found[key] = (
            numbers if before is None else [a + b for a, b in zip(before, numbers, strict=True)]
        )


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, how)
        yield
