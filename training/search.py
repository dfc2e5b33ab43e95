"""Settings of the trees found by trying: a number of trials that the seed alone decides.

Seconds are turned into a number of trials by a rule of thumb, never by the clock of the machine,
so that the same seed and budget give the same settings everywhere. The clock only stops what
takes far longer than thought; then the notes say after how many trials.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibrator import Calibrator
from models.metrics import log_loss
from training.boosting import Settings, Table, cross_validated
from training.calibrate import folds_of

FOLDS = 5
AT_ONCE = 2
"""Trials that are asked for together, whatever the number of threads: so the order is settled."""
KEPT = 3
"""The best are averaged: the very best is partly the luckiest."""
WORSE = 1.01
"""A trial whose first folds cost so much more than the best one's is given up."""
SHARE = 0.6
"""Of the budget that is spent on trials; what was found is then fitted in the rest."""
FIRST = 2
"""Folds after which that is decided."""
FEWEST, MOST = 4, 60
STARTS = (
    {"num_leaves": 16, "min_child_samples": 10, "reg_lambda": 1.0, "extra_trees": False},
    {"num_leaves": 4, "min_child_samples": 20, "reg_lambda": 1.0, "extra_trees": False},
    {"num_leaves": 31, "min_child_samples": 10, "reg_lambda": 3.0, "extra_trees": True},
)
"""What is tried after the estimator's own settings, before anything is guessed."""


@dataclass(frozen=True)
class Trial:
    """Settings that were tried to the end.

    Attributes
    ----------
    number : int
        0 is the estimator as it is.
    changes : dict
        What replaces the estimator's own settings.
    loss : float
        Mean log loss of customers who were not seen.
    trees : int
    margins : ndarray of float64, shape (n,)
        Of each row by trees that did not see its customer.
    """

    number: int
    changes: dict[str, Any]
    loss: float
    trees: int
    margins: NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    best : tuple of Trial
        At most `KEPT`, the best one first.
    tried, planned : int
        Trials; fewer were tried than planned where time ran out.
    """

    best: tuple[Trial, ...]
    tried: int
    planned: int

    def words(self) -> str:
        """Return what was tried, in a sentence.

        Examples
        --------
        >>> Found((), 12, 20).words()
        '12 of 20 trials before time ran out; the best 0 are averaged'
        """
        late = "" if self.tried == self.planned else f" of {self.planned}"
        why = "" if self.tried == self.planned else " before time ran out"
        return f"{self.tried}{late} trials{why}; the best {len(self.best)} are averaged"


def trials_for(budget: float, rows: int, columns: int) -> int:
    """Return how many trials fit into a budget in seconds, by a rule of thumb.

    Examples
    --------
    >>> trials_for(60, rows=5_000, columns=20), trials_for(60, rows=1_000_000, columns=100)
    (46, 4)
    """
    seconds = 0.8 + rows * (10 + columns) / 300_000
    return int(np.clip(budget / seconds, FEWEST, MOST))


def search(
    table: Table,
    settings: Settings,
    *,
    budget: float,
    random_state: int,
    threads: int = 2,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Return the settings with the lowest log loss for customers that were not seen.

    Parameters
    ----------
    table : Table
    settings : mapping
        The estimator's own: the first trial, and what the others start from.
    budget : float
        Seconds.
    random_state : int
    threads : int
        Trials that run at a time; they do not change what is found.
    clock : callable
        Seconds of any epoch.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    began, budget = clock(), SHARE * budget
    planned = trials_for(budget, *table.X.shape)
    folds = folds_of(table.groups, FOLDS, random_state)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=random_state, n_startup_trials=8)
    )
    for start in STARTS:
        study.enqueue_trial(start)
    alone = {**settings, "n_jobs": 1}  # small tables: a thread a trial, not many for one
    finished = [_tried(0, {}, table, alone, folds, None)]
    tried = 1
    with ThreadPoolExecutor(threads) as pool:
        while tried < planned and clock() - began < budget:
            asked = [study.ask() for _ in range(min(AT_ONCE, planned - tried))]
            changes = [_suggested(trial) for trial in asked]
            best = min(finished, key=lambda trial: trial.loss)
            run = partial(_tried, table=table, settings=alone, folds=folds, best=best)
            done = list(pool.map(run, range(tried, tried + len(asked)), changes))
            for trial, each in zip(asked, done, strict=True):
                study.tell(trial, each.loss)
            finished += [each for each in done if np.isfinite(each.margins).all()]
            tried += len(asked)
    finished.sort(key=lambda trial: (trial.loss, trial.number))
    return Found(tuple(finished[:KEPT]), tried, planned)


def _tried(
    number: int,
    changes: dict[str, Any],
    table: Table,
    settings: Settings,
    folds: NDArray[np.int64],
    best: Trial | None,
) -> Trial:
    """Settings tried on two folds, and on the others unless those two say enough."""
    settings = {**settings, **changes}
    some = folds < FIRST
    first = cross_validated(table, settings, np.where(some, folds, -1))
    loss = _loss(table.y[some], first.margins[some])
    if best is not None and loss > WORSE * _loss(table.y[some], best.margins[some]):
        return Trial(number, changes, loss, first.trees, first.margins)
    rest = cross_validated(table, settings, np.where(some, -1, folds))
    margins = np.where(some, first.margins, rest.margins)
    trees = (FIRST * first.trees + (FOLDS - FIRST) * rest.trees) // FOLDS
    return Trial(number, changes, _loss(table.y, margins), max(1, trees), margins)


def _loss(y: NDArray[np.int64], margins: NDArray[np.float64]) -> float:
    return log_loss(y, Calibrator.identity().probability(margins))


def _suggested(trial: Any) -> dict[str, Any]:
    """What a trial changes: few settings, around those that did well on many small tables."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.03, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 3, 31, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 5, 100, log=True),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30.0, log=True),
        "cat_smooth": trial.suggest_float("cat_smooth", 1.0, 100.0, log=True),
        "extra_trees": trial.suggest_categorical("extra_trees", [False, True]),
    }
