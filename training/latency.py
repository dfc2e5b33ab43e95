"""How long one score takes: two engines in turns, so that both meet the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

ROWS = 200
WARM = 20
"""The first scores load code and caches, and are not counted."""


class Engine(Protocol):
    """What answers a single encoded row."""

    def margin(self, row: Floats) -> float:
        """Return the raw margin."""
        ...


def in_turns(
    first: tuple[Engine, Floats],
    second: tuple[Engine, Floats],
    clock: Callable[[], int] = time.perf_counter_ns,
) -> tuple[Floats, Floats]:
    """Return microseconds of single scores of two engines, float64[rows] each.

    Parameters
    ----------
    first, second : (Engine, float64[n, n_columns])
        An engine and encoded rows for it; at most `ROWS` are asked, each again if there are fewer.
    clock : callable
        Nanoseconds.
    """
    took = np.empty((ROWS + WARM, 2))
    for turn in range(ROWS + WARM):
        for place, (engine, X) in enumerate((first, second)):
            row = np.ascontiguousarray(X[turn % len(X)])
            began = clock()
            engine.margin(row)
            took[turn, place] = (clock() - began) / 1_000
    return took[WARM:, 0], took[WARM:, 1]
