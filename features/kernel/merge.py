"""Lines of states, as tiles keep them, made one."""

from __future__ import annotations

from typing import Any

from features.kernel.states import merge


def join(joins: Any, lines: Any, states: Any) -> None:
    """Put what happened earlier before the states of one row.

    Parameters
    ----------
    joins : int64[n, 4]
        Operation, line, first slot in the line, and first slot in the row.
    lines : int64[n_lines, n_line_slots]
    states : int64[1, n_slots]
        The row; written.
    """
    for j in range(len(joins)):
        to = joins[j, 3]
        merge(joins[j, 0], lines, joins[j, 1], joins[j, 2], states, 0, to, states, 0, to)


def suffixes(measures: Any, groups: Any, lines: Any) -> None:
    """Turn lines into the states of all that happened from each on to the end of its group.

    Parameters
    ----------
    measures : int64[n, 2]
        Operation and first slot.
    groups : int64[n_lines]
        Lines of a group stand together, in the order of time.
    lines : int64[n_lines, n_slots]
        Written.
    """
    for k in range(len(lines) - 2, -1, -1):
        if groups[k] == groups[k + 1]:
            for m in range(len(measures)):
                at = measures[m, 1]
                merge(measures[m, 0], lines, k, at, lines, k + 1, at, lines, k, at)


def extend(measures: Any, lines: Any, after: Any) -> None:
    """Add to each line what happened after all of it: the one line of `after`."""
    for k in range(len(lines)):
        for m in range(len(measures)):
            at = measures[m, 1]
            merge(measures[m, 0], lines, k, at, after, 0, at, lines, k, at)
