"""How far a customer's true probability may lie from the published one."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.baselines import fit_baseline
from models.intervals import LEVEL, Intervals
from models.spec import ModelSpec
from training.candidates import TREES
from training.dataset import Dataset
from training.fit import Fitted, Fitting, Table, fit_trees
from training.folds import stratified
from training.holdout import customers_of
from training.probes import probes
from training.scorecard import SCORECARD, fit_scorecard

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

MOST_ROWS = 40_000
MOST_PROBES = 200
FOLDS = 4
POINTS = 60
DOUBT = 0.5
"""Standard errors by which the estimate of the error is raised: rather too wide than too narrow."""
FEW = 250.0
"""Fewer answers' worth of information, and it is raised by as much as one and a half."""
UNSEEN = 1.7
"""Mean square error over what the probes find of it, measured on simulated companies of 5,000 to
37,000 rows: more directions hold error than a few thousand answers can tell from chance."""
RARER = 0.6
"""By which power of p (1 - p) the mean square falls, measured on the same companies."""
TRUST = 4.0
"""Weight of a part's own doubt against its difference from the whole."""
LEAST = 1e-6
WIDEST = 10.0
"""Log odds to either side that are as good as knowing nothing."""


def intervals_of(
    spec: ModelSpec, data: Dataset, learned: Integers, shown: Fitted, how: Fitting
) -> Intervals:
    """Return a 90 % interval of a customer's true probability for each margin.

    What the model says of customers whose answers it did not see is compared with their answers.
    The difference of one row is chance; what differences have in common along any function of
    the features is error. Its mean square, in log odds, is estimated without the part that
    chance alone would have; a normal distribution makes it an interval, wider where answers are
    rare. How much the functions miss of the error was measured on companies with known truth.

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

    random = np.random.default_rng(how.random_state)
    table, margins, folds = _unseen(spec, data, learned, shown, how)
    p = np.clip(shown.calibrator.probability(margins), LEAST, 1.0 - LEAST)
    # So many functions of the features as the answers of a fold can tell from chance.
    weight = float((p * (1.0 - p)).sum())
    customers = len(np.unique(table.groups))
    most = min(weight / 2.0, customers / 3) / len(np.unique(folds))
    Z = probes(table.X, table.encoder, margins, int(np.clip(most, 2, MOST_PROBES)), random)
    doubt = DOUBT + min(1.0, FEW / weight)
    one = np.zeros(len(p), dtype=np.int64)
    [found] = mean_square_errors(Z, table.y, p, table.groups, one, folds, doubt)
    # A model of all rows errs less than those of the folds; errors that no probe sees add to it.
    whole = found * UNSEEN * np.sqrt(1.0 - 1.0 / FOLDS)
    asked = np.unique(np.quantile(shown.engine.margins(table.X), np.linspace(0, 1, POINTS)))
    given = np.clip(shown.calibrator.probability(asked), LEAST, 1.0 - LEAST)
    odds = _logit(given)
    # Rare answers tell little: log odds err more where they are.
    shape, asked_shape = ((each * (1.0 - each)) ** -RARER for each in (p, given))
    square = whole * asked_shape / np.average(shape, weights=p * (1.0 - p))
    half = np.minimum(np.sqrt(square) * ndtri((1.0 + LEVEL) / 2.0), WIDEST)
    low, high = (1.0 / (1.0 + np.exp(-(odds + side * half))) for side in (-1.0, 1.0))
    return Intervals(tuple(asked.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def mean_square_errors(
    Z: Floats,
    y: Integers,
    p: Floats,
    groups: Integers,
    place: Integers,
    folds: Integers,
    doubt: float = 0.0,
) -> Floats:
    """Return the mean square of the error of log odds in each part.

    One Newton step of a logistic regression on `Z` beside the given log odds finds each row's
    error and much chance with it. How much is known from the spread of the customers' scores,
    and taken off: what is left is right on average, though no single row's error is. Each fold
    by itself, for its model has seen the answers of the other folds, and would hide its error.

    Parameters
    ----------
    Z : ndarray of float64, shape (n, k)
        Functions of the features.
    y : ndarray of {0, 1}, shape (n,)
    p : ndarray of float64, shape (n,)
        Probabilities from models that did not see the row's customer.
    groups : ndarray of int64, shape (n,)
        The customer of each row: their answers may depend on each other.
    place : ndarray of int64, shape (n,)
        The part each row belongs to.
    folds : ndarray of int64, shape (n,)
        Rows of one fold had the same model.
    doubt : float
        Standard errors of the estimate that are added to it.

    Source
    ------
    Kline, Saggio & Solvsten (2020), Leave-out estimation of variance components, Econometrica 88:
    quadratic forms of estimates, less the noise of the estimates.
    """
    steps = [
        _step(Z[at], y[at], p[at], groups[at]) for at in (folds == f for f in np.unique(folds))
    ]

    def of(part: Floats) -> tuple[float, float]:
        shape = part.T @ part / len(part)
        by_chance = [shape @ noise for _, noise in steps]
        means = [
            step @ shape @ step - np.trace(c) for (step, _), c in zip(steps, by_chance, strict=True)
        ]
        squares = [2.0 * np.trace(each @ each) for each in by_chance]
        return float(np.mean(means)), float(np.sqrt(np.sum(squares))) / len(steps)

    whole, error = of(Z)
    whole = max(whole, 0.0) + doubt * error
    found: list[float] = []
    for part in np.unique(place):
        mean, own = of(Z[place == part])
        # A part that is known badly is taken to be like the whole.
        trust = whole**2 / max(whole**2 + TRUST * own**2, LEAST**2)
        found.append(max(whole + trust * (mean - whole), 0.5 * whole))
    if whole == 0.0:
        return np.zeros(len(found))
    sizes = np.unique(place, return_counts=True)[1]
    return np.array(found) * whole / float(np.average(found, weights=sizes))


def _step(Z: Floats, y: Integers, p: Floats, groups: Integers) -> tuple[Floats, Floats]:
    """What a Newton step finds, and the covariance that chance gives it."""
    inverse = np.linalg.pinv((Z * (p * (1.0 - p))[:, None]).T @ Z)
    codes = np.unique(groups, return_inverse=True)[1]
    scores = np.zeros((int(codes.max()) + 1, Z.shape[1]))
    np.add.at(scores, codes, Z * (y - p)[:, None])
    return inverse @ scores.sum(axis=0), inverse @ (scores.T @ scores) @ inverse


def _unseen(
    spec: ModelSpec, data: Dataset, learned: Integers, shown: Fitted, how: Fitting
) -> tuple[Table, Floats, Integers]:
    """Some rows, their margins from models that did not see their customers, and the folds."""
    if shown.unseen is not None and shown.folds is not None and len(shown.folds) == len(learned):
        known = np.flatnonzero(np.isfinite(shown.unseen))
        kept = known[_few(data, learned[known], how.random_state)]
        table = _table(data, learned[kept], shown)
        return table, shown.unseen[kept], shown.folds[kept]
    rows = learned[_few(data, learned, how.random_state)]
    table = _table(data, rows, shown)
    folds = stratified(table.y, table.groups, FOLDS, np.random.default_rng(how.random_state))
    margins = np.empty(len(rows))
    for fold in range(FOLDS):
        held = folds == fold
        margins[held] = _again(spec, table.take(~held), shown, how).engine.margins(table.X[held])
    return table, margins, folds


def _again(spec: ModelSpec, table: Table, shown: Fitted, how: Fitting) -> Fitted:
    """The same procedure on other rows, without the search for what is settled."""
    if shown.name == SCORECARD:
        return fit_scorecard(table)
    if shown.name == TREES:
        return fit_trees(spec, table, None, replace(how.after(shown), folds=2))
    baseline = next(each for each in spec.baselines if each.name == shown.name)
    engine = fit_baseline(baseline, table.encoder, table.X, table.y, table.groups)
    return replace(shown, engine=engine)


def _few(data: Dataset, rows: Integers, random_state: int) -> Integers:
    """Places among the rows of as many customers as have `MOST_ROWS` of them, or all."""
    if len(rows) <= MOST_ROWS:
        return np.arange(len(rows))
    customers = customers_of(data, rows)
    drawn = np.random.default_rng(random_state).permutation(int(customers.max()) + 1)
    return np.flatnonzero(drawn[customers] < len(drawn) * MOST_ROWS // len(rows))


def _table(data: Dataset, rows: Integers, shown: Fitted) -> Table:
    X, y = shown.encoder.transform(data.X.iloc[rows]), data.y.to_numpy()[rows]
    return Table(X, y, customers_of(data, rows), shown.encoder)


def _logit(p: Floats) -> Floats:
    inside = np.clip(p, LEAST, 1.0 - LEAST)
    odds: Floats = np.log(inside) - np.log1p(-inside)
    return odds
