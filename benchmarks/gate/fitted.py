"""Retrainings with real fits: a column that knows the answer, and data that is a year old."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from benchmarks import leaks
from benchmarks.gate.world import REGIONS, ROWS, Floats, Retraining, Rows
from features.declare import attribute
from models.finding import Finding
from training.leaks.scan import scan

COLUMNS = 8
WEIGHTS = np.array([0.9, -0.7, 0.5, 0.4, -0.3, 0.2, 0.0, 0.0])
LEAK_AUC = 0.9
ROTATION = 0.6
"""How far, in radians, a year turns the weights of each pair of columns."""


def drawn(random: np.random.Generator, n: int, weights: Floats) -> tuple[Floats, Rows]:
    """Return columns and rows whose margins they decide but for a part that nobody sees."""
    X = random.normal(size=(n, COLUMNS))
    margin = -1.8 + X @ weights + random.normal(0, 0.5, n)
    y = (random.random(n) < expit(margin)).astype(np.int64)
    region = random.choice(list(REGIONS), n, p=list(REGIONS.values()))
    return X, Rows(y, random.integers(max(2, n * 3 // 5), size=n), region, margin)


def answers(train: tuple[Floats, Floats], X: Floats) -> Floats:
    """Return a logistic regression's probabilities of other rows."""
    return LogisticRegression().fit(*train).predict_proba(X)[:, 1]


def leaky(random: np.random.Generator, n: int = ROWS) -> Retraining:
    """Return a challenger with a column that is filled in after the answer, in all rows of the log.

    On the judged rows it is far better, because those too were read after the fact.
    """
    X, known = drawn(random, n, WEIGHTS)
    later, judged = drawn(random, n, WEIGHTS)
    told, told_later = (leak(random, each.y) for each in (known, judged))
    return Retraining(
        judged,
        answers((np.column_stack([X, told]), known.y), np.column_stack([later, told_later])),
        answers((X, known.y), later),
        found(np.column_stack([X, told]), known),
    )


def leak(random: np.random.Generator, y: NDArray[np.int64]) -> Floats:
    """Return a column that alone puts 90 % of the pairs of a yes and a no in order."""
    return np.sqrt(2) * norm.ppf(LEAK_AUC) * y + random.normal(size=len(y))


def stale(random: np.random.Generator, n: int = ROWS) -> Retraining:
    """Return a challenger that learned from three times as many rows, all of them a year old."""
    turned = WEIGHTS.copy()
    for first in range(0, COLUMNS, 2):
        a, b = WEIGHTS[first : first + 2]
        c, s = np.cos(ROTATION), np.sin(ROTATION)
        turned[first : first + 2] = c * a - s * b, s * a + c * b
    X_old, old = drawn(random, 3 * n, WEIGHTS)
    X, recent = drawn(random, n, turned)
    later, judged = drawn(random, n, turned)
    return Retraining(judged, answers((X_old, old.y), later), answers((X, recent.y), later))


def table(random: np.random.Generator, n: int = ROWS) -> leaks.Rows:
    """Return a table without a leak."""
    X, known = drawn(random, n, WEIGHTS)
    return as_table(X, known)


def as_table(X: Floats, known: Rows) -> leaks.Rows:
    """Return rows as the leak scan takes them."""
    columns = {f"column_{place}": X[:, place] for place in range(X.shape[1])}
    features = tuple(attribute(name, number=True) for name in columns)
    return leaks.snapshot("drawn", pd.DataFrame(columns), known.y, features, known.customers)


def found(X: Floats, known: Rows) -> tuple[Finding, ...]:
    """Return what the leak scan finds in training rows."""
    made = as_table(X, known)
    return scan(made.spec, made.data, np.arange(len(X)))
