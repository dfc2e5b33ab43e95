"""How far today's scores and features are from those a model was published with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from models.bundle import Bundle
from models.clusters import Clusters
from training.dataset import Dataset

Floats: TypeAlias = NDArray[np.float64]

DRIFTED = 0.25
"""Population stability index above which values are no longer those the model was made for.
Source: Siddiqi (2006), Credit Risk Scorecards: above 0.25 is a major shift."""
CHANCE = 0.999
"""Below this quantile of what chance alone makes, no index is called drift: few rows jump."""


@dataclass(frozen=True)
class Shift:
    """One distribution then and now.

    Attributes
    ----------
    name : str
        The feature's; "score" for the answers themselves.
    index : float
        Population stability index: 0 is the same.
    bound : float
        Above it the shift is drift.
    """

    name: str
    index: float
    bound: float = DRIFTED

    @property
    def drifted(self) -> bool:
        """Whether the shift is large, and larger than chance would make it."""
        return self.index > self.bound

    @classmethod
    def of(
        cls, name: str, then: Sequence[float] | Floats, now: Sequence[float] | Floats,
        rows: tuple[int, int],
    ) -> Shift:  # fmt: skip
        """Return the shift between shares of the same bins, of so many rows then and now.

        Without drift the index times the harmonic size of both samples is chi-squared. Source:
        Yurdakul, Naranjo (2020), Statistical properties of the population stability index.

        Examples
        --------
        >>> Shift.of("few", [0.5, 0.5], [0.9, 0.1], (1_000, 10)).drifted
        False
        >>> Shift.of("many", [0.5, 0.5], [0.9, 0.1], (1_000, 1_000)).drifted
        True
        """
        size = 1 / rows[0] + 1 / rows[1]
        # An empty bin has no logarithm; half a row stands for it.
        then, now = (
            np.maximum(np.asarray(shares, dtype=np.float64), 0.5 / n)
            for shares, n in zip((then, now), rows, strict=True)
        )
        bound = max(DRIFTED, float(chi2.ppf(CHANCE, max(1, len(then) - 1))) * size)
        return cls(name, stability_index(then, now), bound)


def drift(champion: Bundle, present: Dataset) -> tuple[Shift | None, tuple[Shift, ...]]:
    """Return the shift of the scores, or segments, and of each feature, the largest first."""
    if len(present) == 0:
        return None, ()
    X = champion.encoder.transform(present.X)
    known = champion.reference
    rows = (known.n, len(X))
    features = [
        Shift.of(
            column.name,
            known.features[column.name].shares,
            known.features[column.name].shares_of(X[:, place]),
            rows,
        )
        for place, column in enumerate(champion.encoder.columns)
    ]
    features.sort(key=lambda shift: -shift.index)
    if isinstance(champion.engine, Clusters):
        then = [segment.share for segment in champion.spec.segments]
        now = np.bincount(champion.engine.assign(X), minlength=len(then)) / len(X)
        return Shift.of("score", then, now, rows), tuple(features)
    quantiles = np.array(known.margin_quantiles)
    deciles = np.unique(quantiles[10:91:10])
    # What the quantiles say of the reference; a constant model has one value and no deciles.
    then_shares, now_shares = (
        np.bincount(np.searchsorted(deciles, each, side="right"), minlength=len(deciles) + 1)
        / len(each)
        for each in (quantiles, champion.engine.margins(X))
    )
    return Shift.of("score", then_shares, now_shares, rows), tuple(features)


def stability_index(then: Sequence[float] | Floats, now: Sequence[float] | Floats) -> float:
    """Return the population stability index of shares of the same bins: 0 is the same.

    Examples
    --------
    >>> stability_index([0.5, 0.5], [0.5, 0.5]), round(stability_index([0.5, 0.5], [0.9, 0.1]), 2)
    (0.0, 0.88)
    """
    # An empty bin has no logarithm; half a row in a thousand stands for it.
    a, b = (np.maximum(np.asarray(shares, dtype=np.float64), 5e-4) for shares in (then, now))
    return float(((b - a) * np.log(b / a)).sum())
