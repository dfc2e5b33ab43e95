"""What is known of the segments there were: the last champion's, people's names, used ids."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.bundle import Bundle, BundleError
from models.clusters import Clusters
from models.published import Segment
from models.registry import Registry

NAME_TAG = "segment_name."
NEXT_TAG = "segment_next_id"
"""Tags of the registered model: they outlive every version, a rolled-back one too."""


class GivenName(NamedTuple):
    """What a person calls a segment."""

    name: str
    description: str = ""


@dataclass(frozen=True)
class Remembered:
    """The segments there were.

    Attributes
    ----------
    bundle : Bundle or None
        The last champion.
    given : dict of int to GivenName
        Names by people, by segment id.
    next_id : int
        The least id that no segment has had.
    """

    bundle: Bundle | None = None
    given: dict[int, GivenName] = field(default_factory=dict)
    next_id: int = 0

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The last champion's, in the order of its centres."""
        return () if self.bundle is None else self.bundle.spec.segments

    @property
    def version(self) -> str:
        """The last champion's."""
        return "" if self.bundle is None else self.bundle.spec.version

    def labels(self, X: pd.DataFrame) -> NDArray[np.int64] | None:
        """Return the position of each customer's old segment; None if that cannot be told.

        A column's name says what it means, so a champion of other features can still be asked
        where all of its columns are there.
        """
        if self.bundle is None or not isinstance(self.bundle.engine, Clusters):
            return None
        if not set(self.bundle.encoder.names) <= set(X.columns):
            return None
        return self.bundle.engine.assign(self.bundle.encoder.transform(X))

    def names_of(self, ids: Iterable[int]) -> list[str | None]:
        """Return what each segment is called already: by a person, else by the champion."""
        known: dict[int, str] = {segment.id: segment.name for segment in self.segments}
        known |= {number: given.name for number, given in self.given.items()}
        return [known.get(number) for number in ids]


NOTHING = Remembered()


def remembered(model: str, registry: Registry) -> Remembered:
    """Return what the registry knows of a model's segments.

    A champion whose files are damaged is as good as none; the names people gave and the ids that
    were used are known without it.
    """
    tags = _tags(model, registry)
    given = {
        int(name.removeprefix(NAME_TAG)): GivenName(**json.loads(value))
        for name, value in tags.items()
        if name.startswith(NAME_TAG)
    }
    bundle = _champion(model, registry)
    used = [segment.id for segment in (() if bundle is None else bundle.spec.segments)]
    return Remembered(
        bundle, given, max([int(tags.get(NEXT_TAG, 0)), *(n + 1 for n in (*used, *given))])
    )


def note_ids(model: str, registry: Registry, ids: Iterable[int]) -> None:
    """Write down that ids have been given, so that none of them ever is again."""
    before = int(_tags(model, registry).get(NEXT_TAG, 0))
    least = max([before, *(number + 1 for number in ids)])
    registry.client.set_registered_model_tag(model, NEXT_TAG, str(least))


def note_name(model: str, registry: Registry, segment: int, given: GivenName) -> None:
    """Write down what a person calls a segment."""
    text = json.dumps(given._asdict(), ensure_ascii=False)
    registry.client.set_registered_model_tag(model, f"{NAME_TAG}{segment}", text)


def _tags(model: str, registry: Registry) -> dict[str, str]:
    found = registry.client.search_registered_models(f"name = '{model}'", max_results=1)
    return dict(found[0].tags) if found else {}


def _champion(model: str, registry: Registry) -> Bundle | None:
    version = registry.resolve(model)
    if version is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.download(model, version, Path(scratch) / version)
        try:
            bundle = Bundle.load(folder, version)
            bundle.verify(bundle.spec.feature_hash)
        except BundleError:
            return None
    return bundle
