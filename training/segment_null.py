"""How far groups would lie apart in customers without any, made up for comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
MakeKMeans: TypeAlias = Callable[[int], Any]

DRAWS = 6
STARTS = 5
ROWS = 1_000
LEAST_EXCESS = 0.02
"""Silhouette above that of customers without groups from which a difference is worth having."""
CLEAR_EXCESS = 0.1


@dataclass(frozen=True)
class Excess:
    """How much further apart than without groups.

    Attributes
    ----------
    value : float
        Silhouette less the mean of the nearest reference's.
    real : bool
        Whether it is above every draw of the references, and by `LEAST_EXCESS` on average.
    """

    value: float
    real: bool


def excess(
    Z: Floats,
    labels: NDArray[np.int64],
    make: MakeKMeans,
    lumpy: Sequence[Sequence[int]] = (),
    random_state: int = 0,
) -> Excess:
    """Return how much further apart clusters lie than those of the same number found in nothing.

    Nothing comes in four forms: one bell-shaped crowd with the same correlations, one evenly
    filled box along the columns, one along the principal axes, and the same columns shuffled, each
    by itself, so that no column knows of another. Columns of few values are shuffled in all of
    them: neither a bell nor a box stands for them, and that they are in lumps makes no group.
    Groups that are clear of bell and box by `CLEAR_EXCESS` need not be clear of the shuffled: they
    may lie along one column.

    Source
    ------
    Tibshirani, Walther & Hastie (2001), Estimating the number of clusters in a data set via the
    gap statistic, JRSS B 63: a reference without groups, uniform along the principal axes.

    Parameters
    ----------
    Z : ndarray of float64, shape (n, f)
        Scaled axes; at most `ROWS` rows are looked at.
    labels : ndarray of int64, shape (n,)
    make : callable
        (number of clusters) -> unfitted k-means.
    lumpy : sequence of sequences of int
        Axes of few values, those of one column together.
    """
    from sklearn.metrics import silhouette_score

    random = np.random.default_rng(random_state)
    rows = np.sort(random.permutation(len(Z))[:ROWS])
    number = len(np.unique(labels))
    Z, labels = Z[rows], labels[rows]
    if len(np.unique(labels)) < 2:
        return Excess(0.0, False)
    found = float(silhouette_score(Z, labels))
    above: dict[str, Floats] = {}
    for name, drawn in DRAWN.items():
        values = []
        for _ in range(DRAWS):
            nothing = _shuffled(Z, lumpy, random)
            smooth = np.setdiff1d(np.arange(Z.shape[1]), [axis for axes in lumpy for axis in axes])
            if len(smooth):
                nothing[:, smooth] = drawn(Z[:, smooth], random)
            clusters = make(number).set_params(n_init=STARTS).fit_predict(nothing)
            values.append(float(silhouette_score(nothing, clusters)))
        above[name] = found - np.array(values)
    value = min(float(above[name].mean()) for name in SMOOTH)
    asked = SMOOTH if value >= CLEAR_EXCESS else tuple(above)
    real = all(above[n].min() > 0 and above[n].mean() >= LEAST_EXCESS for n in asked)
    return Excess(value, real)


def _shuffled(Z: Floats, together: Sequence[Sequence[int]], random: np.random.Generator) -> Floats:
    nothing = Z.copy()
    for axes in together or [[axis] for axis in range(Z.shape[1])]:
        nothing[:, list(axes)] = Z[random.permutation(len(Z))][:, list(axes)]
    return nothing


def _bell(Z: Floats, random: np.random.Generator) -> Floats:
    spread = np.atleast_2d(np.cov(Z.T))
    return random.multivariate_normal(Z.mean(axis=0), spread, size=len(Z), method="eigh")


def _box(Z: Floats, random: np.random.Generator) -> Floats:
    return random.uniform(Z.min(axis=0), Z.max(axis=0), size=Z.shape)


def _turned_box(Z: Floats, random: np.random.Generator) -> Floats:
    mean = Z.mean(axis=0)
    axes = np.linalg.svd(Z - mean, full_matrices=False)[2]
    turned = (Z - mean) @ axes.T
    return np.asarray(_box(turned, random) @ axes + mean)


def _shuffled_each(Z: Floats, random: np.random.Generator) -> Floats:
    return _shuffled(Z, [], random)


DRAWN = {"bell": _bell, "box": _box, "turned box": _turned_box, "shuffled": _shuffled_each}
SMOOTH = ("bell", "box", "turned box")
