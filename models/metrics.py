"""How good probabilities are: losses that are means over rows, and the table of all metrics.

Every metric is a plain function of `y` (n answers, 0 or 1), `p` (n probabilities of 1) and,
optionally, `sample_weight` (n weights >= 0), and raises MetricError where the rows do not define
it. What looks at order is in :mod:`models.ranking`, what looks at calibration in
:mod:`models.recalibration`, intervals in :mod:`models.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from models.outcomes import Floats, Integers, checked
from models.ranking import Ranked, auc, average_precision, lift_at
from models.recalibration import (
    SMALLEST,
    OneStep,
    calibration_intercept,
    calibration_slope,
    for_intercept,
    for_slope,
)


def log_losses(y: ArrayLike, p: ArrayLike) -> Floats:
    """Each row's -log(probability given to what happened), in nats.

    Examples
    --------
    >>> log_losses([1, 0], [1.0, 0.5]).round(4).tolist()
    [0.0, 0.6931]
    """
    y_, p_, _ = checked(y, p)
    given = np.where(y_ > 0.5, p_, 1 - p_)
    losses: Floats = np.abs(np.log(np.clip(given, SMALLEST, 1.0)))
    return losses


def squared_errors(y: ArrayLike, p: ArrayLike) -> Floats:
    """Each row's squared distance between the answer and its probability.

    Examples
    --------
    >>> squared_errors([1, 0], [1.0, 0.5]).tolist()
    [0.0, 0.25]
    """
    y_, p_, _ = checked(y, p)
    return (y_ - p_) ** 2


def log_loss(y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Mean of -log(probability given to what happened), in nats.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    return float(np.average(log_losses(y, p), weights=checked(y, p, sample_weight)[2]))


def brier(y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Mean squared distance between the answer and its probability.

    Examples
    --------
    >>> brier([1, 0], [0.5, 0.5])
    0.25
    """
    return float(np.average(squared_errors(y, p), weights=checked(y, p, sample_weight)[2]))


def ece(
    y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None, bins: int = 10
) -> float:
    """Mean distance between probability and observed share over bins of equal width.

    Source: Naeini, Cooper, Hauskrecht (2015), Obtaining well calibrated probabilities.

    Examples
    --------
    >>> ece([0, 1, 1, 1], [0.25, 0.75, 0.75, 0.75])
    0.25
    """
    y_, p_, w_ = checked(y, p, sample_weight)
    index = np.minimum((p_ * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(index, weights=w_ * (y_ - p_), minlength=bins)
    return float(np.abs(gaps).sum() / w_.sum())


def debiased_calibration_error(
    y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None, bins: int = 15
) -> float:
    """Root mean square distance between probability and share, without what chance adds to it.

    In each bin the share differs from its probability by chance alone; its variance is taken
    off, so that a calibrated model has about 0.0 on few rows as on many. :func:`ece` has not.

    Parameters
    ----------
    sample_weight : array-like, optional
        Weights of the rows, of which only the ratios matter.
    bins : int
        Of equal numbers of rows; equal probabilities stay together.

    Source
    ------
    Kumar, Liang & Ma (2019), Verified uncertainty calibration, NeurIPS: the debiased estimator.

    Examples
    --------
    >>> y, p = [0, 1] * 50, [0.25] * 50 + [0.75] * 50
    >>> round(debiased_calibration_error(y, p), 3), debiased_calibration_error(y, [0.5] * 100)
    (0.24, 0.0)
    """
    y_, p_, w_ = checked(y, p, sample_weight)
    edges = np.unique(np.quantile(p_, np.arange(1, bins) / bins))
    index = np.searchsorted(edges, p_, side="right")
    weight, squares = np.bincount(index, w_), np.bincount(index, w_**2)
    held = weight > 0
    weight, squares = weight[held], squares[held]
    share, promised = (np.bincount(index, w_ * each)[held] / weight for each in (y_, p_))
    by_chance = share * (1 - share) / np.maximum(weight**2 / squares - 1, 1.0)
    squared = np.average((share - promised) ** 2 - by_chance, weights=weight)
    return float(np.sqrt(max(0.0, squared)))


Resample: TypeAlias = Callable[[Floats], float]  # how often each group was drawn -> the metric


@dataclass(frozen=True)
class Metric:
    """A metric and how to compute it for many resamples of groups.

    Parameters
    ----------
    function : callable
        (y, p, sample_weight) -> value.
    better : {"higher", "lower", "one", "zero"}
        Which way is better, or the ideal.
    resample : callable
        (y, p, group code of each row, number of groups) -> a function of the draw's counts.
    """

    function: Callable[..., float]
    better: Literal["higher", "lower", "one", "zero"]
    resample: Callable[[Floats, Floats, Integers, int], Resample]


def _mean(losses: Callable[[Floats, Floats], Floats]) -> Callable[..., Resample]:
    def prepare(y: Floats, p: Floats, codes: Integers, n_groups: int) -> Resample:
        sums = np.bincount(codes, losses(y, p), n_groups)
        sizes = np.bincount(codes, minlength=n_groups).astype(np.float64)
        return lambda draw: float(draw @ sums / (draw @ sizes))

    return prepare


def _ranked(metric: Callable[[Ranked, Floats], float]) -> Callable[..., Resample]:
    def prepare(y: Floats, p: Floats, codes: Integers, n_groups: int) -> Resample:
        ranked = Ranked(y, p)
        return lambda draw: metric(ranked, draw[codes])

    return prepare


METRICS: dict[str, Metric] = {
    "log_loss": Metric(log_loss, "lower", _mean(log_losses)),
    "auc": Metric(auc, "higher", _ranked(Ranked.auc)),
    "average_precision": Metric(average_precision, "higher", _ranked(Ranked.average_precision)),
    "brier": Metric(brier, "lower", _mean(squared_errors)),
    "calibration_slope": Metric(
        calibration_slope, "one", lambda y, p, codes, n: OneStep(for_slope(y, p), codes, n)
    ),
    "calibration_intercept": Metric(
        calibration_intercept, "zero", lambda y, p, codes, n: OneStep(for_intercept(y, p), codes, n)
    ),
    "ece": Metric(ece, "lower", lambda y, p, codes, n: lambda draw: ece(y, p, draw[codes])),
    "lift_at_10": Metric(lift_at, "higher", _ranked(lambda ranked, w: ranked.lift_at(0.1, w))),
}
