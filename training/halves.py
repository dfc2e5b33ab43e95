"""Two models made as the published one was, each from half of the customers."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.baselines import fit_baseline
from models.booster import Booster
from models.spec import ModelSpec
from training.boosting import grown, settings_of
from training.candidates import TREES
from training.dataset import Dataset
from training.fit import SMALL, Fitted, Fitting, Table, fit_trees
from training.folds import stratified
from training.holdout import customers_of
from training.scorecard import SCORECARD, fit_scorecard

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

MOST_ROWS = 100_000
LEAST = 1e-6


class Halves(NamedTuple):
    """What the two models say of the same rows.

    Attributes
    ----------
    table : Table
    as_of : ndarray of int64, shape (n,)
    odds : ndarray of float64, shape (2, n)
        Log odds by the model of each half.
    half : ndarray of {0, 1}, shape (n,)
        Which half each row's customer belongs to.
    """

    table: Table
    as_of: Integers
    odds: Floats
    half: Integers

    @property
    def unseen(self) -> Floats:
        """Log odds of each row by the model that did not see its customer, float64[n]."""
        return np.asarray(np.where(self.half == 0, self.odds[1], self.odds[0]))

    @property
    def apart(self) -> Floats:
        """By how much the log odds differ, float64[n]."""
        return np.asarray(self.odds[0] - self.odds[1])


def halves(
    spec: ModelSpec, data: Dataset, learned: Integers, shown: Fitted, how: Fitting
) -> Halves:
    """Return what models of two halves of the customers say of the rows, of many rows some.

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
    groups, y = customers_of(data, learned), data.y.to_numpy()[learned]
    table = Table(shown.encoder.transform(data.X.iloc[learned]), y, groups, shown.encoder)
    random = np.random.default_rng(how.random_state)
    half = stratified(y, groups, 2, random)
    rows = _few(groups, random)
    said = [_odds(spec, table.take(half == side), shown, how, table.X[rows]) for side in range(2)]
    as_of = data.rows["as_of"].to_numpy()[learned[rows]].astype(np.int64)
    return Halves(table.take(rows), as_of, np.array(said), half[rows])


def _odds(spec: ModelSpec, table: Table, shown: Fitted, how: Fitting, X: Floats) -> Floats:
    """Log odds of rows by a model of other rows, without the search for what is settled."""
    if shown.name == TREES and len(table) > SMALL and shown.recipes:
        # Curves of so many answers hardly differ: the trees are grown, and nothing else.
        changes, trees = shown.recipes[0]
        settings = settings_of(spec, how.random_state, how.threads, changes)
        margins = Booster(grown(table, settings, trees or shown.notes["trees"])).margins(X)
        return logit(shown.calibrator.probability(margins))
    if shown.name == SCORECARD:
        again = fit_scorecard(table)
    elif shown.name == TREES:
        again = fit_trees(spec, table, None, replace(how.after(shown), folds=2))
    else:
        baseline = next(each for each in spec.baselines if each.name == shown.name)
        engine = fit_baseline(baseline, table.encoder, table.X, table.y, table.groups)
        again = replace(shown, engine=engine)
    return logit(again.calibrator.probability(again.engine.margins(X)))


def _few(groups: Integers, random: np.random.Generator) -> Integers:
    """Places of the rows of as many customers as have `MOST_ROWS` of them, or all."""
    if len(groups) <= MOST_ROWS:
        return np.arange(len(groups))
    drawn = random.permutation(int(groups.max()) + 1)
    return np.flatnonzero(drawn[groups] < len(drawn) * MOST_ROWS // len(groups))


def logit(p: Floats) -> Floats:
    """Return log odds, of probabilities kept away from 0 and 1.

    Examples
    --------
    >>> logit(np.array([0.5, 0.8])).round(2).tolist()
    [0.0, 1.39]
    """
    inside = np.clip(p, LEAST, 1.0 - LEAST)
    odds: Floats = np.log(inside) - np.log1p(-inside)
    return odds
