"""Straight lines between points, for one number at a time: what `numpy.interp` says, sooner."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Curve:
    """A piecewise linear function, flat outside its points.

    An array of one number costs numpy more than a row costs LightGBM's fast path. The arithmetic
    is numpy's own, in its order, so that a row gets the same bits alone and in a batch.

    Parameters
    ----------
    x : sequence of float
        Rising and finite; at least one.
    y : sequence of float
        The value at each.

    Examples
    --------
    >>> curve = Curve([-1.0, 1.0], [0.0, 0.5])
    >>> [curve(at) for at in (-5.0, 0.0, 1.0, 7.0)]
    [0.0, 0.25, 0.5, 0.5]
    """

    __slots__ = ("_last", "_slopes", "_x", "_y")

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        self._x, self._y = [float(value) for value in x], [float(value) for value in y]
        self._last = len(self._x) - 1
        self._slopes = [
            (self._y[i + 1] - self._y[i]) / (self._x[i + 1] - self._x[i]) for i in range(self._last)
        ]

    def __call__(self, at: float) -> float:
        """Return the value at a finite number."""
        x = self._x
        left = bisect_right(x, at) - 1
        if left < 0:
            return self._y[0]
        if left == self._last or x[left] == at:
            return self._y[left]
        return self._slopes[left] * (at - x[left]) + self._y[left]
