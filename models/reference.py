"""What the model saw and said when it was published: the measure of percentile, grade and drift."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import BadInputError
from models.encoder import TEXTS
from models.grades import Cuts, cut, graded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from models.encoder import Column, Encoder

    Floats = NDArray[np.float64]

GRADES = (("A", 90.0), ("B", 70.0), ("C", 40.0), ("D", 0.0))
"""A grade and the least percentile that earns it, where a bundle has no cut points of its own."""

_SCORES = np.linspace(0.0, 1.0, 101)
_VALUES = np.linspace(0.01, 0.99, 50)  # the extremes would show single customers
_BINS = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True)
class Distribution:
    """How one encoded column was distributed.

    Attributes
    ----------
    edges : tuple of float
        Between the bins of a number: its deciles, each once. Empty for texts.
    shares : tuple of float
        Of each bin (numbers) or code (texts), then of the missing; they sum to 1.
    quantiles : tuple of float
        Of the known numbers at 1 %, 3 %, ... 99 %; empty for texts.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    quantiles: tuple[float, ...] = ()

    @classmethod
    def of(cls, values: Floats, column: Column) -> Distribution:
        """Return the distribution of one encoded column; NaN and infinities are missing."""
        known = values[np.isfinite(values)]
        if column.dtype in TEXTS:
            edges = np.arange(1, len(column.levels)) - 0.5
            quantiles = np.empty(0)
        else:
            edges = np.unique(np.quantile(known, _BINS)) if len(known) else np.empty(0)
            quantiles = np.quantile(known, _VALUES) if len(known) else np.empty(0)
        empty = cls(tuple(edges.tolist()), ())
        return cls(empty.edges, tuple(empty.shares_of(values).tolist()), tuple(quantiles.tolist()))

    def shares_of(self, values: Floats) -> Floats:
        """Return the share of other values in the same bins, float64[bins + 1], missing last.

        Raises
        ------
        BadInputError
            There are no values.
        """
        if len(values) == 0:
            raise BadInputError("There are no rows to describe.", remedy="Give at least one.")
        known = values[np.isfinite(values)]
        bins = np.searchsorted(np.array(self.edges), known, side="right")
        counts = np.bincount(bins, minlength=len(self.edges) + 1)
        return np.append(counts, len(values) - len(known)) / len(values)


@dataclass(frozen=True)
class Reference:
    """Distributions of a model's features and answers over the rows it was published with.

    Attributes
    ----------
    margin_quantiles : tuple of float
        101 of them, from the least to the largest margin; empty for segments.
    probability_quantiles : tuple of float
        The same of the calibrated probability.
    grades : tuple of (str, float)
        Grade and least percentile, best first: for bundles published without `cuts`.
    cuts : tuple of (str, float)
        Grade and least probability, best first. They outlive a training, so that nobody's grade
        changes because a model was trained again; empty for segments.
    features : dict of str to Distribution
    n : int
        Rows.
    """

    features: dict[str, Distribution]
    n: int
    margin_quantiles: tuple[float, ...] = ()
    probability_quantiles: tuple[float, ...] = ()
    grades: tuple[tuple[str, float], ...] = field(default=GRADES)
    cuts: Cuts = ()

    @classmethod
    def fit(
        cls,
        X: Floats,
        encoder: Encoder,
        margins: Floats | None = None,
        probabilities: Floats | None = None,
        cuts: Cuts = (),
    ) -> Reference:
        """Return the distributions of encoded rows and, unless they are segments, of the answers.

        Parameters
        ----------
        X : float64[n, n_columns]
            Encoded rows a score is to be compared with: the latest ones the model can answer.
        encoder : Encoder
        margins, probabilities : float64[n], optional
        cuts : tuple of (str, float)
            Cut points to keep; without any, grades are cut on these probabilities.
        """
        features = {
            column.name: Distribution.of(X[:, i], column)
            for i, column in enumerate(encoder.columns)
        }
        if not cuts and probabilities is not None:
            cuts = cut(probabilities)
        return cls(features, len(X), _quantiles(margins), _quantiles(probabilities), cuts=cuts)

    def percentile(self, margin: ArrayLike) -> Floats:
        """Return which percentage of the reference lies below each margin, 0 to 100.

        Of equal margins half count as below, so a constant model gives everyone 50. Ties of
        the calibrated probability are thereby told apart by margin.
        """
        margin = np.asarray(margin, dtype=np.float64)
        quantiles = self._margin_quantiles
        last = len(quantiles) - 1
        below = np.searchsorted(quantiles, margin, side="left")
        upto = np.searchsorted(quantiles, margin, side="right")
        left = np.clip(below - 1, 0, last - 1)
        gap = quantiles[left + 1] - quantiles[left]
        within = np.clip(margin - quantiles[left], 0.0, gap)
        between = np.where(below > last, last, left + within / np.where(gap > 0, gap, 1.0))
        tied = (below + upto - 1) / 2.0
        return np.asarray(100.0 * np.where(upto > below, tied, between) / last)

    @cached_property
    def _margin_quantiles(self) -> Floats:
        return np.array(self.margin_quantiles)

    def graded(self, probability: Floats, percentile: Floats) -> NDArray[np.str_]:
        """Return A, B, C or D of each row: by probability, or by percentile if there are no cuts.

        It ranks by how likely the act is, good or not.
        """
        if self.cuts:
            return graded(self.cuts, probability)
        return graded(self.grades, percentile)

    @property
    def least_probabilities(self) -> Cuts:
        """The cut points, also of a bundle that was published with percentiles alone."""
        if self.cuts or not self.probability_quantiles:
            return self.cuts
        *above, (last, _) = self.grades
        return (*((g, self.probability_quantiles[round(p)]) for g, p in above), (last, 0.0))

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes an equal one."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Reference:
        """Return the reference that `to_json` described."""
        features = {
            name: Distribution(*(tuple(d[part]) for part in ("edges", "shares", "quantiles")))
            for name, d in plain["features"].items()
        }
        return cls(
            features,
            plain["n"],
            tuple(plain["margin_quantiles"]),
            tuple(plain["probability_quantiles"]),
            tuple((grade, least) for grade, least in plain["grades"]),
            tuple((grade, least) for grade, least in plain.get("cuts", ())),
        )


def _quantiles(values: Floats | None) -> tuple[float, ...]:
    return () if values is None else tuple(np.quantile(values, _SCORES).tolist())
