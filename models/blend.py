"""The sum of a linear model and of trees: what either misses, the other sees.

Weights are folded into the parts, so that margins and contributions simply add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from models.booster import Booster
    from models.linear import Linear

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Blend:
    """A margin that is the linear model's plus the booster's.

    Attributes
    ----------
    linear : Linear
    booster : Booster
        Both take the same encoded row.
    """

    linear: Linear
    booster: Booster

    def margin(self, row: Sequence[float] | Floats) -> float:
        """Return the margin of one encoded row; bit-equal to `margins`."""
        return self.linear.margin(row) + self.booster.margin(row)

    def margins(self, X: Floats, threads: int = 1) -> Floats:
        """Return the margin of each row, float64[n]."""
        return self.linear.margins(X) + self.booster.margins(X, threads)

    def contributions(self, X: Floats, threads: int = 1) -> Floats:
        """Return what each column adds to the margin, float64[n, n_columns + 1].

        The last column is what a customer gets of whom nothing stands out: the linear model at
        its means plus the trees' expected margin. A row sums to its margin.
        """
        return self.linear.contributions(X) + self.booster.contributions(X, threads)
