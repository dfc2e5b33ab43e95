"""Trees and baselines, fitted and calibrated on the training period alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NextbestError
from models.booster import Booster
from models.calibrator import Calibrator
from models.encoder import Encoder
from models.linear import Linear
from models.naive_bayes import NaiveBayes
from models.spec import ModelSpec
from training.calibrate import choose, folds_of

Floats: TypeAlias = NDArray[np.float64]

PATIENCE = 50
"""Trees without improvement on the later part before the count is settled."""
ENOUGH_MARGINS = 40_000
"""Out-of-fold margins from which a calibrator gets no better; further folds are left out."""


class FitError(NextbestError):
    """An estimator that cannot be trained here."""


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
    """

    name: str
    encoder: Encoder
    engine: Booster | Linear | NaiveBayes
    calibrator: Calibrator
    notes: dict[str, Any] = field(default_factory=dict)
    unseen: Floats | None = None
    folds: NDArray[np.int64] | None = None

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
class Table:
    """Encoded rows of a training period.

    Attributes
    ----------
    X : ndarray of float64, shape (n, p)
    y : ndarray of {0, 1}, shape (n,)
    groups : ndarray of int64, shape (n,)
        Codes of the customers.
    encoder : Encoder
    """

    X: Floats
    y: NDArray[np.int64]
    groups: NDArray[np.int64]
    encoder: Encoder

    def take(self, rows: NDArray[Any]) -> Table:
        """Return some of the rows, in the order asked for."""
        return Table(self.X[rows], self.y[rows], self.groups[rows], self.encoder)


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
    """

    random_state: int = 0
    threads: int = 2
    folds: int = 4
    trees: int | None = None
    most_rows: int | None = None


def fit_trees(
    spec: ModelSpec,
    table: Table,
    stop: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    how: Fitting,
) -> Fitted:
    """Return the model's own estimator, fitted in three stages.

    The number of trees is settled by early stopping on the later part of the period; with that
    number every customer gets a margin from trees that did not see the customer, and a calibrator
    is chosen on those; then the trees are refitted on all rows.

    Parameters
    ----------
    spec : ModelSpec
    table : Table
        The training period.
    stop : (ndarray, ndarray), optional
        Positions in `table` to learn from and to stop by; None where the period is too short for
        an inner split, when `how.trees` or a third of the estimator's limit is used.
    how : Fitting

    Raises
    ------
    FitError
        The estimator is none of LightGBM's binary classifiers.
    """
    trees = how.trees or _settle(spec, table, stop, how)
    folds = folds_of(table.groups, how.folds, how.random_state)
    margins = np.full(len(table.y), np.nan)
    for fold in range(how.folds):
        held = folds == fold
        booster = _grown(spec, table.take(~held), trees, how)
        margins[held] = booster.predict(table.X[held], raw_score=True, num_threads=how.threads)
        known = np.isfinite(margins)
        if known.sum() >= ENOUGH_MARGINS:
            break
    halves = folds_of(table.groups[known], how.folds, how.random_state)
    calibrator, losses = choose(margins[known], table.y[known], halves)
    refitted = Booster(_grown(spec, table, trees, how).model_to_string())
    notes = {"trees": trees, "calibrator": calibrator.method, "calibration_losses": losses}
    return Fitted("boosted trees", table.encoder, refitted, calibrator, notes, margins, folds)


def _settle(
    spec: ModelSpec,
    table: Table,
    stop: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    how: Fitting,
) -> int:
    import lightgbm

    estimator = _estimator(spec, how)
    if stop is None:
        return max(1, int(estimator.n_estimators) // 3)
    learn, judge = table.take(stop[0]), table.take(stop[1])
    estimator.fit(
        learn.X,
        learn.y,
        eval_X=(judge.X,),
        eval_y=(judge.y,),
        eval_metric="binary_logloss",
        categorical_feature=table.encoder.categorical,
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return max(1, int(estimator.best_iteration_))


def _grown(spec: ModelSpec, table: Table, trees: int, how: Fitting) -> Any:
    estimator = _estimator(spec, how).set_params(n_estimators=trees)
    estimator.fit(table.X, table.y, categorical_feature=table.encoder.categorical)
    return estimator.booster_


def _estimator(spec: ModelSpec, how: Fitting) -> Any:
    from lightgbm import LGBMClassifier

    estimator = spec.estimator(how.random_state, how.threads)
    if not isinstance(estimator, LGBMClassifier):
        raise FitError(
            f"The estimator of {spec.name!r} is a {type(estimator).__name__}.",
            remedy="Return a lightgbm.LGBMClassifier: only its trees can be published.",
        )
    return estimator
