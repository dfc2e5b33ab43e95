"""Trees grown from a table: how many, judged by customers they did not see, several as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import NextbestError
from models.encoder import Encoder
from models.spec import ModelSpec

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]
Settings: TypeAlias = Mapping[str, Any]

PATIENCE = 50
"""Trees without improvement on unseen rows before the count is settled."""
NO_SETTINGS = ("importance_type", "class_weight", "scale_pos_weight", "is_unbalance")
"""Weights by class would make rare answers seem common; a margin is to mean what it says."""


class FitError(NextbestError):
    """An estimator that cannot be trained here."""


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

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[Any]) -> Table:
        """Return some of the rows, in the order asked for."""
        return Table(self.X[rows], self.y[rows], self.groups[rows], self.encoder)

    def for_trees(self) -> Any:
        """Return the rows as LightGBM's own dataset."""
        from lightgbm import Dataset

        return Dataset(self.X, self.y, categorical_feature=self.encoder.categorical)


@dataclass(frozen=True)
class CrossValidated:
    """What trees say of customers they did not see.

    Attributes
    ----------
    trees : int
        How many were best, or asked for.
    margins : ndarray of float64, shape (n,)
        Of each row by the trees of the other folds; NaN where its own was left out.
    """

    trees: int
    margins: Floats


def settings_of(
    spec: ModelSpec, random_state: int, threads: int, changes: Settings | None = None
) -> dict[str, Any]:
    """Return LightGBM's parameters of a model's own estimator, some of them changed.

    Raises
    ------
    FitError
        The estimator is none of LightGBM's binary classifiers.

    Examples
    --------
    >>> from models.catalog import spec
    >>> settings_of(spec("churn"), 7, 1, {"num_leaves": 5})["num_leaves"]
    5
    """
    from lightgbm import LGBMClassifier

    estimator = spec.estimator(random_state, threads)
    if not isinstance(estimator, LGBMClassifier):
        raise FitError(
            f"The estimator of {spec.name!r} is a {type(estimator).__name__}.",
            remedy="Return a lightgbm.LGBMClassifier: only its trees can be published.",
        )
    settings = {**estimator.get_params(), **(changes or {}), "objective": "binary"}
    for name in NO_SETTINGS:
        settings.pop(name, None)
    if spec.monotone:
        settings["monotone_constraints"] = [
            spec.monotone.get(name, 0) for name in spec.feature_names
        ]
        settings["monotone_constraints_method"] = "intermediate"
    return settings


def most_trees(settings: Settings) -> int:
    """Return the estimator's limit."""
    return int(settings["n_estimators"])


def stopped(table: Table, settings: Settings, learn: Rows, judge: Rows) -> int:
    """Return how many trees, grown from some rows, are best for other rows."""
    import lightgbm

    grown_from = table.take(learn).for_trees()
    later = table.take(judge)
    booster = lightgbm.train(
        _without_limit(settings),
        grown_from,
        most_trees(settings),
        valid_sets=[grown_from.create_valid(later.X, later.y)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    return max(1, int(booster.best_iteration))


def cross_validated(
    table: Table,
    settings: Settings,
    folds: NDArray[np.int64],
    trees: int | None = None,
) -> CrossValidated:
    """Return trees for some folds, grown in step, and what they say of the rows they did not see.

    Parameters
    ----------
    folds : ndarray of int64, shape (n,)
        All rows of a customer share one; rows of a negative one are always learnt from.
    trees : int, optional
        How many; without it, as many as had the lowest log loss over all these folds together.
    """
    import lightgbm

    numbers = np.unique(folds[folds >= 0])
    parts = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in numbers]
    found = lightgbm.cv(
        _without_limit(settings) | {"metric": "binary_logloss"},
        table.for_trees(),
        trees or most_trees(settings),
        folds=parts,
        callbacks=None if trees else [lightgbm.early_stopping(PATIENCE, verbose=False)],
        return_cvbooster=True,
    )["cvbooster"]
    best = trees or max(1, int(found.best_iteration))
    margins = np.full(len(table), np.nan)
    for booster, (_, held) in zip(found.boosters, parts, strict=True):
        margins[held] = booster.predict(
            table.X[held], raw_score=True, num_iteration=best, num_threads=settings["n_jobs"]
        )
    return CrossValidated(best, margins)


def grown(table: Table, settings: Settings, trees: int) -> str:
    """Return the text of trees grown from all rows."""
    import lightgbm

    text: str = lightgbm.train(_without_limit(settings), table.for_trees(), trees).model_to_string()
    return text


def _without_limit(settings: Settings) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "n_estimators"}
