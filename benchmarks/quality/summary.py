"""From answers to figures: each contender on each table, and this project beside the best peer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.metrics import debiased_calibration_error, log_loss
from models.ranking import auc

Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """One contender's answers to one fold, beside what happened."""

    repeat: int
    y: NDArray[np.int64]
    p: Floats
    seconds: float


class Scores(NamedTuple):
    """A contender's figures on a table: by fold, and calibration by repeat."""

    auc: Floats
    log_loss: Floats
    calibration: float
    seconds: float


class Against(NamedTuple):
    """This project beside the best peer of a table, measure by measure.

    Attributes
    ----------
    auc_gap, low, high : float
        Ours less the best's, with the corrected 95 % interval.
    logloss_ratio : float
    ece_gap : float
    best : str
        Whose AUC is the highest.
    """

    auc_gap: float
    low: float
    high: float
    logloss_ratio: float
    ece_gap: float
    best: str


def scores(judged: list[Judged]) -> Scores:
    """Return a contender's figures on one table."""
    aucs = np.array([auc(each.y, each.p) for each in judged])
    losses = np.array([log_loss(each.y, each.p) for each in judged])
    errors = []
    for repeat in sorted({each.repeat for each in judged}):
        some = [each for each in judged if each.repeat == repeat]
        y, p = (np.concatenate([each[at] for each in some]) for at in (1, 2))
        errors.append(debiased_calibration_error(y, p))
    seconds = float(np.median([each.seconds for each in judged]))
    return Scores(aucs, losses, float(np.mean(errors)), seconds)


def against(ours: Scores, peers: Mapping[str, Scores], test_share: float) -> Against:
    """Return this project beside the best peer; the best may be another for each measure.

    Parameters
    ----------
    test_share : float
        Judged rows as a share of those learned from: 0.25 with five folds.
    """
    best = max(peers, key=lambda name: float(peers[name].auc.mean()))
    gap, low, high = corrected(ours.auc - peers[best].auc, test_share)
    cheapest = min(float(each.log_loss.mean()) for each in peers.values())
    truest = min(each.calibration for each in peers.values())
    return Against(
        gap, low, high, float(ours.log_loss.mean()) / cheapest, ours.calibration - truest, best
    )


def corrected(differences: Floats, test_share: float) -> tuple[float, float, float]:
    """Return the mean of differences by fold and its 95 % interval; NaN around fewer than two.

    Folds share most of their training rows, so that the plain t-test is far too sure.

    Source
    ------
    Nadeau & Bengio (2003), Inference for the generalization error, Machine Learning 52:
    variance of the mean = (1 / k + n_test / n_train) s2.

    Examples
    --------
    >>> [round(each, 3) for each in corrected(np.array([0.01, 0.02, 0.03]), 0.25)]
    [0.02, -0.013, 0.053]
    """
    from scipy.stats import t

    k, mean = len(differences), float(differences.mean())
    if k < 2:
        return mean, math.nan, math.nan
    wide = float(t.ppf(0.975, k - 1) * differences.std(ddof=1) * np.sqrt(1 / k + test_share))
    return mean, mean - wide, mean + wide
