"""The space customers are clustered in: what each axis is, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import NextbestError
from features.feature import Feature
from models.clusters import Clusters
from models.encoder import Column, Encoder
from models.spec import ModelSpec
from training.segment_groups import side_of, weights_of
from training.segment_links import links

Floats: TypeAlias = NDArray[np.float64]

TAILS = 0.005
"""The share at each end of a number that is drawn in to the bound: no slip makes a segment."""
LEAST_SHARE = 0.05
"""A level that fewer customers have gets no axis: it could not carry a segment."""
MOST_LEVELS = 8
LEAST_KNOWN = 0.1
NOT_KNOWN = -1.0


class NoColumnsError(NextbestError):
    """Customers that cannot be told apart."""


@dataclass(frozen=True)
class Axis:
    """One axis: a number, or one level of a category.

    Attributes
    ----------
    feature : Feature
    level : str or None
        The level whose rows are 1; empty for those of whom it is not known; None for a number.
    """

    feature: Feature
    level: str | None = None

    @property
    def name(self) -> str:
        """The feature's name, and the level where there is one."""
        if self.level is None:
            return self.feature.name
        return f"{self.feature.name} = {self.level or 'not known'}"

    def words(self, spec: ModelSpec) -> str:
        """What a marketer would call it."""
        words = spec.feature_words(self.feature, "en")
        return words if self.level is None else f"{words}: {self.level or 'not known'}"


@dataclass(frozen=True)
class Space:
    """The axes, and the average customer as the one centre there is so far.

    Attributes
    ----------
    axes : tuple of Axis
    average : Clusters
        Its one centre is the mean of all customers.
    lumpy : tuple of tuple of int
        Axes that hold few values, those of one column together: no bell curve stands for them.
    alone : tuple of Feature
        Columns that vary and have no axis, because nothing else goes together with them.
    """

    axes: tuple[Axis, ...]
    average: Clusters
    lumpy: tuple[tuple[int, ...], ...]
    alone: tuple[Feature, ...] = ()

    def around(self, centers: Floats) -> Clusters:
        """Return clusters of this space around other centres."""
        return replace(self.average, centers=centers)


@dataclass
class _Column:
    """What one column brings: its axes, all of variance one together."""

    place: int
    axes: list[Axis] = field(default_factory=list)
    log1p: bool = False
    low: float = -np.inf
    high: float = np.inf
    levels: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)
    scale: float = 1.0
    lumpy: bool = True
    missing_is_level: bool = False


def space_of(spec: ModelSpec, encoder: Encoder, encoded: Floats) -> Space:
    """Return the axes of encoded customers, each side of a customer counting the same.

    A number is drawn in to its bounds, taken as log(1 + x) where its right tail is long, and has
    variance one. A category has an axis for each frequent level (one-hot), all of them together
    variance one; what is missing is a level of its own where it is frequent, else the average.
    Columns are then weighted by `training.segment_groups.weights_of`, and by how far others go
    together with them (`training.segment_links.links`): a coin would divide customers as firmly as
    anything, and say nothing of them. Where none go together, all are kept as they are.

    Source
    ------
    Huang (1998), Extensions to the k-means algorithm for clustering large data sets with
    categorical values, Data Mining and Knowledge Discovery 2: categories beside numbers need a
    weight, here that of equal variance.

    Raises
    ------
    NoColumnsError
        No column varies.
    """
    columns = []
    for place, (column, feature) in enumerate(zip(encoder.columns, spec.features, strict=True)):
        values = encoded[:, place]
        found = _category(place, column, feature, values) if column.dtype == "category" else None
        found = _number(place, feature, values) if column.dtype != "category" else found
        if found is not None:
            columns.append(found)
    if not columns:
        raise NoColumnsError(
            f"No column of {spec.name!r} tells customers apart: each has one value, or none.",
            remedy="Ingest more of what is known of customers, or choose other features.",
        )
    linked = links(encoded[:, [c.place for c in columns]], [bool(c.axes[0].level) for c in columns])
    if (linked > 0).sum() < 2:
        linked = np.ones(len(columns))
    alone = [c.axes[0].feature for c, link in zip(columns, linked, strict=True) if link == 0]
    columns = [column for column, link in zip(columns, linked, strict=True) if link > 0]
    features = [column.axes[0].feature for column in columns]
    weights = weights_of([side_of(each, spec.feature_words(each, "en")) for each in features])
    return replace(_assembled(columns, weights * linked[linked > 0]), alone=tuple(alone))


def _number(place: int, feature: Feature, values: Floats) -> _Column | None:
    known = values[np.isfinite(values)]
    if len(known) < LEAST_KNOWN * len(values) or len(known) == 0:
        return None
    low, high = np.quantile(known, [TAILS, 1 - TAILS])
    known = np.clip(known, low, high)
    centred = known - known.mean()
    # A long right tail: a few customers would otherwise be a segment of their own.
    skewed = bool(low >= 0 and (centred**3).mean() > known.std() ** 3)
    taken = np.log1p(known) if skewed else known
    if not taken.std() > 1e-9 * max(1.0, float(np.abs(taken).max())):
        return None
    most_frequent = np.unique(known, return_counts=True)[1].max()
    return _Column(
        place,
        [Axis(feature)],
        skewed,
        float(low),
        float(high),
        [np.nan],
        [float(taken.mean())],
        float(taken.std()),
        bool(most_frequent >= 0.2 * len(known)),
    )


def _category(place: int, column: Column, feature: Feature, values: Floats) -> _Column | None:
    known = values[np.isfinite(values)]
    if len(known) < LEAST_KNOWN * len(values) or len(known) == 0:
        return None
    shares = np.bincount(known.astype(np.int64), minlength=len(column.levels)) / len(values)
    frequent = [c for c in np.argsort(-shares, kind="stable") if shares[c] >= LEAST_SHARE]
    chosen = sorted(int(code) for code in frequent[:MOST_LEVELS])
    axes = [Axis(feature, column.levels[code]) for code in chosen]
    levels, means = [float(code) for code in chosen], [float(shares[code]) for code in chosen]
    missing = 1.0 - len(known) / len(values)
    own = missing >= LEAST_SHARE
    if own:
        axes, levels, means = [*axes, Axis(feature, "")], [*levels, NOT_KNOWN], [*means, missing]
    variance = sum(share * (1 - share) for share in means)
    if not axes or variance < LEAST_SHARE * (1 - LEAST_SHARE):
        return None
    return _Column(
        place, axes, levels=levels, means=means, scale=variance**0.5, missing_is_level=own
    )


def _assembled(columns: Sequence[_Column], weights: Floats) -> Space:
    axes: list[Axis] = []
    lumpy: list[tuple[int, ...]] = []
    rows: list[tuple[float, ...]] = []
    for column, weight in zip(columns, weights.tolist(), strict=True):
        if column.lumpy:
            lumpy.append(tuple(range(len(axes), len(axes) + len(column.axes))))
        axes.extend(column.axes)
        scale = column.scale / weight**0.5
        for level, mean in zip(column.levels, column.means, strict=True):
            absent = (float(level == NOT_KNOWN) - mean) / scale if column.missing_is_level else 0.0
            rows.append(
                (column.place, column.log1p, mean, scale, column.low, column.high, level, absent)
            )
    place, log1p, mean, scale, low, high, level, absent = np.array(rows, dtype=np.float64).T
    average = Clusters(
        place.astype(np.int64), log1p.astype(np.bool_), mean, scale, np.zeros((1, len(axes))),
        low, high, level, absent,
    )  # fmt: skip
    return Space(tuple(axes), average, tuple(lumpy))
