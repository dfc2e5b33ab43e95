"""Counts the training rows for the evidence of reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.binning import Bins
from models.encoder import TEXTS, Column, Encoder
from models.evidence import LEAST, Counted, Evidence, Group, rounded
from models.spec import ModelSpec

Floats = NDArray[np.float64]
Answers = NDArray[Any]
PARTS = 5
"""Groups a number is parted into; those that are too small join their neighbours."""


def count(
    spec: ModelSpec, encoder: Encoder, X: Floats, y: Answers, customers: ArrayLike
) -> Evidence:
    """Return how many of the training rows answered yes, by feature and group of values.

    Parameters
    ----------
    spec : ModelSpec
        For the words of what they did.
    encoder : Encoder
    X : float64[n, n_columns]
        Encoded training rows.
    y : {0, 1}[n]
    customers : array-like of shape (n,)
        Whose rows they are: a group needs `LEAST` different ones.
    """
    _, whose = np.unique(np.asarray(customers, dtype=str), return_inverse=True)
    y = np.asarray(y, dtype=np.float64)
    found = {
        column.name: _counted(place, column, X[:, place], y, whose)
        for place, column in enumerate(encoder.columns)
    }
    features = {name: counted for name, counted in found.items() if counted is not None}
    did = {"en": spec.did or "answered yes", "ko": spec.did_ko or "해당됨"}
    return Evidence(rounded(float(y.mean())), did, features)


def _counted(
    place: int, column: Column, values: Floats, y: Floats, whose: NDArray[np.int64]
) -> Counted | None:
    """The groups of one column; None where all that may be shown is one group."""
    known = np.isfinite(values)

    def group(rows: NDArray[np.bool_]) -> Group | None:
        seen = np.zeros(whose.max(initial=0) + 1, dtype=bool)
        seen[whose[rows]] = True
        customers = int(seen.sum())
        if customers < LEAST:
            return None
        return Group(customers // 10 * 10, rounded(float(y[rows].mean())))

    missing = group(~known)
    if column.dtype in TEXTS:
        shares = [(level, group(values == code)) for code, level in enumerate(column.levels)]
        shown = [(level, each) for level, each in shares if each is not None]
        levels = tuple(level for level, _ in shown)
        counted = Counted((), levels, tuple(each for _, each in shown)) if shown else None
    else:
        edges: list[float] = []
        lowest, groups = -np.inf, []
        for edge in _edges(place, column, values):
            below = group(known & (values >= lowest) & (values < edge))
            if below is not None and group(known & (values >= edge)) is not None:
                edges.append(edge)
                groups.append(below)
                lowest = edge
        last = group(known & (values >= lowest))
        counted = None if last is None else Counted(tuple(edges), (), (*groups, last))
    if counted is None or len(counted.groups) + (missing is not None) < 2:
        return None
    return Counted(counted.edges, counted.levels, counted.groups, missing)


def _edges(place: int, column: Column, values: Floats) -> list[float]:
    """Where a number may be parted: round ones, as people say them."""
    if column.dtype == "bool":
        return [0.5]
    cuts = Bins.of(place, column, values, PARTS).edges[1:]
    return sorted({round(float(f"{cut:.2g}"), 4) for cut in cuts.tolist()})
