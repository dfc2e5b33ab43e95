"""Which rows belong to the segments of customers that a model's gate watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NextbestError
from features.feature import Feature

Mask: TypeAlias = NDArray[np.bool_]

MADE_OF = ("category", "ordinal", "bool")


class SegmentFeatureError(NextbestError):
    """A feature whose values are no segments."""


def declared_segments(features: Sequence[Feature], X: pd.DataFrame, least: int) -> dict[str, Mask]:
    """Return the rows of each segment by its name, such as "age 25-34".

    Parameters
    ----------
    features : sequence of Feature
        As the gate declares them.
    X : DataFrame
        The judged rows. A declared feature that is not among its columns has no segments.
    least : int
        Values with fewer rows are put together as "any other", so that nobody goes unwatched and
        a text with thousands of values makes few segments.

    Raises
    ------
    SegmentFeatureError
        A feature is a number.

    Examples
    --------
    >>> town = Feature("town", "town", "category")
    >>> X = pd.DataFrame({"town": ["Oslo", "Oslo", "Rome", None]})
    >>> {name: mask.tolist() for name, mask in declared_segments([town], X, 2).items()}
    {'town Oslo': [True, True, False, False], 'town any other': [False, False, True, True]}
    """
    return dict(
        each
        for feature in features
        if feature.name in X
        for each in _values(feature, X[feature.name], least)
    )


def _values(feature: Feature, column: pd.Series, least: int) -> Iterator[tuple[str, Mask]]:
    if feature.dtype not in MADE_OF:
        raise SegmentFeatureError(
            f"{feature.name!r} is {feature.dtype}, so its values are no segments of customers.",
            remedy=f"Declare features that are one of: {', '.join(MADE_OF)}.",
        )
    texts = column.astype(object).where(column.notna(), "unknown").astype(str).to_numpy()
    values, counts = np.unique(texts, return_counts=True)
    large = values[counts >= least]
    for value in large:
        yield f"{feature.name} {value}", texts == value
    rest = ~np.isin(texts, large)
    if rest.any():
        yield f"{feature.name} any other", rest
