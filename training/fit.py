"""Trees and baselines, fitted and calibrated on the training period alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.averaging import weighted_sum
from models.blend import Blend
from models.booster import Booster
from models.calibrator import Calibrator
from models.encoder import Encoder
from models.linear import Linear
from models.naive_bayes import NaiveBayes
from models.spec import ModelSpec
from training.blending import Beside, beside
from training.boosting import (
    FitError,
    Table,
    cross_validated,
    grown,
    settings_of,
    stopped,
)
from training.calibrate import choose, folds_of
from training.search import search

Floats: TypeAlias = NDArray[np.float64]

SMALL = 20_000
"""Rows up to which chance moves trees: several are averaged, and a linear model is tried beside."""
RUNS = 3
"""Runs of other seeds that are averaged then; a second search setting counts as one."""
ENOUGH_MARGINS = 40_000
"""Out-of-fold margins from which a calibrator gets no better; further folds are left out."""

__all__ = ["FitError", "Fitted", "Fitting", "Recipe", "Table", "fit_trees"]


class Recipe(NamedTuple):
    """What replaces an estimator's own settings, and how many trees; None is not settled yet."""

    changes: dict[str, Any]
    trees: int | None


@dataclass(frozen=True)
class Fitted:
    """A trained candidate, ready to be judged or published.

    Attributes
    ----------
    name : str
        "boosted trees", or the baseline's name.
    encoder, engine, calibrator
        The three steps from feature values to a probability.
    notes : dict
        What was settled on the way: trees, losses of the calibrators.
    unseen : ndarray of float64, shape (n,), optional
        Margins of the training rows from engines that did not see their customers; NaN where
        there is none.
    folds : ndarray of int64, shape (n,), optional
        Rows of one fold had the same engine.
    recipes : tuple of Recipe
        Of the trees: what grows the same on other rows.
    """

    name: str
    encoder: Encoder
    engine: Booster | Linear | Blend | NaiveBayes
    calibrator: Calibrator
    notes: dict[str, Any] = field(default_factory=dict)
    unseen: Floats | None = None
    folds: NDArray[np.int64] | None = None
    recipes: tuple[Recipe, ...] = ()

    @property
    def publishable(self) -> bool:
        """Whether it may serve; naive Bayes is only shown."""
        return not isinstance(self.engine, NaiveBayes)

    def margins(self, X: pd.DataFrame) -> Floats:
        """Return the raw margin of each row, float64[n]."""
        return self.engine.margins(self.encoder.transform(X))

    def probabilities(self, X: pd.DataFrame) -> Floats:
        """Return the calibrated probability of each row, float64[n]."""
        return self.calibrator.probability(self.margins(X))


@dataclass(frozen=True)
class Fitting:
    """How one fit is run.

    Attributes
    ----------
    random_state : int
    threads : int
    folds : int
        Folds of customers for the margins that the calibrator is fitted to.
    trees : int, optional
        A number settled before; otherwise early stopping settles it.
    most_rows : int, optional
        With more training rows than this, some customers are drawn and the others left out.
    budget : float
        Seconds to search for better settings; 0 takes the estimator's own.
    recipes : tuple of Recipe
        Settings settled before; by default the estimator's own.
    """

    random_state: int = 0
    threads: int = 2
    folds: int = 4
    trees: int | None = None
    most_rows: int | None = None
    budget: float = 0.0
    recipes: tuple[Recipe, ...] = ()

    def after(self, fitted: Fitted) -> Fitting:
        """Return how the same is fitted to other rows, with what a first fit settled."""
        return replace(self, trees=fitted.notes.get("trees"), recipes=fitted.recipes, budget=0.0)


def fit_trees(
    spec: ModelSpec,
    table: Table,
    stop: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    how: Fitting,
) -> Fitted:
    """Return the model's own estimator, fitted in stages.

    Settings and number of trees are settled by how well they judge rows that were not learnt
    from. With those every customer gets a margin from trees that did not see the customer. On
    these margins it is decided whether a linear model beside the trees helps, and a calibrator is
    chosen. Then everything is refitted on all rows. Of a small table several runs are averaged.

    Parameters
    ----------
    spec : ModelSpec
    table : Table
        The training period.
    stop : (ndarray, ndarray), optional
        Positions in `table` to learn from and to stop by; without them customers that were left
        out settle the number of trees in turn.
    how : Fitting

    Raises
    ------
    FitError
        The estimator is none of LightGBM's binary classifiers.
    """
    small = len(table) <= SMALL
    recipes, notes = _settled(spec, table, stop, how)
    tried = [
        (settings_of(spec, how.random_state + run, 1 if small else how.threads, changes), trees)
        for changes, trees in recipes
        for run in range(max(RUNS // len(recipes), 2) if small else 1)
    ]
    # Small tables: a thread a run, side by side. Large ones: one run after another, on all threads.
    with ThreadPoolExecutor(how.threads if small else 1) as pool:
        folds = folds_of(table.groups, how.folds, how.random_state)
        validated = partial(cross_validated, table, folds=_enough(folds, len(table)))
        found = list(pool.map(lambda one: validated(one[0], trees=one[1]), tried[::2]))
        recipes = tuple(
            Recipe(changes, trees or round(float(np.mean([each.trees for each in found]))))
            for changes, trees in recipes
        )
        settled = [(settings, trees or recipes[0].trees) for settings, trees in tried]
        texts = list(pool.map(lambda one: grown(table, *one), settled))
    margins = np.mean([each.margins for each in found], axis=0)
    linear = beside(table, folds, margins, spec.monotone) if small else None
    if linear is not None:
        margins, notes["linear_share"] = linear.margins, linear.weight
    known = np.isfinite(margins)
    halves = folds_of(table.groups[known], how.folds, how.random_state)
    calibrator, losses = choose(margins[known], table.y[known], halves)
    notes |= {"calibrator": calibrator.method, "calibration_losses": losses}
    notes = {"trees": recipes[0].trees, **notes}
    engine = _engine(texts, linear)
    return Fitted(
        "boosted trees", table.encoder, engine, calibrator, notes, margins, folds, recipes
    )


def _settled(
    spec: ModelSpec,
    table: Table,
    stop: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    how: Fitting,
) -> tuple[tuple[Recipe, ...], dict[str, Any]]:
    """With which settings and how many trees, where that is known, and what is to be said of it."""
    if how.recipes:
        return how.recipes, {}
    settings = settings_of(spec, how.random_state, 1 if len(table) <= SMALL else how.threads)
    if how.budget > 0:
        found = search(
            table, settings, budget=how.budget, random_state=how.random_state, threads=how.threads
        )
        best = tuple(Recipe(trial.changes, trial.trees) for trial in found.best)
        return best, {"search": found.words()}
    trees = how.trees
    if trees is None and stop is not None:
        trees = stopped(table, settings, *stop)
    return (Recipe({}, trees),), {}


def _enough(folds: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """The folds, as many as give enough margins; the rows of others have -1."""
    share = ENOUGH_MARGINS / rows * (int(folds.max()) + 1)
    return np.where(folds < np.ceil(share), folds, -1)


def _engine(texts: Sequence[str], linear: Beside | None) -> Booster | Blend:
    """The mean of trees, and a linear model beside it."""
    if len(texts) == 1 and linear is None:
        return Booster(texts[0])
    share = 1.0 if linear is None else 1.0 - linear.weight
    trees = Booster(weighted_sum(texts, [share / len(texts)] * len(texts)))
    return trees if linear is None else Blend(linear.linear.scaled(linear.weight), trees)
