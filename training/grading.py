"""Grades of a run: which cut points hold, and how often each grade was right."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.bootstrap import TAILS
from models.bundle import Bundle, BundleError
from models.grades import SHARES, Cuts, can_be_kept, cut, graded
from models.registry import Registry

Floats: TypeAlias = NDArray[np.float64]

MOVED = 2.0
"""A grade that holds this many times more or fewer rows than when cut anew is told of."""
DRAWS = 20_000


@dataclass(frozen=True)
class GradeCheck:
    """What was promised to the rows of one grade, and what came.

    Attributes
    ----------
    grade : str
    least : float
        The least probability that earns it.
    rows, positives : int
    share : float
        Of all judged rows.
    expected, low, high : float
        The mean promised probability, and where the actual rate would lie 95 % of the time if the
        promises were true: the range that "we said".
    actual : float
        The rate that came.
    """

    grade: str
    least: float
    rows: int
    positives: int
    share: float
    expected: float
    low: float
    high: float
    actual: float

    @property
    def kept(self) -> bool:
        """Whether the actual rate lies where it was said to."""
        return self.low <= self.actual <= self.high


@dataclass(frozen=True)
class Grading:
    """The grades of a run.

    Attributes
    ----------
    cuts : tuple of (str, float)
        Grade and least probability, best first.
    kept_from : str
        The version whose cut points these are; empty where they were cut on the judged rows.
    checks : tuple of GradeCheck
        One for each grade that judged rows earned, best first.
    """

    cuts: Cuts
    kept_from: str
    checks: tuple[GradeCheck, ...]

    @property
    def moved(self) -> tuple[GradeCheck, ...]:
        """The grades whose share has left what it is when grades are cut anew, by `MOVED`."""
        above = dict(zip("ABCD", (0.0, *(share for _, share in SHARES)), strict=False))
        meant = {grade: share - above[grade] for grade, share in SHARES}
        return tuple(
            check
            for check in self.checks
            if self.kept_from
            and not meant[check.grade] / MOVED <= check.share <= meant[check.grade] * MOVED
        )


def last_cuts(model: str, registry: Registry) -> tuple[Cuts, str]:
    """Return the champion's cut points and version; nothing where there are none to be kept.

    A champion that cannot judge today's rows, because features were declared otherwise since,
    still says what its grades meant.
    """
    version = registry.resolve(model)
    if version is None:
        return (), ""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            folder = registry.download(model, version, Path(scratch) / version)
            cuts = Bundle.load(folder, version).reference.least_probabilities
        except BundleError:
            # The verdict says that the champion is damaged; grades are then cut anew.
            return (), ""
    return (cuts, version) if can_be_kept(cuts) else ((), "")


def grading(
    y: NDArray[np.int64],
    p: Floats,
    customers: NDArray[Any],
    kept: tuple[Cuts, str] = ((), ""),
    random_state: int = 0,
) -> Grading:
    """Return the grades of judged rows: by the cut points to be kept, else cut on these rows.

    Parameters
    ----------
    y : ndarray of {0, 1}, shape (n,)
    p : ndarray of float64, shape (n,)
        What was promised.
    customers : ndarray, shape (n,)
    kept : (cuts, version)
        As `last_cuts` returns them.

    Examples
    --------
    >>> p = np.repeat([0.1, 0.2, 0.5, 0.9], [40, 30, 20, 10])
    >>> y = (np.arange(100) % 10 < p * 10).astype(int)
    >>> found = grading(y, p, np.arange(100))
    >>> [(check.grade, check.rows, check.actual) for check in found.checks]
    [('A', 10, 0.9), ('B', 20, 0.5), ('C', 30, 0.2), ('D', 40, 0.1)]
    """
    cuts, version = kept if kept[0] else (cut(p), "")
    grades = graded(cuts, p)
    checks = []
    for grade, least in cuts:
        rows = np.flatnonzero(grades == grade)
        if len(rows):
            low, high = promised(y[rows], p[rows], customers[rows], random_state)
            checks.append(
                GradeCheck(
                    grade, least, len(rows), int(y[rows].sum()), len(rows) / len(p),
                    float(p[rows].mean()), low, high, float(y[rows].mean()),
                )
            )  # fmt: skip
    return Grading(cuts, version, tuple(checks))


def promised(
    y: NDArray[np.int64], p: Floats, customers: Sequence[Any] | NDArray[Any], random_state: int = 0
) -> tuple[float, float]:
    """Return between which rates the actual one lies 95 % of the time if the promises are true.

    The spread is that of independent answers or, where rows of one customer resemble each other,
    the larger one seen between customers; a binomial count with that spread is drawn.

    Examples
    --------
    >>> low, high = promised(np.tile([0, 1], 50), np.full(100, 0.5), np.arange(100))
    >>> round(low, 2), round(high, 2)
    (0.4, 0.6)
    """
    expected, n = float(p.mean()), len(p)
    spread = expected * (1.0 - expected)
    if spread <= 0.0:
        return expected, expected
    missed = (y - p) - (y - p).mean()
    sums = np.bincount(np.unique(np.asarray(customers), return_inverse=True)[1], missed)
    variance = max(float((p * (1.0 - p)).sum()), float((sums**2).sum())) / n**2
    alike = max(1, round(spread / variance)) if variance > 0.0 else n
    drawn = np.random.default_rng(random_state).binomial(alike, expected, DRAWS) / alike
    low, high = np.quantile(drawn, TAILS)
    return float(low), float(high)
