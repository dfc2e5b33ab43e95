"""How many segments: as many as come back when other customers are drawn, and lie apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.segment_identity import share_kept
from training.segment_null import CLEAR_EXCESS, Excess, excess

Floats: TypeAlias = NDArray[np.float64]
MakeKMeans: TypeAlias = Callable[[int], Any]

STABLE = 0.9
"""Share of customers who keep their segment from which a segmentation counts as stable."""
LEAST = 0.75
"""Below it segments do not come back, however far apart they lie, and none are published."""
HELD = 0.05
"""The share of retrainings that may fall below `STABLE` before segments are called unstable."""
RESAMPLES = 20
ROWS = 4_000
"""Customers looked at; more cost time and change nothing the eye can see."""
CLEARLY_BETTER = 0.05
"""Silhouette above made-up customers by which another number must exceed the present one."""


@dataclass(frozen=True)
class Choice:
    """The curve over numbers of clusters, and the one chosen.

    Attributes
    ----------
    numbers : tuple of int
    stability, low, high : ndarray of float64
        Share of customers who keep their segment when it is learned again from a bootstrap of
        customers: mean over the resamples, and their 2.5 % and 97.5 % quantiles.
    silhouette : ndarray of float64
    excess : ndarray of float64
        Of the silhouette over that of customers without groups; NaN where it was not asked.
    chosen : int
        One of `numbers`.
    stable, good : bool
        Whether at least `STABLE` keep their segment in all but `HELD` of the resamples; whether
        these are segments at all.
    reason : str
    """

    numbers: tuple[int, ...]
    stability: Floats
    low: Floats
    high: Floats
    silhouette: Floats
    excess: Floats
    chosen: int
    stable: bool
    good: bool
    reason: str

    def at(self, values: Floats) -> float:
        """Return the value of one of the curves at the number chosen."""
        return float(values[self.numbers.index(self.chosen)])


def choose_number(
    Z: Floats,
    numbers: Sequence[int],
    make: MakeKMeans,
    *,
    lumpy: Sequence[Sequence[int]] = (),
    present: int | None = None,
    random_state: int = 0,
    threads: int = 2,
) -> Choice:
    """Return the number of clusters that comes back, and lies apart as chance does not.

    Each bootstrap of customers gets its own clustering, from new starts, which then assigns all
    customers; once its clusters are matched to those of all, the share of customers who kept
    theirs is what retraining would leave as it is. Numbers where `STABLE` is reached in all but
    `HELD` of the bootstraps come first, then those that reach it on average; of those that lie
    further apart than in customers without groups, the one that does so by most is chosen. Where
    no number is stable but the most stable one lies clearly apart, it is chosen, and it is said.
    Otherwise there is no good segmentation, and that is the answer.

    Parameters
    ----------
    Z : ndarray of float64, shape (n, f)
        Scaled axes.
    numbers : sequence of int
        Candidates.
    make : callable
        (number of clusters) -> unfitted k-means.
    lumpy : sequence of sequences of int
        As in `training.segment_null.excess`.
    present : int, optional
        The number people know, which stays unless another is clearly better.
    threads : int
        Clusterings made at the same time, each on one thread: with more of them k-means adds in
        another order each time, and the same data would give other segments.

    Source
    ------
    Hennig (2007), Cluster-wise assessment of cluster stability; Rousseeuw (1987) for the
    silhouette; for the reference see :func:`training.segment_null.excess`.
    """
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    random = np.random.default_rng(random_state)
    if len(Z) > ROWS:
        Z = Z[np.sort(random.choice(len(Z), ROWS, replace=False))]
    draws = [random.integers(len(Z), size=len(Z)) for _ in range(RESAMPLES)]
    candidates = tuple(number for number in numbers if 1 < number < len(Z))
    silhouette = np.empty(len(candidates))
    kept = np.empty((len(candidates), RESAMPLES))
    labels: list[NDArray[np.int64]] = []

    def again(number: int, whole: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
        return share_kept(whole, make(number).fit(Z[rows]).predict(Z).astype(np.int64), number)

    # OpenMP's number of threads is each thread's own, so every worker is told.
    workers = ThreadPoolExecutor(threads, initializer=threadpool_limits, initargs=(1,))
    with threadpool_limits(1), workers as pool:
        for place, number in enumerate(candidates):
            whole = make(number).fit_predict(Z).astype(np.int64)
            labels.append(whole)
            silhouette[place] = silhouette_score(
                Z, whole, sample_size=min(len(Z), 2_000), random_state=random_state
            )
            kept[place] = list(pool.map(partial(again, number, whole), draws))
        known = candidates.index(present) if present in candidates else None
        asked = _worth_asking(kept, known)
        compared = pool.map(lambda i: excess(Z, labels[i], make, lumpy, random_state), asked)
        above = dict(zip(asked, compared, strict=True))
    low, high = np.quantile(kept, [0.025, 0.975], axis=1)
    chosen, good, reason = decided(candidates, kept, above, present)
    curve = np.array([above[i].value if i in above else np.nan for i in range(len(candidates))])
    mean = kept.mean(axis=1)
    stable = bool(np.quantile(kept[chosen], HELD) >= STABLE)
    return Choice(
        candidates, mean, low, high, silhouette, curve, candidates[chosen], stable, good, reason
    )


def _worth_asking(kept: Floats, known: int | None) -> list[int]:
    stable = [i for i, values in enumerate(kept) if values.mean() >= STABLE]
    asked = stable or [int(np.argmax(kept.mean(axis=1)))]
    return asked if known is None or known in asked else sorted([*asked, known])


def decided(
    numbers: tuple[int, ...], kept: Floats, above: dict[int, Excess], present: int | None = None
) -> tuple[int, bool, str]:
    """Return the place of the number chosen, whether it makes good segments, and why.

    Parameters
    ----------
    kept : ndarray of float64, shape (n_numbers, n_resamples)
        Share of customers who keep their segment.
    above : dict of int to Excess
        By place in `numbers`, of those that were compared with made-up customers.
    present : int, optional
        The number people know.

    Examples
    --------
    >>> curve = {0: Excess(0.10, True), 1: Excess(0.14, True)}
    >>> decided((3, 4), np.full((2, 20), 0.97), curve)[:2]
    (1, True)
    >>> decided((3, 4), np.full((2, 20), 0.97), curve, present=3)[:2]
    (0, True)
    >>> decided((2, 3), np.full((2, 20), 0.97), {0: curve[1], 1: curve[0]})[:2]
    (1, True)
    """
    mean = kept.mean(axis=1)
    held = [i for i in above if np.quantile(kept[i], HELD) >= STABLE]
    firm = [i for i in held if above[i].real]
    real = firm or [i for i in above if above[i].real]
    if not real:
        return _nothing(numbers, mean, above)
    best = max(real, key=lambda i: above[i].value)
    # Of two segments alone nobody learns much: more are preferred where they are nearly as good.
    least = above[best].value - CLEARLY_BETTER
    several = [i for i in real if numbers[i] > 2 and above[i].value >= least]
    best = max(several or [best], key=lambda i: above[i].value)
    if mean[best] < (LEAST if above[best].value >= CLEAR_EXCESS else STABLE):
        return _nothing(numbers, mean, above)
    words = ""
    if present in numbers:
        # Numbers that are nearly as good change places with the customers drawn; were each of them
        # chosen in turn, segments that come back would still be lost. So the present one stays.
        known = numbers.index(present)
        near = above[known].value >= above[best].value - CLEARLY_BETTER
        # One draw's mean is no proof that they no longer come back: nearly all retrainings are.
        back = np.quantile(kept[known], 1 - HELD) >= LEAST
        if known != best and above[known].real and back and near:
            best, words = known, " It is the number there was, and no other is clearly better."
    share = f"{100 * mean[best]:.0f} % of the customers"
    firmly = float(np.quantile(kept[best], HELD))
    if firmly >= STABLE:
        reason = (
            f"{numbers[best]} segments come back: learned again from other customers of the same "
            f"kind, they leave {share} where they were, and they lie further apart than in "
            f"customers without groups (silhouette higher by {above[best].value:.2f}).{words}"
        )
    else:
        reason = (
            f"The segmentation is unstable: learned again from other customers of the same kind, "
            f"{numbers[best]} segments leave {share} where they were on average, but only "
            f"{100 * firmly:.0f} % or fewer in one of {1 / HELD:.0f} retrainings (at least "
            f"{100 * STABLE:.0f} % are asked for).{words}"
        )
    return best, True, reason


def _nothing(
    numbers: tuple[int, ...], mean: Floats, above: dict[int, Excess]
) -> tuple[int, bool, str]:
    best = max(above, key=lambda i: mean[i])
    share = f"{100 * mean[best]:.0f} %"
    if mean[best] < STABLE:
        why = (
            f"no number of segments comes back when learned again from other customers of the same "
            f"kind; {numbers[best]} do best and leave {share} of the customers where they were"
        )
    else:
        why = (
            f"customers lie no further apart than made-up ones without groups, though "
            f"{numbers[best]} segments leave {share} of them where they were"
        )
    return best, False, f"There is no good segmentation: {why}."
