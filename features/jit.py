"""The kernel compiled to machine code, once a machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from features.kernel import finalise, fold, latest, merge, run
from features.kernel.marks import MARKED


class Compiled(NamedTuple):
    """The compiled functions of `features.kernel`."""

    run: Callable[..., int]
    fold: Callable[..., None]
    finalise: Callable[..., int]
    latest: Callable[..., None]
    join: Callable[..., None]
    suffixes: Callable[..., None]
    extend: Callable[..., None]


PLAIN = Compiled(
    run.run,
    fold.fold,
    finalise.finalise,
    latest.latest,
    merge.join,
    merge.suffixes,
    merge.extend,
)
"""The same functions uncompiled: slow, and visible to coverage and debuggers."""

_MADE: list[Compiled] = []
_MAKING = threading.Lock()


@cache
def kernel_hash() -> str:
    """Return a hash of the kernel's source: 16 hexadecimal digits.

    Two processes with the same hash and the same numba compute the same integers.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(fold.__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _tell_compiler() -> None:
    from numba.extending import register_jitable

    for function, inline in MARKED:
        register_jitable(forceinline=inline)(function)


def compiled(cache: Path | None = None) -> Compiled:
    """Return the kernel as machine code, with the interpreter's lock released while it runs.

    Parameters
    ----------
    cache : Path or None
        Folder that keeps the machine code between processes (``<NEXTBEST_HOME>/numba``). Only a
        process's first call looks at it.

    Notes
    -----
    The signatures are explicit: compilation happens here, never inside a request. It takes some
    seconds once, and some milliseconds from the cache.
    """
    if not _MADE:
        with _MAKING:
            if not _MADE:
                _MADE.append(_compile(cache))
    return _MADE[0]


def _compile(cache: Path | None) -> Compiled:
    import numba
    from numba import types

    _tell_compiler()
    if cache is not None:
        # numba looks at the file of the compiled function only, not at those it calls.
        folder = cache / kernel_hash()
        folder.mkdir(parents=True, exist_ok=True)
        numba.config.CACHE_DIR = str(folder)

    # What may be memory-mapped is read-only, and a writable array passes for a read-only one.
    def read(dimensions: int, kind: Any = types.int64) -> Any:
        return types.Array(kind, dimensions, "C", readonly=True)

    def written(dimensions: int, kind: Any = types.int64) -> Any:
        return types.Array(kind, dimensions, "C")

    line, table, number = read(1), read(2), types.int64
    float_line, float_table = read(1, types.float64), written(2, types.float64)
    given = (table, line, line, line, table, table)
    tables = (
        line, line, table, line, table, line, table, table, line, table, line, line, line, line,
    )  # fmt: skip
    cells = (table, table)
    desk = (
        written(2), written(1), written(2, types.uint32), written(2), written(2), written(2),
        written(1), written(3), written(1),
        written(3), written(2, types.uint32), written(1),
    )  # fmt: skip
    values = (table, float_line, float_table, number, float_table, written(2), line)
    inputs = read(2, types.float64)
    signatures = {
        "run": number(*given, *tables, *cells, *desk, written(2), inputs, *values),
        "fold": types.void(*given, *tables, *cells, *desk, written(2), number, number),
        "finalise": number(written(2), number, number, line, inputs, table, *values),
        "latest": types.void(line, line, line, line, written(1)),
        "join": types.void(table, table, written(2)),
        "suffixes": types.void(table, line, written(2)),
        "extend": types.void(table, written(2), table),
    }  # fmt: skip
    # Nothing is allocated in the kernel, so references need no counting.
    options = {
        "nogil": True, "cache": cache is not None, "_nrt": False, "error_model": "numpy",
    }  # fmt: skip
    return Compiled(*(numba.njit(signatures[plain.__name__], **options)(plain) for plain in PLAIN))
