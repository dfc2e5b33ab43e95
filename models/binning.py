"""Few groups of one encoded column: levels of a category, tenths of a number, and missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.encoder import Column
from models.linear import Term
from models.outcomes import Floats, Integers

RARE = 20  # a level seen in fewer rows has no group of its own
PARTS = 10
LOWEST = float(np.finfo(np.float64).min)


@dataclass(frozen=True)
class Bins:
    """How a column's values fall into groups, numbered from 0.

    Attributes
    ----------
    column : int
        Its place in the encoded row.
    is_category : bool
        Whether a group is one level, or the numbers from one edge to the next.
    edges : ndarray of float64
        Ascending: the levels, or the lower ends of the groups. Behind the groups they make come
        two more: whatever else is known (rare levels), and missing.

    Examples
    --------
    >>> bins = Bins.of(0, Column("orders", "int"), np.array([1.0, 2.0, 2.0, np.nan]), parts=2)
    >>> bins.groups(np.array([0.0, 1.5, 9.0, np.nan])).tolist(), bins.missing
    ([0, 0, 1, 3], 3)
    """

    column: int
    is_category: bool
    edges: Floats

    @classmethod
    def of(cls, place: int, column: Column, values: Floats, parts: int = PARTS) -> Bins:
        """Return the groups that training rows make of a column."""
        known = values[np.isfinite(values)]
        if column.dtype == "category":
            levels, counts = np.unique(known, return_counts=True)
            return cls(place, True, levels[counts >= RARE])
        if not len(known):
            return cls(place, False, np.empty(0))
        lowest = known.min()
        above, parting = known[known > lowest], np.linspace(0, 1, parts + 1)[1:-1]
        if len(above) <= len(known) * (1 - 1 / parts):
            # Most counts are 0: what is more than that is parted by itself.
            known, parting = above, np.linspace(0, 1, parts)[:-1]
        # Values themselves, never a point between two: a count has no halves.
        cuts = np.quantile(known, parting, method="higher") if len(known) else known
        return cls(place, False, np.concatenate([[LOWEST], np.unique(cuts[cuts > lowest])]))

    @property
    def other(self) -> int:
        """The group of levels that have none of their own."""
        return len(self.edges)

    @property
    def missing(self) -> int:
        """The group of what is not known."""
        return len(self.edges) + 1

    def groups(self, values: Floats) -> Integers:
        """Return the group of each value, int64[n]."""
        known = np.isfinite(values)
        place = np.searchsorted(self.edges, values, side="right") - 1
        if self.is_category and len(self.edges):
            place = np.where(self.edges[np.maximum(place, 0)] == values, place, self.other)
        found = np.where(known, place if len(self.edges) else self.other, self.missing)
        return found.astype(np.int64)

    def terms(self, margins: Floats, base: float) -> tuple[Term, ...]:
        """Return terms that add, to an intercept of `base`, what each group's margin is above it.

        Parameters
        ----------
        margins : ndarray of shape (len(edges) + 2,)
            By group; that of rare levels is taken to be the base.
        """
        absent = float(margins[self.missing]) - base
        above = margins[: self.other] - base
        # Each step adds to the one before, so that the last one reached is what counts.
        added = above if self.is_category else np.diff(above, prepend=0.0)
        return tuple(
            Term(
                self.column,
                kind="level" if self.is_category else "step",
                level=float(edge),
                coefficient=float(coefficient),
                missing_coefficient=0.0 if at else absent,
            )
            for at, (edge, coefficient) in enumerate(zip(self.edges, added, strict=True))
        )
