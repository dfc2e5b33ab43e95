"""Metrics of order: does who answered stand above who did not?

Rows of equal probability have no order among them, so whatever is counted is counted at the ends
of such blocks. Rows are sorted once; a weighting then costs one cumulative sum, which is what
makes hundreds of resamples cheap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from models.outcomes import Floats, Integers, checked, totals


class Ranked:
    """Rows sorted by probability, highest first, ready to be counted under any weights.

    Parameters
    ----------
    y, p : array-like of shape (n,)
        Answers (0 or 1) and probabilities.

    Examples
    --------
    >>> Ranked([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8]).auc()
    0.875
    """

    def __init__(self, y: ArrayLike, p: ArrayLike) -> None:
        y_, p_, _ = checked(y, p)
        self.order: Integers = np.argsort(-p_, kind="stable").astype(np.int64)
        p_ = p_[self.order]
        new = np.concatenate(([True], p_[1:] != p_[:-1]))
        starts = np.flatnonzero(new)
        ends = np.append(starts[1:], len(p_))
        self._starts, self._ends = starts, ends
        self._yes = np.flatnonzero(y_[self.order] > 0.5)
        # For each yes: rows above its block and to the block's end, among all and among the yes.
        block = np.cumsum(new)[self._yes] - 1
        self._row_start, self._row_end = starts[block], ends[block]
        self._yes_start = np.searchsorted(self._yes, self._row_start)
        self._yes_end = np.searchsorted(self._yes, self._row_end)

    def _counts(self, w: Floats | None) -> tuple[Floats, Floats, Floats]:
        """Weight of each yes; of the first k rows; and of the first k yes (k from 0)."""
        weight = np.ones(len(self.order)) if w is None else w[self.order]
        yes = weight[self._yes]
        rows, found = np.zeros(len(weight) + 1), np.zeros(len(yes) + 1)
        np.cumsum(weight, out=rows[1:])
        np.cumsum(yes, out=found[1:])
        totals(float(found[-1]), float(rows[-1] - found[-1]))
        return yes, rows, found

    def auc(self, w: Floats | None = None) -> float:
        """Share of (yes, no) pairs in which the yes stands higher; a tie counts half."""
        yes, rows, found = self._counts(w)
        above = rows[self._row_start] - found[self._yes_start]
        not_below = rows[self._row_end] - found[self._yes_end]
        total_no = rows[-1] - found[-1]
        return float(1 - yes @ (above + not_below) / (2 * found[-1] * total_no))

    def average_precision(self, w: Floats | None = None) -> float:
        """Precision at each yes, averaged."""
        yes, rows, found = self._counts(w)
        listed = np.maximum(rows[self._row_end], np.finfo(np.float64).tiny)
        return float(yes @ (found[self._yes_end] / listed) / found[-1])

    def lift_at(self, share: float, w: Floats | None = None) -> float:
        """Rate of yes in the top `share` over the rate in all; a block at the cut counts partly."""
        _, rows, found = self._counts(w)
        cut = share * rows[-1]
        block = min(int(np.searchsorted(rows[self._ends], cut)), len(self._ends) - 1)
        start, end = self._starts[block], self._ends[block]
        before, upto = np.searchsorted(self._yes, [start, end])
        part = (cut - rows[start]) / (rows[end] - rows[start])
        in_top = found[before] + part * (found[upto] - found[before])
        return float(in_top / cut / (found[-1] / rows[-1]))


def auc(y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Share of (yes, no) pairs in which the yes has the higher probability; a tie counts half.

    Examples
    --------
    >>> auc([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    return Ranked(y, p).auc(checked(y, p, sample_weight)[2])


def average_precision(y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Precision averaged over the answers found while going down the list.

    Examples
    --------
    >>> round(average_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]), 4)
    0.8333
    """
    return Ranked(y, p).average_precision(checked(y, p, sample_weight)[2])


def lift_at(
    y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None, share: float = 0.1
) -> float:
    """Rate of yes among the `share` of rows with the highest probabilities, over the rate in all.

    Rows tied at the cut count with the part of them that fits, as in a random order.

    Examples
    --------
    >>> lift_at([1, 0, 0, 0], [0.9, 0.2, 0.1, 0.1], share=0.25)
    4.0
    """
    return Ranked(y, p).lift_at(share, checked(y, p, sample_weight)[2])
