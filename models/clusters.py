"""Which segment a customer is nearest to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from features.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ARRAYS = ("columns", "log1p", "mean", "scale", "centers")


@dataclass(frozen=True, eq=False)
class Clusters:
    """Centres in the space of scaled columns; a missing value is taken for the mean.

    Attributes
    ----------
    columns : int64[k]
        Places in the encoded row.
    log1p : bool[k]
        Whether the column is taken as sign(x) log(1 + |x|).
    mean, scale : float64[k]
        Of the (transformed) column in training.
    centers : float64[n_segments, k]
        In scaled columns.
    """

    columns: NDArray[np.int64]
    log1p: NDArray[np.bool_]
    mean: Floats
    scale: Floats
    centers: Floats

    def __post_init__(self) -> None:
        k = len(self.columns)
        shapes = [len(self.log1p), len(self.mean), len(self.scale), self.centers.shape[-1]]
        if self.centers.ndim != 2 or len(self.centers) == 0 or shapes != [k] * 4:
            raise BadInputError(
                f"Clusters of {k} columns got {shapes[:3]} numbers and centres of shape "
                f"{self.centers.shape}.",
                remedy="Give one transform, mean, scale and coordinate for each column.",
            )
        if not (self.scale > 0).all():
            raise BadInputError(
                "Clusters got a scale that is not positive.",
                remedy="Leave out columns that do not vary.",
            )

    def scaled(self, X: Floats) -> Floats:
        """Return the scaled columns of encoded rows, float64[n, k]; 0.0 where missing."""
        values = np.asarray(X, dtype=np.float64)[:, self.columns]
        missing = ~np.isfinite(values)
        known = np.where(missing, 0.0, values)
        known = np.where(self.log1p, np.copysign(np.log1p(np.abs(known)), known), known)
        return np.asarray(np.where(missing, 0.0, (known - self.mean) / self.scale))

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
        arrays: dict[str, Any] = {name: getattr(self, name) for name in ARRAYS}
        np.savez(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path | BinaryIO) -> Clusters:
        """Return the clusters whose arrays `save` wrote; pickled arrays are refused."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(*(arrays[name] for name in ARRAYS))
