"""How sure a metric is: intervals from resampling customers, not rows.

Rows of one customer resemble each other, so customers are drawn with replacement and all rows of
a customer move together. A draw is a count for each customer, used as the weight of their rows.
Intervals are percentiles at 95 %. Source: Field, Welsh (2007), Bootstrapping clustered data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models.metrics import METRICS, Metric
from models.outcomes import Floats, Integers, MetricError, checked

TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Estimate:
    """A metric with its interval; all three None, and `why` said, where it is not defined.

    Examples
    --------
    >>> print(Estimate(0.8123, 0.7901, 0.8344))
    0.812 [0.790, 0.834]
    """

    value: float | None
    low: float | None
    high: float | None
    why: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"not defined: {self.why}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Difference:
    """Mean of loss a minus loss b, with its interval: below 0 where a is better."""

    mean: float
    low: float
    high: float


def _draws(n_groups: int, n: int, random_state: int) -> Iterator[Floats]:
    """Yield n times how often each group was drawn; multinomial with equal probabilities."""
    random = np.random.default_rng(random_state)
    for _ in range(n):
        drawn = random.integers(n_groups, size=n_groups)
        yield np.bincount(drawn, minlength=n_groups).astype(np.float64)


def _codes(groups: ArrayLike) -> tuple[Integers, int]:
    levels, codes = np.unique(np.asarray(groups), return_inverse=True)
    return codes.astype(np.int64), len(levels)


def _estimate(
    metric: Metric, y: Floats, p: Floats, groups: tuple[Integers, int], n: int, random_state: int
) -> Estimate:
    codes, n_groups = groups
    try:
        value = metric.function(y, p)
    except MetricError as error:
        return Estimate(None, None, None, error.message)
    resample = metric.resample(y, p, codes, n_groups)
    values = []
    for draw in _draws(n_groups, n, random_state):
        try:
            values.append(resample(draw))
        except MetricError:  # this draw holds one answer only
            continue
    if len(values) < n / 2:
        return Estimate(None, None, None, "Too few customers hold the rarer answer.")
    low, high = np.quantile(values, TAILS)
    return Estimate(value, float(low), float(high))


def evaluate(
    metrics: Sequence[str],
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike,
    n: int = 500,
    random_state: int = 0,
) -> dict[str, Estimate]:
    """Return each metric on these rows with its 95 % interval over customers.

    Parameters
    ----------
    metrics : sequence of str
        Names in :data:`models.metrics.METRICS`.
    y, p, groups : array-like of shape (rows,)
        Answers, probabilities, and the customer of each row.
    n : int
        Resamples; one that leaves a metric undefined is left out of its interval.
    random_state : int
        Seed; the same rows give the same interval, and every metric sees the same resamples.

    Returns
    -------
    dict of str to Estimate
        In the order asked for. A metric that is not defined on the rows, such as the calibration
        slope of a constant rate, says why instead of giving a number.

    Examples
    --------
    >>> found = evaluate(["auc", "calibration_slope"], [0, 1, 0, 1], [0.2] * 4, list("abcd"), n=20)
    >>> found["auc"].value, found["calibration_slope"].value
    (0.5, None)
    """
    y_, p_, _ = checked(y, p)
    grouped = _codes(groups)
    return {name: _estimate(METRICS[name], y_, p_, grouped, n, random_state) for name in metrics}


def interval(
    metric: str,
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike,
    n: int = 500,
    random_state: int = 0,
) -> tuple[float, float]:
    """Return the 95 % interval of one metric over customers.

    Raises
    ------
    MetricError
        If the rows do not define the metric.

    Examples
    --------
    >>> interval("brier", [0, 1, 1], [0.5, 0.5, 0.5], ["a", "b", "c"], n=50)
    (0.25, 0.25)
    """
    found = evaluate([metric], y, p, groups, n, random_state)[metric]
    if found.low is None or found.high is None:
        raise MetricError(found.why, remedy="Judge on rows that define it.")
    return found.low, found.high


def paired_bootstrap(
    loss_a: ArrayLike,
    loss_b: ArrayLike,
    groups: ArrayLike,
    n: int = 2_000,
    random_state: int = 0,
    tails: tuple[float, float] = TAILS,
) -> Difference:
    """Return the mean of loss_a - loss_b over the same rows, with its interval.

    Parameters
    ----------
    loss_a, loss_b : array-like of shape (rows,)
        Losses of two models on the same rows in the same order.
    groups : array-like of shape (rows,)
        The customer of each row.
    n, random_state : int
        Resamples and their seed.
    tails : (float, float)
        Quantiles of the interval.

    Examples
    --------
    >>> paired_bootstrap([0.1, 0.2], [0.3, 0.4], ["a", "b"], n=10).high < 0
    True
    """
    codes, n_groups = _codes(groups)
    difference = np.asarray(loss_a, dtype=np.float64) - np.asarray(loss_b, dtype=np.float64)
    sums = np.bincount(codes, difference, n_groups)
    sizes = np.bincount(codes, minlength=n_groups).astype(np.float64)
    means = [float(draw @ sums / (draw @ sizes)) for draw in _draws(n_groups, n, random_state)]
    low, high = np.quantile(means, tails)
    return Difference(float(difference.mean()), float(low), float(high))
