"""Which segment a customer is nearest to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from features.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ARRAYS = ("columns", "log1p", "mean", "scale", "centers")
LATER_ARRAYS = ("low", "high", "level", "absent")
"""What files of earlier versions do not hold: they know numbers alone, and bound none."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Centres in the space of scaled axes: a number is one axis, a category one for each level.

    Attributes
    ----------
    columns : int64[k]
        Place of each axis's column in the encoded row.
    log1p : bool[k]
        Whether the column is taken as sign(x) log(1 + |x|).
    mean, scale : float64[k]
        What is taken from the (transformed) column, and what it is divided by; the axis's weight
        is part of the scale.
    centers : float64[n_segments, k]
        In scaled axes.
    low, high : float64[k], optional
        Bounds of a number, so that a slip of the pen moves nobody far. By default none.
    level : float64[k], optional
        The code whose rows are 1 on this axis, all others 0; NaN, the default, for a number. The
        code -1 is no level's: an axis of those whose category is not known.
    absent : float64[k], optional
        Where a missing value lies on the scaled axis; by default at 0.0, the mean.
    """

    columns: NDArray[np.int64]
    log1p: NDArray[np.bool_]
    mean: Floats
    scale: Floats
    centers: Floats
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))
    level: Floats = field(default_factory=lambda: np.empty(0))
    absent: Floats = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        k = len(self.columns)
        usual = zip(LATER_ARRAYS, (-np.inf, np.inf, np.nan, 0.0), strict=True)
        for name, value in usual:
            if len(getattr(self, name)) == 0:
                object.__setattr__(self, name, np.full(k, value))
        each = (name for name in (*ARRAYS, *LATER_ARRAYS) if name not in ("columns", "centers"))
        shapes = [len(getattr(self, name)) for name in each]
        if (
            self.centers.ndim != 2
            or len(self.centers) == 0
            or {*shapes, self.centers.shape[-1]} != {k}
        ):
            raise BadInputError(
                f"Clusters of {k} axes got {shapes} numbers and centres of shape "
                f"{self.centers.shape}.",
                remedy="Give one transform, mean, scale and coordinate for each axis.",
            )
        if not (self.scale > 0).all():
            raise BadInputError(
                "Clusters got a scale that is not positive.",
                remedy="Leave out columns that do not vary.",
            )

    def scaled(self, X: Floats) -> Floats:
        """Return the scaled axes of encoded rows, float64[n, k]; `absent` where missing."""
        values = np.asarray(X, dtype=np.float64)[:, self.columns]
        missing = ~np.isfinite(values)
        known = np.clip(np.where(missing, 0.0, values), self.low, self.high)
        known = np.where(self.log1p, np.copysign(np.log1p(np.abs(known)), known), known)
        known = np.where(np.isfinite(self.level), values == self.level, known)
        return np.asarray(np.where(missing, self.absent, (known - self.mean) / self.scale))

    def distances(self, X: Floats) -> Floats:
        """Return the Euclidean distance of each row to each centre, float64[n, n_segments]."""
        scaled = self.scaled(X)
        distances = np.empty((len(scaled), len(self.centers)))
        for segment, center in enumerate(self.centers):
            # cumsum adds in order: a row gives the same bits alone and in a batch
            squares = np.cumsum((scaled - center) ** 2, axis=1)
            distances[:, segment] = np.sqrt(squares[:, -1])
        return distances

    def assign(self, X: Floats) -> NDArray[np.int64]:
        """Return the nearest segment of each row, int64[n]; the lower number on a tie."""
        return np.asarray(np.argmin(self.distances(X), axis=1), dtype=np.int64)

    def fit_of(self, distances: Floats) -> Floats:
        """Return how clearly each row belongs: 1 at the centre, 0 half-way to the next segment.

        The simplified silhouette (b - a) / b of distances a to the own and b to the next centre.

        Source: Hruschka, de Castro & Campello, "Evolutionary algorithms for clustering
        gene-expression data" (ICDM 2004).

        Parameters
        ----------
        distances : float64[n, n_segments]
            As `distances` gives them. With one segment every fit is 1.
        """
        if distances.shape[1] == 1:
            return np.ones(len(distances))
        nearest = np.partition(distances, 1, axis=1)[:, :2]
        a, b = nearest[:, 0], nearest[:, 1]
        return np.where(b > 0, (b - a) / np.where(b > 0, b, 1.0), 0.0)

    def save(self, path: Path | BinaryIO) -> None:
        """Write the arrays as npz, without pickle."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in (*ARRAYS, *LATER_ARRAYS)}
        np.savez(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path | BinaryIO) -> Clusters:
        """Return the clusters whose arrays `save` wrote; pickled arrays are refused."""
        with np.load(path, allow_pickle=False) as arrays:
            later = {name: arrays[name] for name in LATER_ARRAYS if name in arrays}
            return cls(*(arrays[name] for name in ARRAYS), **later)
