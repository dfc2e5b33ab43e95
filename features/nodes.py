"""How values are made from states: a feature's definition as the finaliser's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.feature import (
    Aggregate,
    Arithmetic,
    AtLeast,
    Attribute,
    Condition,
    Context,
    DaysSince,
    DaysUntil,
    Feature,
)
from features.kernel import finalise
from features.tables import Integers


@dataclass(frozen=True)
class Nodes:
    """The finaliser's tables, as `features.kernel.finalise` describes them."""

    table: Integers
    scales: NDArray[np.float64]
    named: tuple[str, ...]
    floats: dict[str, int]
    scratch: int
    wholes: dict[str, int]
    whole_slots: Integers
    inputs: tuple[Feature, ...]
    instants: tuple[str, ...]


_FOLDS = {
    "count": finalise.WHOLE,
    "distinct": finalise.WHOLE,
    "sum": finalise.TOTAL,
    "mean": finalise.MEAN,
    "std": finalise.STD,
    "min": finalise.VALUE,
    "max": finalise.VALUE,
    "first": finalise.VALUE,
    "last": finalise.VALUE,
    "days_since_first": finalise.SINCE_FIRST,
    "days_since_last": finalise.SINCE_LAST,
    "gap_mean": finalise.GAP_MEAN,
    "last_gap": finalise.LAST_GAP,
    "gap_std": finalise.GAP_STD,
    "decayed_count": finalise.DECAYED,
    "decayed_sum": finalise.DECAYED,
    "most_common": finalise.CODE,
}
_ARITHMETIC = {
    "per": finalise.PER,
    "minus": finalise.MINUS,
    "plus": finalise.PLUS,
    "times": finalise.TIMES,
}


def compile_nodes(
    features: Sequence[Feature], slots: dict[str, int], minor: int, instants: list[str]
) -> Nodes:
    """Return the finaliser's tables for features.

    Parameters
    ----------
    features : sequence of Feature
    slots : dict
        First slot of each aggregate's state, by its name.
    minor : int
        Minor units in one unit of the currency.
    instants : list of str
        Context values that windows end at; those that days are counted to are appended.
    """
    numbers = list(dict.fromkeys(f for f in features if is_number(f)))
    whole = [f for f in numbers if isinstance(f, Aggregate) and f.dtype == "int"]
    floats = [f for f in numbers if f not in whole]
    maker = _Maker(slots, minor, instants, {f: line for line, f in enumerate(floats)})
    for aggregate in whole:
        if aggregate.fold == "sum":
            maker.check(aggregate)
    for feature in floats:
        maker.place(feature)
    return Nodes(
        np.array(maker.table, np.int64).reshape(-1, 4),
        np.array(maker.scales, np.float64),
        tuple(maker.named),
        {f.name: line for line, f in enumerate(floats)},
        maker.scratch,
        {f.name: line for line, f in enumerate(whole)},
        np.array([slots[f.name] for f in whole], np.int64),
        tuple(maker.inputs),
        tuple(instants),
    )


def is_number(feature: Feature) -> bool:
    """Return whether the finaliser computes a feature; the others are looked up as they are."""
    if isinstance(feature, Attribute | Context):
        return feature.dtype == "float"
    return True


class _Maker:
    def __init__(
        self, slots: dict[str, int], minor: int, instants: list[str], wanted: dict[Feature, int]
    ) -> None:
        self.table: list[tuple[int, int, int, int]] = []
        self.scales: list[float] = []
        self.named: list[str] = []
        self.inputs: list[Feature] = []
        self.scratch = 0
        self._slots = slots
        self._minor = minor
        self._instants = instants
        self._wanted = wanted
        self._places: dict[Feature, int] = {}

    def place(self, feature: Feature) -> int:
        """Return where a feature's values go; what it is made from is computed before."""
        if feature not in self._places:
            line, scale = self._line(feature)
            to = self._wanted.get(feature, -1)
            if to < 0:
                self.scratch += 1
                to = -self.scratch
            self._add((*line, to), scale, feature)
            self._places[feature] = to
        return self._places[feature]

    def check(self, feature: Feature) -> None:
        """Refuse a sum that does not fit, of which the whole number itself is wanted."""
        self._add((finalise.CHECKED, self._slots[feature.name], 0, -1), 1.0, feature)

    def _add(self, line: tuple[int, int, int, int], scale: float, feature: Feature) -> None:
        self.table.append(line)
        self.scales.append(scale)
        self.named.append(feature.name)

    def _line(self, feature: Feature) -> tuple[tuple[int, int, int], float]:
        if isinstance(feature, Aggregate):
            scale = self._minor if feature.unit == "currency" else 1
            return (_FOLDS[feature.fold], self._slots[feature.name], 0), float(scale)
        if isinstance(feature, Condition):
            what = finalise.SOME if feature.wanted else finalise.NOTHING
            return (what, self._slots[feature.count.name], 0), 1.0
        if isinstance(feature, DaysUntil):
            name = feature.instant.source or feature.instant.name
            if name not in self._instants:
                self._instants.append(name)
            return (finalise.DAYS_UNTIL, self._instants.index(name), 0), 1.0
        if isinstance(feature, Arithmetic):
            left, right = self.place(feature.left), self.place(feature.right)
            return (_ARITHMETIC[feature.operation], left, right), 1.0
        if isinstance(feature, AtLeast):
            return (finalise.AT_LEAST, self.place(feature.part), 0), feature.bound
        what, brought = finalise.INPUT, feature
        if isinstance(feature, DaysSince):
            what, brought = finalise.DAYS_SINCE, feature.instant
        self.inputs.append(brought)
        return (what, len(self.inputs) - 1, 0), 1.0
