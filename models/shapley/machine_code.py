"""The kernel of contributions compiled to machine code, once a machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from models.shapley import kernel

Explain = Callable[..., None]

_MADE: list[Explain] = []
_MAKING = threading.Lock()


def compiled(cache: Path | None = None) -> Explain:
    """Return `kernel.explain` as machine code, with the interpreter's lock released while it runs.

    Parameters
    ----------
    cache : Path, optional
        Folder that keeps the machine code between processes (``<NEXTBEST_HOME>/numba``). Only a
        process's first call looks at it.

    Notes
    -----
    The signature is explicit: compilation happens here, at start-up, never inside a request. It
    takes some seconds once, and some milliseconds from the cache.
    """
    if not _MADE:
        with _MAKING:
            if not _MADE:
                _MADE.append(_compile(cache))
    return _MADE[0]


def _compile(cache: Path | None) -> Explain:
    import numba
    from numba import types
    from numba.extending import register_jitable

    def read(dimensions: int, kind: object = types.float64) -> object:
        return types.Array(kind, dimensions, "C", readonly=True)

    def written(dimensions: int, kind: object = types.float64) -> object:
        return types.Array(kind, dimensions, "C")

    signature = types.void(
        read(2), read(2, types.int32), read(1, types.int64), read(2, types.int32), read(2),
        read(1), read(2, types.int32), read(3), written(2), written(3), written(2, types.int8),
        written(3), written(2),
    )  # fmt: skip
    # A product and a sum may be one instruction; nothing is put into another order.
    options = {"fastmath": {"contract"}}
    for function in kernel.INLINED:
        register_jitable(forceinline=True, **options)(function)
    folder, vectorise = numba.config.CACHE_DIR, numba.config.SLP_VECTORIZE
    try:
        if cache is not None:
            # numba looks at the file of the compiled function only, not at its compiler flags.
            own = cache / hashlib.sha256(Path(kernel.__file__).read_bytes()).hexdigest()[:16]
            own.mkdir(parents=True, exist_ok=True)
            numba.config.CACHE_DIR = str(own)
        # Four lanes in one instruction: numba leaves it out by default, to compile sooner.
        numba.config.SLP_VECTORIZE = 1
        made: Explain = numba.njit(
            signature, nogil=True, cache=cache is not None, _nrt=False, **options
        )(kernel.explain)
    finally:
        numba.config.CACHE_DIR, numba.config.SLP_VECTORIZE = folder, vectorise
    return made
