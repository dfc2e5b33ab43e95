"""Segments: clusters of customers with names, a profile, and an identity that lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.feature import Feature
from models.bootstrap import Estimate, paired_bootstrap
from models.clusters import Clusters
from models.encoder import Encoder
from models.spec import ModelSpec
from training.naming import distinct_names, heights_of
from training.segment_axes import Axis, NoColumnsError, Space, space_of
from training.segment_identity import Migration, ids_of, matches, overlap
from training.segment_memory import NOTHING, Remembered
from training.stability import STABLE, Choice, choose_number

Floats: TypeAlias = NDArray[np.float64]

WORTH_MOVING = 0.01
"""Share of the spread within segments that a fresh start must save to be preferred to the present
segments: of two arrangements that are as good, people keep the one they know."""


@dataclass(frozen=True)
class Segmented:
    """A fitted segmentation.

    Attributes
    ----------
    encoder : Encoder
    clusters : Clusters
    ids : tuple of int
        Of the segments, in the order of the centres and rising: those found again keep theirs.
    names : tuple of str
    labels : ndarray of int64, shape (n,)
        Position of each training row's segment.
    axes : tuple of Axis
        What the coordinates are.
    profile : DataFrame
        One row a segment: customers, share, then the mean of each axis in its own unit (a level's
        is its share).
    heights : DataFrame
        One row a segment, one column an axis: standard deviations from the average.
    choice : Choice
        The curve over numbers of segments.
    silhouette : Estimate
        Of these segments, with its interval over customers.
    migration : Migration or None
        From the segments there were; None where there were none that could be compared.
    alone : tuple of Feature
        Columns that were left out, because nothing else goes together with them.
    """

    encoder: Encoder
    clusters: Clusters
    ids: tuple[int, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    axes: tuple[Axis, ...]
    profile: pd.DataFrame
    heights: pd.DataFrame
    choice: Choice
    silhouette: Estimate
    migration: Migration | None = None
    alone: tuple[Feature, ...] = ()

    @property
    def moved(self) -> str:
        """That these segments are not the ones people know; empty where at least `STABLE` stay."""
        if self.migration is None or self.migration.kept >= STABLE:
            return ""
        return (
            f"The segmentation is unstable: only {100 * self.migration.kept:.0f} % of the same "
            f"customers keep the segment id they had (at least {100 * STABLE:.0f} % are asked for)."
        )


def fit_segments(
    spec: ModelSpec,
    X: pd.DataFrame,
    *,
    remembered: Remembered = NOTHING,
    random_state: int = 0,
    threads: int = 2,
) -> Segmented:
    """Return the segments of the customers in X, one row a customer.

    Parameters
    ----------
    spec : ModelSpec
        Its `clusters` are the numbers to choose from, its estimator a k-means.
    X : DataFrame of shape (n, n_features)
        Numbers and categories, as the spec's features declare them.
    remembered : Remembered
        The last champion's segments: those found again keep their id and name.

    Raises
    ------
    NoColumnsError
        Nothing tells customers apart.
    """
    encoder = Encoder.fit(X, spec.features)
    encoded = encoder.transform(X)
    space = space_of(spec, encoder, encoded)
    Z = space.average.scaled(encoded)
    numbers = _possible(spec, Z)
    before = remembered.labels(X)

    def make(number: int) -> Any:
        return spec.estimator(random_state).set_params(n_clusters=number)  # type: ignore[attr-defined]

    choice = choose_number(
        Z, numbers, make, lumpy=space.lumpy, present=len(remembered.segments) or None,
        random_state=random_state, threads=threads,
    )  # fmt: skip
    centers = _centers(make, choice.chosen, Z, before)
    centers, ids, counts = _in_order(space, centers, encoded, before, remembered)
    clusters = space.around(centers)
    labels = clusters.assign(encoded)
    # An axis's own weight must not make a difference look larger than it is.
    heights = centers / np.maximum(Z.std(axis=0), 1e-12)
    concepts = heights_of([axis.feature for axis in space.axes], heights)
    said = [[(axis.words(spec), axis.level, h) for axis, h in zip(space.axes, row, strict=True)]
            for row in heights.tolist()]  # fmt: skip
    names = distinct_names(concepts, said, remembered.names_of(ids))
    migration = None
    if before is not None and counts is not None:
        old = tuple((segment.id, segment.name) for segment in remembered.segments)
        migration = Migration(remembered.version, old, tuple(zip(ids, names, strict=True)), counts)
    return Segmented(
        encoder, clusters, tuple(ids), tuple(names), labels, space.axes,
        _profile(space, encoded, labels, names),
        pd.DataFrame(heights, index=names, columns=[axis.name for axis in space.axes]),
        choice, _silhouette(clusters.scaled(encoded), labels, random_state), migration,
        space.alone,
    )  # fmt: skip


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


def sample(n: int, random_state: int, most: int = 5_000) -> NDArray[np.int64]:
    """Return the positions of at most `most` of n rows, drawn once for a seed, in order."""
    if n <= most:
        return np.arange(n)
    drawn = np.random.default_rng(random_state).choice(n, most, replace=False)
    return np.sort(drawn).astype(np.int64)


def _silhouette(Z: Floats, labels: NDArray[np.int64], random_state: int) -> Estimate:
    rows = sample(len(Z), random_state)
    values = silhouettes(Z[rows], labels[rows])
    found = paired_bootstrap(values, np.zeros(len(rows)), rows, 500, random_state)
    return Estimate(found.mean, found.low, found.high)


def _possible(spec: ModelSpec, Z: Floats) -> tuple[int, ...]:
    """Numbers of segments that the customers' differences can carry."""
    different = len(np.unique(Z[sample(len(Z), 0)].round(9), axis=0))
    numbers = tuple(number for number in spec.clusters if 2 * number <= different)
    if not numbers:
        raise NoColumnsError(
            f"The columns of {spec.name!r} hold {different} different customers, too few for "
            f"{min(spec.clusters)} segments.",
            remedy="Ingest more of what is known of customers, or choose other features.",
        )
    return numbers


