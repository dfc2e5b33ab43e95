"""Whole vectors of states, as tiles keep them, made one."""

from __future__ import annotations

from typing import Any

from features.kernel.states import merge


def merge_vectors(measures: Any, early: Any, late: Any, out: Any) -> None:
    """Write the states of the events of two vectors, all of `early` before `late`.

    Parameters
    ----------
    measures : int64[n, 2]
        Operation and first slot of each state.
    early, late, out : int64[n_slots]
        `out` may be one of the two.
    """
    for m in range(len(measures)):
        merge(measures[m, 0], early, measures[m, 1], late, measures[m, 1], out, measures[m, 1])
