"""A linear model beside the trees, with the weight that unseen customers give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.calibrator import Calibrator
from models.encoder import Column
from models.linear import Linear
from models.logistic import logistic
from models.metrics import log_losses
from training.boosting import Table
from training.calibrate import clearly_lower

Floats: TypeAlias = NDArray[np.float64]

STRENGTHS = (0.003, 0.03, 0.3)
WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Beside:
    """A linear model that is worth its place beside the trees.

    Attributes
    ----------
    linear : Linear
        Fitted to all rows.
    weight : float
        Its share; the trees have the rest.
    margins : ndarray of float64, shape (n,)
        Of both together, each by models that did not see the row's customer.
    """

    linear: Linear
    weight: float
    margins: Floats


def beside(
    table: Table, folds: NDArray[np.int64], trees: Floats, monotone: dict[str, int]
) -> Beside | None:
    """Return logistic regression to put beside the trees, or None where they do as well alone.

    Parameters
    ----------
    table : Table
    folds : ndarray of int64, shape (n,)
        All rows of a customer share one.
    trees : ndarray of float64, shape (n,)
        The trees' margins, each without the row's customer.
    monotone : dict of str to {-1, 1}
        Which way columns may only go.

    Source
    ------
    Wolpert (1992), Stacked generalization, Neural Networks 5, with one weight for two models.
    """
    if any(len(np.unique(table.y[folds != fold])) < 2 for fold in np.unique(folds)):
        return None  # too few answers to leave some out
    losses = {}
    margins = {}
    columns = list(enumerate(table.encoder.columns))
    for strength in STRENGTHS:
        margins[strength] = _unseen(table, columns, folds, strength, monotone)
        losses[strength] = float(_losses(table, margins[strength]).mean())
    strength = min(losses, key=lambda each: losses[each])
    mixed = {w: w * margins[strength] + (1 - w) * trees for w in WEIGHTS}
    weight = min(mixed, key=lambda w: float(_losses(table, mixed[w]).mean()))
    if not clearly_lower(_losses(table, mixed[weight]), _losses(table, trees)):
        return None
    linear = _fitted(table, columns, strength, monotone)
    return Beside(linear, weight, mixed[weight])


def _unseen(
    table: Table,
    columns: list[tuple[int, Column]],
    folds: NDArray[np.int64],
    strength: float,
    monotone: dict[str, int],
) -> Floats:
    margins = np.empty(len(table))
    for fold in np.unique(folds):
        held = folds == fold
        fitted = _fitted(table.take(~held), columns, strength, monotone)
        margins[held] = fitted.margins(table.X[held])
    return margins


def _fitted(
    table: Table, columns: list[tuple[int, Column]], strength: float, monotone: dict[str, int]
) -> Linear:
    """Logistic regression without the columns that would go the wrong way."""
    y = table.y.astype(np.float64)
    fitted = logistic(columns, table.X, y, table.groups, strength=strength)
    wrong = {
        term.column
        for term in fitted.terms
        if monotone.get(table.encoder.names[term.column], 0) * term.coefficient < 0
    }
    if not wrong:
        return fitted
    return _fitted(table, [(i, c) for i, c in columns if i not in wrong], strength, monotone)


def _losses(table: Table, margins: Floats) -> Floats:
    return log_losses(table.y, Calibrator.identity().probability(margins))
