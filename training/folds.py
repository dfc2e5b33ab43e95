"""Folds of customers, each with its share of the answers: for rows that no time puts in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

FOLDS = 5
FEW, SOME = 2_000, 20_000
"""Up to as many rows, who falls into which fold moves the figures: they are dealt anew."""


@dataclass(frozen=True)
class Fold:
    """Positions of the rows to learn from, and of those that are judged for it."""

    train: Integers
    test: Integers


def stratified(
    y: Integers, groups: Integers, n_folds: int, random: np.random.Generator
) -> Integers:
    """Return the fold of each row; a group has one, and folds have like numbers of positives.

    Groups are shuffled, put in order of their positives and then of their rows, and dealt like
    cards: no two folds differ by more positives than one group can have.

    Parameters
    ----------
    y : ndarray of {0, 1}, shape (n,)
    groups : ndarray of int64, shape (n,)
        Codes of the customers.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 0, 1, 1])
    >>> folds = stratified(y, np.arange(6), 2, np.random.default_rng(0))
    >>> [int(y[folds == fold].sum()) for fold in (0, 1)]
    [1, 1]
    """
    codes = np.unique(groups, return_inverse=True)[1]
    positives, rows = np.bincount(codes, weights=y), np.bincount(codes)
    shuffled = random.permutation(len(rows))
    dealt = shuffled[np.lexsort((rows[shuffled], positives[shuffled]))]
    fold_of = np.empty(len(rows), dtype=np.int64)
    fold_of[dealt] = np.arange(len(rows)) % n_folds
    return fold_of[codes]


def repeats_of(rows: int) -> int:
    """Return how often as many rows are dealt into folds.

    Examples
    --------
    >>> [repeats_of(rows) for rows in (80, 5_000, 100_000)]
    [3, 2, 1]
    """
    return 1 + (rows <= FEW) + (rows <= SOME)


def repeated(
    y: Integers, groups: Integers, random_state: int, n_folds: int = FOLDS
) -> tuple[Fold, ...]:
    """Return the folds of every deal, one deal after the other: each judges every row once.

    Source
    ------
    Kohavi (1995), A study of cross-validation and bootstrap for accuracy estimation, IJCAI:
    stratified folds; repeated, because one deal of few rows is a matter of luck.
    """
    random = np.random.default_rng(random_state)
    found: list[Fold] = []
    for _ in range(repeats_of(len(y))):
        folds = stratified(y, groups, n_folds, random)
        found += [
            Fold(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))
            for fold in range(n_folds)
        ]
    return tuple(found)


def mean_by_row(
    folds: Sequence[Fold], values: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return each row's mean over the folds that judged it.

    Parameters
    ----------
    values : sequence of ndarray
        For each fold, a value for each row of its `test`.

    Examples
    --------
    >>> folds = [Fold(np.array([1]), np.array([0])), Fold(np.array([0]), np.array([1, 0]))]
    >>> mean_by_row(folds, [np.array([0.2]), np.array([0.5, 0.4])]).round(2).tolist()
    [0.3, 0.5]
    """
    rows = np.concatenate([fold.test for fold in folds])
    return np.bincount(rows, weights=np.concatenate(values)) / np.bincount(rows)
