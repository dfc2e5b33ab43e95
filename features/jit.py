"""The kernel compiled to machine code, once a machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from features import kernel


class Compiled(NamedTuple):
    """The compiled functions of `features.kernel`."""

    fold: Callable[..., int]
    latest: Callable[..., None]


PLAIN = Compiled(kernel.fold, kernel.latest)
"""The same functions uncompiled: slow, and visible to coverage and debuggers."""


@lru_cache(maxsize=4)
def compiled(cache: Path | None = None) -> Compiled:
    """Return the kernel as machine code, with the interpreter's lock released while it runs.

    Parameters
    ----------
    cache : Path or None
        Folder that keeps the machine code between processes (``<NEXTBEST_HOME>/numba``).

    Notes
    -----
    The signatures are explicit: compilation happens here, never inside a request. It takes some
    seconds once, and some milliseconds from the cache.
    """
    import numba
    from numba import types

    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        numba.config.CACHE_DIR = str(cache)

    # What may be memory-mapped is read-only, and a writable array passes for a read-only one.
    def read(dimensions: int) -> Any:
        return types.Array(types.int64, dimensions, "C", readonly=True)

    line, table = read(1), read(2)
    written = types.Array(types.int64, 2, "C")
    fold_signature = types.int64(
        table, line, line, table, table, table, table, table, line, line, table, line,
        types.int64, written,
    )  # fmt: skip
    latest_signature = types.void(line, line, line, line, types.Array(types.int64, 1, "C"))
    return Compiled(
        numba.njit(fold_signature, nogil=True, cache=cache is not None)(kernel.fold),
        numba.njit(latest_signature, nogil=True, cache=cache is not None)(kernel.latest),
    )
