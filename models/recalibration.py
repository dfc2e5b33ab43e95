"""How far probabilities must be stretched and shifted to fit what happened.

Source: Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics. The
slope comes from a logistic regression of the answer on logit(p); the intercept is calibration in
the large, the shift with the slope held at 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models.outcomes import Floats, Integers, MetricError, checked, totals

SMALLEST = 1e-15  # a probability nearer to 0 or 1 counts as this near: its logit stays finite
STEPS = 50


def logit(p: Floats) -> Floats:
    """Return log(p / (1 - p)).

    Examples
    --------
    >>> logit(np.array([0.5]))
    array([0.])
    """
    inside = np.clip(p, SMALLEST, 1 - SMALLEST)
    result: Floats = np.log(inside) - np.log1p(-inside)
    return result


@dataclass(frozen=True)
class Recalibration:
    """A logistic regression with columns (k, n), n answers and an offset a row.

    `unit` is what one of the last column stands for: it is standardised, because Newton steps
    need columns of like size.
    """

    columns: Floats
    y: Floats
    offset: Floats
    unit: float = 1.0

    def loss(self, beta: Floats, w: Floats) -> float:
        """Weighted sum of the rows' log losses."""
        eta = beta @ self.columns + self.offset
        return float(w @ (np.logaddexp(0, eta) - self.y * eta))

    def pieces(self, beta: Floats) -> tuple[Floats, Floats]:
        """Each row's gradient (k, n) and curvature (k, k, n) at beta."""
        eta = np.clip(beta @ self.columns + self.offset, -700, 700)
        mu = 1 / (1 + np.exp(-eta))
        products = self.columns[:, None, :] * self.columns[None, :, :]
        curvature: Floats = products * (mu * (1 - mu))
        return self.columns * (self.y - mu), curvature

    def fit(self, w: Floats) -> Floats:
        """Coefficients (k,) by Newton steps, halved while they overshoot.

        Raises
        ------
        MetricError
            If no finite coefficients fit best, or many fit equally well.
        """
        beta = np.zeros(len(self.columns))
        for _ in range(STEPS):
            gradient, curvature = self.pieces(beta)
            step = _solve(curvature @ w, gradient @ w)
            if np.abs(step).max() < 1e-10:
                return beta
            now = self.loss(beta, w)
            while self.loss(beta + step, w) > now + 1e-9 * abs(now):
                step *= 0.5
            beta += step
        raise _undefined()


def _solve(curvature: Floats, gradient: Floats) -> Floats:
    if not np.linalg.cond(curvature) < 1e13:
        raise _undefined()
    return np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)


def _undefined() -> MetricError:
    return MetricError(
        "The probabilities are all equal, or separate the answers without an error.",
        remedy="Calibration needs probabilities that differ and are sometimes wrong.",
    )


def for_slope(y: Floats, p: Floats) -> Recalibration:
    """Return the regression whose last coefficient, by its unit, is the calibration slope."""
    x = logit(p)
    unit = float(x.std())
    if unit < 1e-12:
        raise _undefined()
    return Recalibration(
        np.stack([np.ones_like(x), (x - x.mean()) / unit]), y, np.zeros_like(x), unit
    )


def for_intercept(y: Floats, p: Floats) -> Recalibration:
    """Return the regression whose only coefficient is the calibration intercept."""
    return Recalibration(np.ones((1, len(y))), y, logit(p))


class OneStep:
    """The last coefficient under resampled groups: one Newton step from the fit to all rows.

    One step leaves an error of the order of the squared standard error, far inside the interval,
    and turns a regression for each resample into two products of matrices. Source: Davidson,
    MacKinnon (1999), Bootstrap testing in nonlinear models.
    """

    def __init__(self, regression: Recalibration, codes: Integers, n_groups: int) -> None:
        self.beta = regression.fit(np.ones(len(codes)))
        self._k, self._unit = len(self.beta), regression.unit
        gradient, curvature = regression.pieces(self.beta)
        rows = np.concatenate([gradient, curvature.reshape(self._k**2, -1)])
        self._sums = np.stack([np.bincount(codes, row, n_groups) for row in rows])

    def __call__(self, draw: Floats) -> float:
        """Return the coefficient when group g was drawn draw[g] times."""
        sums = self._sums @ draw
        step = _solve(sums[self._k :].reshape(self._k, self._k), sums[: self._k])
        return float((self.beta + step)[-1] / self._unit)


def calibration_slope(y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Stretch of logit(p) that fits the answers; below 1 the probabilities are too extreme.

    Examples
    --------
    >>> round(calibration_slope([0, 0, 1, 0, 1, 1], [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]), 3)
    0.5
    """
    y_, p_, w_ = checked(y, p, sample_weight)
    totals(float(w_ @ y_), float(w_ @ (1 - y_)))
    regression = for_slope(y_, p_)
    return float(regression.fit(w_)[-1] / regression.unit)


def calibration_intercept(
    y: ArrayLike, p: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Shift of logit(p) that fits the answers; above 0 the probabilities are too low on the whole.

    Examples
    --------
    >>> abs(calibration_intercept([0, 1], [0.5, 0.5])) < 1e-9
    True
    """
    y_, p_, w_ = checked(y, p, sample_weight)
    totals(float(w_ @ y_), float(w_ @ (1 - y_)))
    return float(for_intercept(y_, p_).fit(w_)[-1])
