"""Intervals over customers without drawing: a mean difference, and calibration.

Rows of one customer resemble each other, so what varies is a customer's sum, and the error of a
mean over rows follows from those sums (a sandwich). What is left is the shape: losses have a long
tail, and with it on the challenger's side the percentile bootstrap promises too much (with 100
customers and an exponential tail it erred in 6 % of trials where 2.5 % were asked for; this one in
2.8 %). Hall's transformation takes the skewness out and draws nothing, so that a decision costs
milliseconds and has no seed.

Source: Hall (1992), On the removal of skewness by transformation, J. R. Statist. Soc. B 54; Liang,
Zeger (1986), Longitudinal data analysis using generalized linear models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from models.bootstrap import Difference, Estimate
from models.outcomes import Floats, Integers, MetricError, checked
from models.recalibration import Recalibration, for_intercept, for_slope

CALIBRATION = {"calibration_slope": for_slope, "calibration_intercept": for_intercept}
SMALLEST_SKEW = 1e-6  # below it the transformation is the identity, and its formula 0 / 0


@dataclass(frozen=True)
class Grouped:
    """Which customer each row belongs to: codes from 0 to n - 1.

    Examples
    --------
    >>> Grouped.of(["b", "a", "b"]).n
    2
    """

    codes: Integers
    n: int

    @classmethod
    def of(cls, groups: ArrayLike) -> Grouped:
        """Return the codes of any labels."""
        levels, codes = np.unique(np.asarray(groups), return_inverse=True)
        return cls(codes.astype(np.int64), len(levels))

    def take(self, rows: Integers) -> Grouped:
        """Return the customers of some rows, counted anew."""
        return Grouped.of(self.codes[rows])

    def sums(self, values: Floats) -> Floats:
        """Return each customer's sum over their rows, float64[n]."""
        return np.bincount(self.codes, values, self.n).astype(np.float64)


def mean_difference(
    loss_a: ArrayLike, loss_b: ArrayLike, groups: Grouped, alpha: float = 0.025
) -> Difference:
    """Return the mean of loss_a - loss_b over the same rows; each bound errs with `alpha`.

    Parameters
    ----------
    loss_a, loss_b : array-like of shape (rows,)
        Losses of two models on the same rows in the same order.
    groups : Grouped
        The customer of each row. From one alone nothing can be told: the bounds are infinite.
    alpha : float
        One-sided: the mean lies below `low` with this probability, and above `high` too.

    Examples
    --------
    >>> found = mean_difference([0.1, 0.2, 0.1], [0.3, 0.5, 0.2], Grouped.of(["a", "b", "c"]), 0.2)
    >>> round(found.mean, 2), found.high < 0
    (-0.2, True)
    """
    difference = np.asarray(loss_a, dtype=np.float64) - np.asarray(loss_b, dtype=np.float64)
    mean, n = float(difference.mean()), groups.n
    if n < 2:
        return Difference(mean, -np.inf, np.inf)
    pulls = groups.sums(difference - mean) * (n / len(difference))
    spread = float(np.sqrt(pulls @ pulls / (n - 1)))
    if spread == 0.0:
        return Difference(mean, mean, mean)
    skew = float(np.mean((pulls / spread) ** 3))
    low, high = (
        mean - spread * _untransformed(float(stdtrit(n - 1, p)) / np.sqrt(n), skew, n)
        for p in (1 - alpha, alpha)
    )
    return Difference(mean, float(low), float(high))


def _untransformed(value: float, skew: float, n: int) -> float:
    """Return the studentised mean whose transformation, free of skewness, has this value."""
    if abs(skew) < SMALLEST_SKEW:
        return value
    return float(3 / skew * (np.cbrt(1 + skew * (value - skew / (6 * n))) - 1))


def calibration(
    y: ArrayLike, p: ArrayLike, groups: Grouped, alpha: float = 0.025
) -> dict[str, Estimate]:
    """Return calibration slope and intercept with intervals over customers.

    Where one is not defined, as the slope of a constant rate, it says why instead.

    Examples
    --------
    >>> found = calibration([0, 1, 0, 1], [0.5] * 4, Grouped.of(list("abcd")))
    >>> found["calibration_slope"].value, found["calibration_intercept"].value
    (None, 0.0)
    """
    y_, p_, _ = checked(y, p)
    found = {}
    for name, regression in CALIBRATION.items():
        try:
            found[name] = _coefficient(regression(y_, p_), groups, alpha)
        except MetricError as error:
            found[name] = Estimate(None, None, None, error.message)
    return found


def _coefficient(regression: Recalibration, groups: Grouped, alpha: float) -> Estimate:
    """Return the last coefficient of a regression, by its unit, with its interval."""
    if groups.n < 2:
        return Estimate(None, None, None, "All rows are one customer's.")
    beta = regression.fit(np.ones(len(groups.codes)))
    gradient, curvature = regression.pieces(beta)
    pulls = np.linalg.solve(
        curvature.sum(axis=2), np.stack([groups.sums(row) for row in gradient])
    )[-1]
    error = np.sqrt(pulls @ pulls * groups.n / (groups.n - 1)) * -stdtrit(groups.n - 1, alpha)
    value, low, high = np.array([beta[-1], beta[-1] - error, beta[-1] + error]) / regression.unit
    return Estimate(float(value), float(low), float(high))
