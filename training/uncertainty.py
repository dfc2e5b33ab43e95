"""How far a customer's true probability may lie from the published one."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.intervals import LEVEL, Intervals
from models.spec import ModelSpec
from training.dataset import Dataset
from training.fit import Fitted, Fitting
from training.halves import LEAST, Halves, halves, logit
from training.probes import probes

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

MOST_PROBES = 100
POINTS = 60
TIMES, ROUGHLY = 2.15, 0.4
"""Mean square error of a half's model over the mean square by which two halves differ, halved;
and how sure that is. On ten simulated companies of 22,000 to 470,000 rows it was 1.6 to 2.6."""
FEW = 250.0
"""Fewer answers' worth of information, and doubt is added: rather too wide than too narrow."""
DOUBT = 1.5
"""Standard errors that are added where next to nothing is known."""
MOMENTS, EACH = 100, 20.0
"""Groups of moments at most, and how many answers' worth of information each needs."""
RARER = 0.65
"""By which power of p (1 - p) the mean square falls, measured on the same companies."""
WIDEST = 10.0
"""Log odds to either side that are as good as knowing nothing."""


def intervals_of(
    spec: ModelSpec, data: Dataset, learned: Integers, shown: Fitted, how: Fitting
) -> Intervals:
    """Return a 90 % interval of a customer's true probability for each margin.

    The mean square error of log odds is estimated; a normal distribution makes it an interval,
    wider where answers are rare. Models of two halves of the customers differ by chance alone:
    that needs no answers and is known well. What both miss is some multiple of it. Answers of
    customers that were not seen say how large, but with much noise; so their word is weighed
    against what was measured on companies with known truth. What moves all rows of a moment,
    which no feature tells, is added.

    Parameters
    ----------
    spec : ModelSpec
    data : Dataset
    learned : ndarray of int64
        Positions of the rows that were learned from.
    shown : Fitted
        What is published.
    how : Fitting
        As it was fitted.
    """
    from scipy.special import ndtri

    two = halves(spec, data, learned, shown, how)
    whole = mean_square_error(two, np.random.default_rng(how.random_state))
    asked = np.unique(np.quantile(shown.engine.margins(two.table.X), np.linspace(0, 1, POINTS)))
    given = np.clip(shown.calibrator.probability(asked), LEAST, 1.0 - LEAST)
    odds, weight = logit(given), _weight(two.unseen)
    # Rare answers tell little: log odds err more where they are.
    shape = np.average(weight**-RARER, weights=weight)
    square = whole * (given * (1.0 - given)) ** -RARER / shape
    half = np.minimum(np.sqrt(square) * ndtri((1.0 + LEVEL) / 2.0), WIDEST)
    low, high = (1.0 / (1.0 + np.exp(-(odds + side * half))) for side in (-1.0, 1.0))
    return Intervals(tuple(asked.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def mean_square_error(two: Halves, random: np.random.Generator) -> float:
    """Return the mean square of the published model's error of log odds.

    A half's model errs by what it misses, b, and by chance, v: two of them differ by 2 v, and one
    alone errs by b + v = Q v. A model of all customers has half the chance: b + v / 2. The
    multiple Q is a normal mean of two that are known with an error: `TIMES`, and what the probes
    see of the error over what they see of the difference.

    Parameters
    ----------
    two : Halves
    random : numpy.random.Generator
        Draws the probes' products.

    Source
    ------
    Efron & Morris (1973), Stein's estimation rule and its competitors, JASA 68: an estimate is
    drawn to what is known of its like, the more the larger its error.
    """
    table, weight = two.table, _weight(two.unseen)
    # So many functions of the features as the answers of a half can tell from chance.
    information, customers = float(weight.sum()), len(np.unique(table.groups))
    most = min(information / 4.0, customers / 6)
    Z = probes(table.X, table.encoder, two.unseen, int(np.clip(most, 2, MOST_PROBES)), random)
    found = seen(Z, table.y, two.unseen, two.apart, table.groups, two.half)
    chance = float(np.average(two.apart**2, weights=weight)) / 2.0
    # A variance that is 0 has no say: `found.apart` is at least of the size of `LEAST`.
    sure = (found.apart / max(found.doubt, LEAST)) ** 2
    own = found.error / max(found.apart, LEAST)
    times = (TIMES / ROUGHLY**2 + own * sure) / (1.0 / ROUGHLY**2 + sure)
    doubt = DOUBT * min(1.0, FEW / information) * found.doubt
    return chance * (max(times, 1.0) - 0.5) + doubt + shared(two)


class Seen(NamedTuple):
    """Mean squares, in log odds, of what some functions of the features see.

    Attributes
    ----------
    error : float
        Of the error of a half's model, without what chance adds; right on average, so it may
        be negative.
    apart : float
        Half of that of the difference between the two models.
    doubt : float
        The standard error of `error`.
    """

    error: float
    apart: float
    doubt: float


def seen(
    Z: Floats, y: Integers, odds: Floats, apart: Floats, groups: Integers, half: Integers
) -> Seen:
    """Return what functions of the features see of error and difference.

    One Newton step of a logistic regression on `Z` beside the given log odds finds each row's
    error and much chance with it. How much is known from the spread of the customers' scores,
    and taken off. Each half by itself, for its model has seen the answers of the other half, and
    would hide its error. Rows count by p (1 - p), as their answers tell.

    Parameters
    ----------
    Z : ndarray of float64, shape (n, k)
    y : ndarray of {0, 1}, shape (n,)
    odds, apart : ndarray of float64, shape (n,)
        Log odds from models that did not see the row's customer; differences between the two.
    groups : ndarray of int64, shape (n,)
        The customer of each row: their answers may depend on each other.
    half : ndarray of int64, shape (n,)
        Rows of one half had the same model.

    Source
    ------
    Kline, Saggio & Solvsten (2020), Leave-out estimation of variance components, Econometrica 88:
    quadratic forms of estimates, less the noise of the estimates.
    """
    weight = _weight(odds)
    residual = y - 1.0 / (1.0 + np.exp(-odds))
    shape = (Z * weight[:, None]).T @ Z / weight.sum()
    found = []
    for at in (half == each for each in np.unique(half)):
        inverse = np.linalg.pinv((Z[at] * weight[at, None]).T @ Z[at])
        codes = np.unique(groups[at], return_inverse=True)[1]
        scores = np.zeros((int(codes.max()) + 1, Z.shape[1]))
        np.add.at(scores, codes, Z[at] * residual[at, None])
        step, other = inverse @ scores.sum(axis=0), inverse @ (Z[at].T @ (weight * apart)[at])
        noise = inverse @ (scores.T @ scores) @ inverse @ shape
        error = step @ shape @ step - np.trace(noise)
        found.append((error, other @ shape @ other / 2.0, 2.0 * np.trace(noise @ noise)))
    errors, differences, squares = np.array(found).T
    doubt = np.sqrt(squares.sum()) / len(found)
    return Seen(float(errors.mean()), float(differences.mean()), float(doubt))


def shared(two: Halves) -> float:
    """Return the mean square of the error that rows of one moment share, less what chance adds.

    A season or a trend moves everyone, and no feature tells it. Moments next to each other are
    put together where their answers alone would tell too little; 0.0 for a single moment.
    """
    weight = _weight(two.unseen)
    most = int(min(MOMENTS, weight.sum() / EACH))
    place = np.unique(two.as_of, return_inverse=True)[1]
    if most < 2 or place.max() == 0:
        return 0.0
    rank = np.cumsum(np.bincount(place)) - 1
    place = (rank * min(most, int(place.max()) + 1) // len(place))[place]
    place = np.unique(place, return_inverse=True)[1]  # a large moment fills several
    residual = two.table.y - 1.0 / (1.0 + np.exp(-two.unseen))
    residual = residual - weight * residual.sum() / weight.sum()
    sums, known, noise = (np.bincount(place, each) for each in (residual, weight, residual**2))
    found = float(((sums**2 - noise) / known).sum() / weight.sum())
    doubt = float(np.sqrt(2.0 * ((noise / known) ** 2).sum()) / weight.sum())
    # Drawn to nothing by its own doubt.
    return max(0.0, found) * found**2 / (found**2 + doubt**2 + LEAST**2)


def _weight(odds: Floats) -> Floats:
    p = 1.0 / (1.0 + np.exp(-odds))
    return np.asarray(p * (1.0 - p))
