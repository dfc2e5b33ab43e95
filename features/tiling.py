"""Records kept small: what a customer did long ago becomes tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from features.compute import Vocabulary
from features.errors import StoreError
from features.feature import Aggregate, Feature, walk
from features.jit import Compiled, compiled
from features.money import minor_units
from features.plan import feature_hash
from features.record import Buffer, Record
from features.store_meta import Meta
from features.tile_layout import TileLayout, layout_of
from features.tiles import Reader, add, cut_before

MOST_EVENTS = 1024
"""A record with more of them gives up those that are old enough."""


class Background(NamedTuple):
    """What a store needs to know beyond its own values.

    Attributes
    ----------
    home : Path
        ``NEXTBEST_HOME``: the log is there, and the compiled kernel.
    features : sequence of Feature or None
        What the store serves; by default the catalogue.
    kernel : callable
        Returns the compiled kernel of a home.
    most_events : int
        That a record may hold before old ones leave it.
    """

    home: Path
    features: Sequence[Feature] | None = None
    kernel: Callable[[Path], Compiled] = compiled
    most_events: int = MOST_EVENTS

    @property
    def catalogue(self) -> Sequence[Feature]:
        """The features that the store serves."""
        if self.features is not None:
            return self.features
        from features.catalog import CATALOG  # features of a company's own are imported late

        return CATALOG

    def engine(self) -> Compiled:
        """Return the compiled kernel."""
        return self.kernel(self.home / "numba")


class Nothing:
    """The tiles of somebody who has none."""

    def get(self, names: Sequence[bytes]) -> Sequence[Buffer | None]:
        """Return nothing for each name."""
        return [None] * len(names)


class Tiling:
    """Moves old events from records to tiles.

    Parameters
    ----------
    meta : Meta
    dictionaries : mapping of str to Vocabulary
    background : Background
    """

    def __init__(
        self,
        meta: Meta,
        dictionaries: Mapping[str, Vocabulary],
        background: Background,
    ) -> None:
        self._meta, self._dictionaries, self._background = meta, dictionaries, background

    @cached_property
    def layout(self) -> TileLayout:
        """The layout of the store's tiles.

        Raises
        ------
        StoreError
            The catalogue is another than the one that the store was filled for.
        """
        meta = self._meta
        features = fitting(self._background.catalogue, meta.columns)
        if feature_hash(features) != meta.catalogue:
            raise StoreError(
                "The online store was filled for another catalogue of features.",
                remedy="Fill it again: python -m features materialise",
            )
        minor = minor_units(meta.source.currency)
        return layout_of(features, meta.columns, self._dictionaries, minor)

    def split(self, held: Record, tiles: Reader, now: int) -> tuple[Record, dict[bytes, bytes]]:
        """Return a record without what has become old, and the tiles to write in its place.

        Parameters
        ----------
        held : Record
        tiles : Reader
            Of what occurred before the record's `cut`.
        now : int
            Microseconds UTC; nobody will ask for a moment before.
        """
        times = held.values[0]
        if len(times) <= self._background.most_events:
            return held, {}
        cut = cut_before(self.layout, now)
        old = int(times.searchsorted(cut))
        if not old:
            return held, {}
        moved = np.ascontiguousarray(held.values[:, :old])
        written = add(self.layout, self._background.engine(), moved, tiles, cut)
        return held.after(old, cut), written


def fitting(features: Sequence[Feature], columns: Sequence[str]) -> tuple[Feature, ...]:
    """Return those features that read no other columns."""
    available = frozenset(columns)
    return tuple(feature for feature in features if _columns(feature) <= available)


def _columns(feature: Feature) -> set[str]:
    named: set[str] = set()
    for leaf in walk(feature):
        if isinstance(leaf, Aggregate):
            named |= {name for name, _ in leaf.filters}
            named |= {leaf.column} if leaf.column else set()
    return named