def _centers(
    make: Callable[[int], Any], number: int, Z: Floats, before: NDArray[np.int64] | None
) -> Floats:
    """Centres of fresh starts, or of the present segments where those are as good."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):
        fresh = make(number).fit(Z)
        if before is not None and np.array_equal(np.unique(before), np.arange(number)):
            start = np.array([Z[before == segment].mean(axis=0) for segment in range(number)])
            known = make(number).set_params(init=start, n_init=1).fit(Z)
            if known.inertia_ <= (1 + WORTH_MOVING) * fresh.inertia_:
                fresh = known
    centers: Floats = fresh.cluster_centers_
    return centers


def _in_order(
    space: Space,
    centers: Floats,
    encoded: Floats,
    before: NDArray[np.int64] | None,
    remembered: Remembered,
) -> tuple[Floats, list[int], NDArray[np.int64] | None]:
    """Centres by id, their ids, and how many customers each pair of old and new shares."""
    concepts = heights_of([axis.feature for axis in space.axes], centers)
    labels = space.around(centers).assign(encoded)
    sizes = np.bincount(labels, minlength=len(centers))
    # Without spending, as in a table of attributes alone, the largest come first.
    by_worth = sorted(
        range(len(centers)), key=lambda i: (-concepts[i].get("spend", 0.0), -int(sizes[i]))
    )
    centers = centers[by_worth]
    labels = space.around(centers).assign(encoded)
    number, found = len(centers), {}
    if before is not None:
        found = matches(overlap(before, labels, len(remembered.segments), number))
    ids = ids_of(found, remembered.segments, number, remembered.next_id)
    by_id = np.argsort(ids, kind="stable")
    centers, ids = centers[by_id], [ids[i] for i in by_id]
    if before is None:
        return centers, ids, None
    labels = space.around(centers).assign(encoded)
    return centers, ids, overlap(before, labels, len(remembered.segments), number)


def _profile(
    space: Space, encoded: Floats, labels: NDArray[np.int64], names: list[str]
) -> pd.DataFrame:
    columns = space.average.columns
    values = pd.DataFrame(index=range(len(encoded)))
    for place, (axis, column) in enumerate(zip(space.axes, columns.tolist(), strict=True)):
        own = encoded[:, column]
        if axis.level is not None:
            missing = axis.level == ""
            own = ~np.isfinite(own) if missing else own == space.average.level[place]
        values[axis.name] = np.asarray(own, dtype=np.float64)
    means = values.groupby(labels).mean().reindex(range(len(names)))
    counts = np.bincount(labels, minlength=len(names))
    means.insert(0, "customers", counts)
    means.insert(1, "share", counts / len(labels))
    means.index = pd.Index(names, name="segment")
    return means
