"""Additively smoothed naive Bayes: how a CRM without machine learning scores its leads.

Shown as a baseline, never published: teams and clamps make it no sum of one column's terms each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.binning import Bins
from models.encoder import Column
from models.outcomes import Floats, Integers

SMOOTHING = 0.1
CLAMP = 0.01
ENOUGH = 20
"""A team with fewer answers of either kind is scored by everybody's counts."""
PARTS = 5


@dataclass(frozen=True)
class NaiveBayes:
    """How often each value stood with a yes and with a no, as if no value knew of another.

    The odds of a yes are multiplied, for every field that is filled, by (share of this value
    among the yes) / (share among the no), each frequency increased by 0.1; the probability is
    kept within 0.01 to 0.99. Counts are a team's own where it has enough answers of both kinds,
    otherwise everybody's. Numbers count by fifths.

    Attributes
    ----------
    fields : tuple of Bins
    team : Bins or None
        The column that names the team.
    prior : ndarray of shape (teams + 1,)
        Logarithm of the odds, by team; the last one is everybody.
    ratios : tuple of ndarray, each of shape (teams + 1, groups)
        Logarithm of the ratio, by field: 0 where a field is not filled.

    Source
    ------
    The method is that of Odoo CRM's predictive lead scoring, as its documentation describes it;
    Rish (2001), An empirical study of the naive Bayes classifier; additive smoothing: Lidstone
    (1920).

    Examples
    --------
    >>> X = np.repeat([[0.0], [1.0]], 40, axis=0)
    >>> y = np.array([0.0] * 30 + [1.0] * 10 + [0.0] * 10 + [1.0] * 30)
    >>> found = NaiveBayes.fit([(0, Column("source", "category", ("call", "web")))], X, y)
    >>> found.margins(np.array([[1.0], [np.nan]])).round(2).tolist()
    [1.09, 0.0]
    """

    fields: tuple[Bins, ...]
    team: Bins | None
    prior: Floats
    ratios: tuple[Floats, ...]

    @classmethod
    def fit(
        cls, columns: list[tuple[int, Column]], X: Floats, y: Floats, team: int | None = None
    ) -> NaiveBayes:
        """Return the counts of training rows.

        Parameters
        ----------
        columns : list of (int, Column)
            Fields, with their places in the encoded row.
        X : ndarray of shape (n, p)
            Encoded rows; NaN is missing.
        y : ndarray of {0, 1}, shape (n,)
        team : int, optional
            Place of the column that names the team; it is no field itself.
        """
        made = {i: Bins.of(i, column, X[:, i], PARTS) for i, column in columns}
        by_team = None if team is None else made.pop(team)
        own = _members(by_team, X)
        n_teams = 0 if by_team is None else len(by_team.edges)
        rows = [own == number for number in range(n_teams)]
        # Whoever has too few is everybody, and so is who has no team.
        rows = [r if _has_enough(y[r]) else np.ones(len(y), bool) for r in rows]
        rows.append(np.ones(len(y), bool))
        prior = np.array([np.log(y[r].sum() / (1 - y[r]).sum()) for r in rows])
        ratios = []
        for bins in made.values():
            group = bins.groups(X[:, bins.column])
            there = np.bincount(group, minlength=bins.missing + 1)[: bins.missing] > 0
            ratios.append(np.array([_ratio(group[r], y[r], there) for r in rows]))
        return cls(tuple(made.values()), by_team, prior, tuple(ratios))

    def margin(self, row: Floats) -> float:
        """Return the margin of one encoded row."""
        return float(self.margins(np.asarray(row, dtype=np.float64)[None, :])[0])

    def margins(self, X: Floats) -> Floats:
        """Return the margin of each row, float64[n], within the clamps."""
        bound = float(np.log((1 - CLAMP) / CLAMP))
        return np.asarray(np.clip(self._added(X).sum(axis=1), -bound, bound))

    def contributions(self, X: Floats) -> Floats:
        """Return what each column adds to the margin, float64[n, n_columns + 1].

        The last column holds the team's odds and what the clamps take away.
        """
        answers = self._added(X)
        answers[:, -1] = self.margins(X) - answers[:, :-1].sum(axis=1)
        return answers

    def _added(self, X: Floats) -> Floats:
        team = np.minimum(_members(self.team, X), len(self.prior) - 1)
        added = np.zeros((len(X), X.shape[1] + 1))
        added[:, -1] = self.prior[team]
        for bins, ratio in zip(self.fields, self.ratios, strict=True):
            added[:, bins.column] = ratio[team, bins.groups(X[:, bins.column])]
        return added


def _members(team: Bins | None, X: Floats) -> Integers:
    """The team of each row; numbers beyond the teams are rare, missing or no team at all."""
    return np.zeros(len(X), np.int64) if team is None else team.groups(X[:, team.column])


def _has_enough(y: Floats) -> bool:
    return min(float(y.sum()), float(len(y) - y.sum())) >= ENOUGH


def _ratio(group: Integers, y: Floats, there: NDArray[np.bool_]) -> Floats:
    """Logarithm of the ratio by group; 0 for one that no row falls into, and for missing."""
    n, filled = len(there), group < len(there)
    won = np.where(there, np.bincount(group[filled], y[filled], n) + SMOOTHING, 0.0)
    lost = np.where(there, np.bincount(group[filled], 1 - y[filled], n) + SMOOTHING, 0.0)
    answers = np.zeros(n + 1)
    shares = won[there] / won.sum(), lost[there] / lost.sum()
    answers[:n][there] = np.log(shares[0] / shares[1])
    return answers
