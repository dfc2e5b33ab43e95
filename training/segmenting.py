"""Segments: clusters of customers with names, a profile, and a number that holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.bootstrap import Estimate, paired_bootstrap
from models.clusters import Clusters
from models.encoder import NUMBERS, Encoder
from models.spec import ModelSpec
from training.naming import heights_of, names_of
from training.stability import Choice, choose_number

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Segmented:
    """A fitted segmentation.

    Attributes
    ----------
    encoder : Encoder
    clusters : Clusters
    names : tuple of str
        Of the segments, in the order of their numbers: the highest spending first.
    labels : ndarray of int64, shape (n,)
        Segment of each training row.
    profile : DataFrame
        One row a segment: customers, share, then each feature's mean in its own unit.
    heights : DataFrame
        One row a segment, one column a clustered feature: standard deviations from the average.
    choice : Choice
        The curve over numbers of segments.
    silhouette : Estimate
        Of these segments, with its interval over customers.
    """

    encoder: Encoder
    clusters: Clusters
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    profile: pd.DataFrame
    heights: pd.DataFrame
    choice: Choice
    silhouette: Estimate


def fit_segments(
    spec: ModelSpec, X: pd.DataFrame, *, random_state: int = 0, threads: int = 2
) -> Segmented:
    """Return the segments of the customers in X, one row a customer.

    Parameters
    ----------
    spec : ModelSpec
        Its `clusters` are the numbers to choose from, its estimator a k-means.
    X : DataFrame of shape (n, n_features)
    """
    encoder = Encoder.fit(X, spec.features)
    encoded = encoder.transform(X)
    scaling = _scaling(encoder, encoded)
    Z = scaling.scaled(encoded)

    def make(number: int) -> object:
        return spec.estimator(random_state).set_params(n_clusters=number)  # type: ignore[attr-defined]

    choice = choose_number(Z, spec.clusters, make, random_state=random_state, threads=threads)
    centers = _fitted_centers(make(choice.chosen), Z)
    features = [spec.features[column] for column in scaling.columns]
    concepts = heights_of(features, centers)
    order = sorted(range(len(centers)), key=lambda i: -concepts[i].get("spend", 0.0))
    clusters = Clusters(scaling.columns, scaling.log1p, scaling.mean, scaling.scale, centers[order])
    names = tuple(names_of([concepts[i] for i in order]))
    labels = clusters.assign(encoded)
    heights = pd.DataFrame(centers[order], index=list(names), columns=[f.name for f in features])
    return Segmented(
        encoder,
        clusters,
        names,
        labels,
        _profile(encoder, encoded, labels, names),
        heights,
        choice,
        _silhouette(clusters.scaled(encoded), labels, random_state),
    )


def silhouettes(Z: Floats, labels: NDArray[np.int64]) -> Floats:
    """Return each row's silhouette, -1 to 1; 0.0 for all where there is one segment alone.

    Source
    ------
    Rousseeuw (1987), Silhouettes, J. of Computational and Applied Mathematics 20.
    """
    from sklearn.metrics import silhouette_samples

    if len(np.unique(labels)) < 2:
        return np.zeros(len(labels))
    values: Floats = silhouette_samples(Z, labels)
    return values


def _silhouette(Z: Floats, labels: NDArray[np.int64], random_state: int) -> Estimate:
    rows = sample(len(Z), random_state)
    values = silhouettes(Z[rows], labels[rows])
    found = paired_bootstrap(values, np.zeros(len(rows)), rows, 500, random_state)
    return Estimate(found.mean, found.low, found.high)


def sample(n: int, random_state: int, most: int = 5_000) -> NDArray[np.int64]:
    """Return the positions of at most `most` of n rows, drawn once for a seed, in order."""
    if n <= most:
        return np.arange(n)
    drawn = np.random.default_rng(random_state).choice(n, most, replace=False)
    return np.sort(drawn).astype(np.int64)


def _scaling(encoder: Encoder, encoded: Floats) -> Clusters:
    """Clusters with one centre: the average customer of the columns that are numbers and vary."""
    columns, log1p, mean, scale = [], [], [], []
    for place, column in enumerate(encoder.columns):
        known = encoded[np.isfinite(encoded[:, place]), place]
        if column.dtype not in NUMBERS or len(known) == 0 or known.min() == known.max():
            continue
        centred = known - known.mean()
        # A long right tail: a few customers would otherwise be a segment of their own.
        skewed = bool(known.min() >= 0 and (centred**3).mean() > known.std() ** 3)
        values = np.log1p(known) if skewed else known
        columns.append(place)
        log1p.append(skewed)
        mean.append(float(values.mean()))
        scale.append(float(values.std()))
    return Clusters(
        np.array(columns, dtype=np.int64),
        np.array(log1p, dtype=np.bool_),
        np.array(mean),
        np.array(scale),
        np.zeros((1, len(columns))),
    )


def _fitted_centers(kmeans: object, Z: Floats) -> Floats:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):
        centers: Floats = kmeans.fit(Z).cluster_centers_  # type: ignore[attr-defined]
    return centers


def _profile(
    encoder: Encoder, encoded: Floats, labels: NDArray[np.int64], names: tuple[str, ...]
) -> pd.DataFrame:
    numbers = [i for i, column in enumerate(encoder.columns) if column.dtype in NUMBERS]
    values = pd.DataFrame(encoded[:, numbers], columns=[encoder.names[i] for i in numbers])
    means = values.groupby(labels).mean().reindex(range(len(names)))
    counts = np.bincount(labels, minlength=len(names))
    means.insert(0, "customers", counts)
    means.insert(1, "share", counts / len(labels))
    means.index = pd.Index(names, name="segment")
    return means
