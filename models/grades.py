"""Grades A to D: cut points of the probability that stay the same from one training to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

Cuts: TypeAlias = tuple[tuple[str, float], ...]
"""Grades and the least probability that earns each, best first; the last one is open below."""

SHARES = (("A", 0.1), ("B", 0.3), ("C", 0.6), ("D", 1.0))
"""Which share of the rows has this grade or a better one when grades are cut anew: A is the top
tenth, B the next fifth, C the next three tenths, D the lower two fifths."""


def cut(probability: Floats) -> Cuts:
    """Return cut points at which the grades come as close as they can to their shares.

    Rows of equal probability share a grade, so a share may be missed. A grade that nobody could
    earn is left out: a constant rate has the C alone.

    Parameters
    ----------
    probability : float64[n]
        Of the rows the grades are cut on; at least one.

    Examples
    --------
    >>> cut(np.linspace(0.005, 0.995, 100))
    (('A', 0.9), ('B', 0.7), ('C', 0.4), ('D', 0.0))
    >>> cut(np.full(10, 0.3))
    (('C', 0.0),)
    """
    levels, counts = np.unique(np.asarray(probability, dtype=np.float64), return_counts=True)
    # Above each level, and above them all: the share of rows at or above it.
    reached = np.append(np.cumsum(counts[::-1])[::-1] / counts.sum(), 0.0)
    cuts: list[tuple[str, float]] = []
    above = len(levels)
    for grade, share in SHARES:
        place = int(np.argmin(np.round(np.abs(reached - share), 12)))
        if place < above:
            cuts.append((grade, _between(levels, place)))
            above = place
    return tuple(cuts)


def graded(cuts: Sequence[tuple[str, float]], value: Floats) -> NDArray[np.str_]:
    """Return the grade of each value: the best one whose least value it reaches.

    Examples
    --------
    >>> graded((("A", 0.9), ("B", 0.7), ("D", 0.0)), np.array([0.95, 0.9, 0.1])).tolist()
    ['A', 'A', 'D']
    """
    least = np.array([lowest for _, lowest in reversed(cuts)])
    names = np.array([grade for grade, _ in reversed(cuts)], dtype=np.str_)
    return names[np.maximum(np.searchsorted(least, value, side="right") - 1, 0)]


def can_be_kept(cuts: Cuts) -> bool:
    """Whether cut points tell all four grades apart; those of a constant rate do not.

    Examples
    --------
    >>> can_be_kept((("A", 0.9), ("B", 0.7), ("C", 0.4), ("D", 0.0))), can_be_kept((("C", 0.0),))
    (True, False)
    """
    least = [lowest for _, lowest in cuts]
    return len(cuts) == len(SHARES) and all(np.diff(least) < 0)


def _between(levels: Floats, place: int) -> float:
    """Return the shortest number between a level and the one below it: easily said, never a tie."""
    if place == 0:
        return 0.0
    low, high = float(levels[place - 1]), float(levels[place])
    for digits in range(2, 17):
        said = round((low + high) / 2.0, digits)
        if low < said <= high:
            return said
    return high
