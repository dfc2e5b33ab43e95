"""Answers and the probabilities given to them: checked once, for every metric."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import NextbestError

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


class MetricError(NextbestError):
    """A metric that these rows do not define."""


def checked(
    y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return answers, probabilities and weights (ones if there are none) as float vectors.

    Raises
    ------
    MetricError
        If lengths differ, there are no rows, an answer is neither 0 nor 1, or a probability is
        missing or outside 0 to 1.

    Examples
    --------
    >>> checked([0, 1], [0.2, 0.9])[2]
    array([1., 1.])
    """
    y_, p_ = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w_ = np.ones(y_.shape) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if not (y_.shape == p_.shape == w_.shape and y_.ndim == 1):
        raise MetricError(
            f"Answers, probabilities and weights have shapes {y_.shape}, {p_.shape}, {w_.shape}.",
            remedy="Pass three vectors of one length.",
        )
    # The comparisons are False for NaN, so that a missing value is refused too.
    if not (len(p_) and p_.min() >= 0 and p_.max() <= 1 and ((y_ == 0) | (y_ == 1)).all()):
        raise MetricError(
            "There are no rows, or an answer is not 0 or 1, or a probability not between them.",
            remedy="Pass mature answers and calibrated probabilities of at least one row.",
        )
    return y_, p_, w_


def totals(yes: float, no: float) -> tuple[float, float]:
    """Return the weights of both answers.

    Raises
    ------
    MetricError
        If one of them is absent, so that nothing can be told apart.

    Examples
    --------
    >>> totals(2.0, 3.0)
    (2.0, 3.0)
    """
    if yes <= 0 or no <= 0:
        raise MetricError(
            "All rows have the same answer.", remedy="Judge on a period that holds both answers."
        )
    return yes, no
