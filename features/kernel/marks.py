"""Which functions the compiled kernel calls: marked here, compiled by `features.jit`.

So that importing the kernel's constants does not import the compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])

MARKED: list[tuple[Callable[..., object], bool]] = []
"""The functions, and whether each is to be compiled into its callers."""


def called(function: Function) -> Function:
    """Mark a function that the kernel calls."""
    MARKED.append((function, False))
    return function


def inlined(function: Function) -> Function:
    """Mark a function whose call would cost more than its work."""
    MARKED.append((function, True))
    return function
