"""Rows as numbers to learn from; texts of many levels are put in the order of what they answered.

A column of hundreds of levels (postcodes, products, sources) tells trees little by which level it
is: each has few rows, and any grouping of them fits chance. In the order of their smoothed rates a
single cut separates the good from the bad.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.encoder import Column, Columns, Encoder, FeatureLike
from training.boosting import Table
from training.calibrate import folds_of

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

MANY = 50
"""Levels above which their order says more than which one it is."""
SMOOTH = 10.0
"""Rows at the overall rate that are added to those of each level."""
FOLDS = 5


def encoded(
    X: Columns,
    features: Iterable[FeatureLike],
    y: Integers,
    groups: Integers,
    random_state: int = 0,
) -> Table:
    """Return rows to learn from, and the encoder that serves.

    In the rows themselves the place of a level comes from other customers alone, or a row would
    know its own answer; a level that no other customer has is as if it had never been seen.

    Parameters
    ----------
    X : columns by name
    features : iterable of Feature
    y : ndarray of {0, 1}, shape (n,)
    groups : ndarray of int64, shape (n,)
        Codes of the customers.

    Source
    ------
    Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes,
    SIGKDD Explorations 3, for the smoothed rates; only their order is kept, which is all that
    trees see, so that a published level still has a whole number.
    """
    encoder = Encoder.fit(X, features)
    rows = encoder.transform(X)
    columns = list(encoder.columns)
    many = [at for at, c in enumerate(columns) if c.dtype == "category" and len(c.levels) > MANY]
    if many:
        folds = folds_of(groups, FOLDS, random_state)
        for at in many:
            columns[at], rows[:, at] = _in_order(columns[at], rows[:, at], y, folds)
        encoder = Encoder(columns)
    return Table(rows, y, groups, encoder)


def _in_order(column: Column, codes: Floats, y: Integers, folds: Integers) -> tuple[Column, Floats]:
    """The column with its levels in order, and the place of each row's level without its fold."""
    n = len(column.levels)
    rates = _rates(codes, y, n)
    order = np.argsort(rates, kind="stable")
    places = np.full(len(codes), np.nan)
    for fold in range(FOLDS):
        known = (folds == fold) & np.isfinite(codes)
        others = (folds != fold) & np.isfinite(codes)
        seen = np.bincount(codes[others].astype(np.int64), minlength=n) > 0
        at = np.searchsorted(rates[order], _rates(codes[others], y[others], n)).astype(np.float64)
        at[~seen] = np.nan
        places[known] = at[codes[known].astype(np.int64)]
    levels = tuple(column.levels[level] for level in order)
    return replace(column, dtype="ordinal", levels=levels), places


def _rates(codes: Floats, y: Integers, n: int) -> Floats:
    """The smoothed rate of each level."""
    known = np.isfinite(codes)
    level, answer = codes[known].astype(np.int64), y[known]
    overall: Any = answer.mean() if len(answer) else 0.0
    yes = np.bincount(level, weights=answer, minlength=n)
    return np.asarray((yes + SMOOTH * overall) / (np.bincount(level, minlength=n) + SMOOTH))
