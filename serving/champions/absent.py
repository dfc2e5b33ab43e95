"""Modules that a library imports if they are there, and that this process is better without."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

OF_NUMBA = ("scipy.linalg", "cffi")
"""For products of matrices and for C functions in compiled code, of which the kernels have none.
They cost 0.4 s of a start and 16 MiB."""


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Let an import of these modules fail while the block runs, unless they were imported before.

    For a process that has one thread as yet.

    Examples
    --------
    >>> with absent("this"):
    ...     import this
    Traceback (most recent call last):
    ModuleNotFoundError: import of this halted; None in sys.modules
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
