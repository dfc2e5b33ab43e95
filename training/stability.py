"""How many segments: as many as come back when other customers are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
MakeKMeans: TypeAlias = Callable[[int], Any]

STABLE = 0.8
"""Mean adjusted Rand index from which a segmentation counts as found again."""
RESAMPLES = 20
ROWS = 10_000
"""Customers looked at; more cost time and change nothing the eye can see."""


@dataclass(frozen=True)
class Choice:
    """The curve over numbers of clusters, and the one chosen.

    Attributes
    ----------
    numbers : tuple of int
    stability, low, high : ndarray of float64
        Mean adjusted Rand index over the resamples, and their 2.5 % and 97.5 % quantiles.
    silhouette : ndarray of float64
    chosen : int
        One of `numbers`.
    reason : str
    """

    numbers: tuple[int, ...]
    stability: Floats
    low: Floats
    high: Floats
    silhouette: Floats
    chosen: int
    reason: str

    def at(self, values: Floats) -> float:
        """Return the value of one of the curves at the number chosen."""
        return float(values[self.numbers.index(self.chosen)])


def choose_number(
    Z: Floats,
    numbers: Sequence[int],
    make: MakeKMeans,
    *,
    random_state: int = 0,
    threads: int = 2,
) -> Choice:
    """Return the number of clusters that is stable under resampling and best separated.

    Each resample of customers gets its own clustering, which then assigns all customers; the
    adjusted Rand index says how far that agrees with the clustering of all. Among the numbers
    with a mean of at least `STABLE` (or, if there is none, only the most stable number), the one
    with the highest silhouette is chosen; of two segments alone nobody learns much, so 2 is only
    chosen if nothing larger is stable.

    Parameters
    ----------
    Z : ndarray of float64, shape (n, f)
        Scaled columns.
    numbers : sequence of int
        Candidates.
    make : callable
        (number of clusters) -> unfitted k-means.
    threads : int
        Clusterings made at the same time, each on one thread: with more of them k-means adds in
        another order each time, and the same data would give other segments.

    Source
    ------
    Hennig (2007), Cluster-wise assessment of cluster stability; Hubert, Arabie (1985) for the
    adjusted Rand index; Rousseeuw (1987) for the silhouette.
    """
    from sklearn.metrics import adjusted_rand_score, silhouette_score
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    random = np.random.default_rng(random_state)
    if len(Z) > ROWS:
        Z = Z[np.sort(random.choice(len(Z), ROWS, replace=False))]
    draws = [random.integers(len(Z), size=len(Z)) for _ in range(RESAMPLES)]
    candidates = tuple(number for number in numbers if 1 < number < len(Z))
    silhouette = np.empty(len(candidates))
    agreement = np.empty((len(candidates), RESAMPLES))

    def again(number: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        labels: NDArray[np.int64] = make(number).fit(Z[rows]).predict(Z)
        return labels

    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for place, number in enumerate(candidates):
            whole = make(number).fit(Z).labels_
            silhouette[place] = silhouette_score(
                Z, whole, sample_size=min(len(Z), 3_000), random_state=random_state
            )
            resampled = pool.map(partial(again, number), draws)
            agreement[place] = [adjusted_rand_score(whole, labels) for labels in resampled]
    low, high = np.quantile(agreement, [0.025, 0.975], axis=1)
    chosen, reason = _decide(candidates, agreement.mean(axis=1), silhouette)
    return Choice(candidates, agreement.mean(axis=1), low, high, silhouette, chosen, reason)


def _decide(numbers: tuple[int, ...], stability: Floats, silhouette: Floats) -> tuple[int, str]:
    stable = [i for i in range(len(numbers)) if stability[i] >= STABLE]
    several = [i for i in stable if numbers[i] > 2] or stable
    if not several:
        best = int(np.argmax(stability))
        return numbers[best], (
            f"No number of segments came back with an adjusted Rand index of {STABLE}; "
            f"{numbers[best]} came back best with {stability[best]:.2f}."
        )
    best = max(several, key=lambda i: silhouette[i])
    return numbers[best], (
        f"{numbers[best]} segments come back under resampling (adjusted Rand index "
        f"{stability[best]:.2f}, at least {STABLE} is asked for) and of those that do, with more "
        f"than two segments, they lie furthest apart (silhouette {silhouette[best]:.2f})."
    )
