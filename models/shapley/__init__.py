"""What each column adds to a tree model's margin: exact, and fast enough for every request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from models.shapley.kernel import LANES_STEP, ROWS
from models.shapley.machine_code import compiled
from models.shapley.tables import Tables
from models.shapley.tree_text import read_trees

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Shapley"]


class Shapley:
    """Exact TreeSHAP of one model, from any thread.

    Parameters
    ----------
    text : str
        The model in LightGBM's own text format.
    n_features : int
        Columns of a row.
    explain : callable, optional
        The kernel; by default the process's compiled one.

    Attributes
    ----------
    expected : float
        The margin expected of a training row.
    tables : Tables
        Their `nbytes` are what a model costs in memory.

    Raises
    ------
    TreesError
        The model is one that has no contributions.
    """

    def __init__(
        self, text: str, n_features: int, explain: Callable[..., None] | None = None
    ) -> None:
        trees = read_trees(text)
        self.n_features = n_features
        self.expected = float(sum(tree.expected for tree in trees))
        self.tables = Tables.of(trees)
        self._most = int(self.tables.trees[:, 1].max(initial=0))
        self._explain = explain or compiled()

    def contributions(self, X: Floats, threads: int = 1) -> Floats:
        """Return what each column adds to the margin, float64[n, n_features + 1].

        The last column is the expected margin; a row sums to its margin. A row gets the same bits
        alone, in a batch and from several threads.

        Parameters
        ----------
        X : float64[n, n_features]
            C-contiguous; NaN is missing.
        threads : int
        """
        out = np.zeros((len(X), self.n_features + 1))
        out[:, -1] = self.expected
        if not len(self.tables.trees):
            return out
        size = max(-(-len(X) // max(threads, 1)), ROWS)
        parts = [slice(at, at + size) for at in range(0, len(X), size)]
        if len(parts) <= 1:
            self._add(X, out)
        else:
            with ThreadPoolExecutor(len(parts)) as pool:
                list(pool.map(lambda part: self._add(X[part], out[part]), parts))
        return out

    def _add(self, X: Floats, out: Floats) -> None:
        rows = min(ROWS, len(X))
        self._explain(
            X,
            *self.tables,
            np.empty((rows, len(self.tables.inputs))),
            np.empty((3, 2 * self._most + 1, self.tables.quadrature.shape[2])),
            np.empty((2, self._most), np.int8),
            np.empty((rows, self.n_features, LANES_STEP)),
            out,
        )
