"""What a model must beat, fitted to a form that can be published in its place.

Every baseline but one becomes a :class:`models.linear.Linear` over the encoder's columns: without
terms (the same probability for all), over one column (a rule, or the best one), or over all
(logistic regression). Naive Bayes is shown beside them and never published.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from models.best_column import best_column
from models.encoder import Column, Encoder
from models.linear import Linear
from models.logistic import FREE, logistic
from models.naive_bayes import NaiveBayes
from models.outcomes import Floats, totals
from models.spec import Baseline


def fit_baseline(
    baseline: Baseline,
    encoder: Encoder,
    X: Floats,
    y: ArrayLike,
    groups: ArrayLike,
    random_state: int = 0,
) -> Linear | NaiveBayes:
    """Return a baseline fitted to encoded rows.

    Parameters
    ----------
    baseline : Baseline
        As the model's spec lists it.
    encoder : Encoder
        Whose columns X has.
    X : ndarray of shape (rows, columns)
        Encoded rows; NaN is missing.
    y, groups : array-like of shape (rows,)
        Answers, and the customer of each row.
    random_state : int
        Seed of the folds that choose a penalty or a column.

    Raises
    ------
    MetricError
        If all answers are the same.

    Examples
    --------
    >>> encoder = Encoder([Column("orders", "int")])
    >>> constant = Baseline("constant rate", "constant")
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> round(fit_baseline(constant, encoder, X, [0, 0, 0, 1], list("abcd")).margin([9.0]), 4)
    -1.0986
    """
    y_ = np.asarray(y, dtype=np.float64)
    yes, no = totals(float(y_.sum()), float((1 - y_).sum()))
    columns = list(enumerate(encoder.columns))
    named = [(i, c) for i, c in columns if _is_feature(baseline, c)]
    if baseline.kind == "constant":
        return Linear(float(np.log(yes / no)))
    if baseline.kind == "naive_bayes":
        return NaiveBayes.fit(columns, X, y_, team=named[0][0] if named else None)
    codes = np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    if baseline.kind == "best_column":
        return best_column(columns, X, y_, codes, random_state)
    if baseline.kind == "rule":
        return logistic(named, X, y_, codes, strength=FREE)
    return logistic(columns, X, y_, codes, random_state=random_state)


def _is_feature(baseline: Baseline, column: Column) -> bool:
    return baseline.feature is not None and column.name == baseline.feature.name
