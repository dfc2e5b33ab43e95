"""Gives memory back that a start needed and answering does not."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

COMPILER = "libllvmlite"
"""Loaded with numba; what it compiled lies elsewhere."""


def give_back(maps: Path = Path("/proc/self/smaps")) -> int:
    """Hand the compiler's pages and free memory back to the system; returns the pages' bytes.

    Only pages that are exactly what the library's file says: whoever needs one again reads it
    again. Where a system has no such lists nothing happens.
    """
    try:
        library = ctypes.CDLL(None)
        library.malloc_trim(0)
        advise = library.madvise
        lines = maps.read_text().splitlines()
    except (OSError, AttributeError):
        return 0
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    given = 0
    for begin, end, resident in clean(lines, COMPILER):
        if advise(begin, end - begin, mmap.MADV_DONTNEED) == 0:
            given += resident
    return given


def clean(lines: list[str], name: str) -> list[tuple[int, int, int]]:
    """Return where a file lies that this process may not write and of which it changed nothing.

    What may not be written may have been: by the loader, which fits addresses in and then locks
    them. Such pages are no longer the file's, and the system calls them anonymous.

    Returns
    -------
    list of (int, int, int)
        Begin, end, and the bytes in memory.

    Examples
    --------
    >>> smaps = ["1000-3000 r-xp 0 8:1 7 /lib/libx.so", "Rss: 4 kB", "Anonymous: 0 kB",
    ...          "3000-4000 r--p 0 8:1 7 /lib/libx.so", "Rss: 4 kB", "Anonymous: 4 kB",
    ...          "4000-5000 rw-p 0 8:1 7 /lib/libx.so", "Rss: 4 kB", "Anonymous: 0 kB"]
    >>> clean(smaps, "libx")
    [(4096, 12288, 4096)]
    """
    found, span, resident = [], "", 0
    for line in lines:
        word, rights, *rest = line.split(maxsplit=5)
        if len(rest) == 4:
            span = word if name in Path(rest[3]).name and rights in ("r-xp", "r--p") else ""
        elif not word.endswith(":"):
            span = ""
        elif word == "Rss:":
            resident = int(rights) * 1024
        elif word == "Anonymous:" and span and rights == "0":
            begin, _, end = span.partition("-")
            found.append((int(begin, 16), int(end, 16), resident))
    return found
