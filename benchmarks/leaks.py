"""Leaks planted in tables one at a time: the scan must find each, and nothing in clean tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.declare import attribute
from features.feature import Feature
from models import catalog
from models.finding import Finding
from models.spec import ModelSpec
from training.dataset import Dataset
from training.leaks.scan import scan

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

DAY = 86_400_000_000
NAME = "planted"
SNAPSHOT = 1_700_000_000_000_000


@dataclass(frozen=True)
class Rows:
    """A table whose columns are to be believed, or not.

    Attributes
    ----------
    name : str
    spec : ModelSpec
        Its features are the table's columns.
    data : Dataset
    train, later : ndarray of int64
        Positions of the rows to learn from, and of those that came after.
    """

    name: str
    spec: ModelSpec
    data: Dataset
    train: Integers
    later: Integers


@dataclass(frozen=True)
class Scanned:
    """What the scan made of some tables.

    Attributes
    ----------
    planted, leaks_found : int
        Leaks that were planted, and those of which the planted column has a severe finding.
    false_alarms : int
        Severe findings in the tables as they are.
    missed : tuple of str
        "table: leak".
    alarms : tuple of (str, Finding)
        The false ones, with their table.
    """

    planted: int
    leaks_found: int
    false_alarms: int
    missed: tuple[str, ...]
    alarms: tuple[tuple[str, Finding], ...]


@dataclass(frozen=True)
class Column:
    """A planted column, and the moments of the answers where they have to be known for it."""

    feature: Feature
    values: Any
    decided_at: Integers | None = None


Plant = Callable[[Rows, np.random.Generator], Column]


def back_filled(table: Rows, rng: np.random.Generator) -> Column:
    """A field that is overwritten for most of the yes once they are known."""
    y = table.data.y.to_numpy()
    before = rng.choice(np.array(["mail", "phone", "shop", "web"], dtype=object), len(y))
    written = rng.random(len(y)) < np.where(y == 1, 0.7, 0.01)
    return Column(attribute(NAME), np.where(written, "closed", before))


def noisy_copy(table: Rows, rng: np.random.Generator) -> Column:
    """The answer, wrong in every eighth row."""
    y = table.data.y.to_numpy()
    copied = np.where(rng.random(len(y)) < 1 / 8, 1 - y, y)
    return Column(attribute(NAME, number=True), copied.astype(np.float64))


def late_timestamp(table: Rows, rng: np.random.Generator) -> Column:
    """When a row was last touched: for half of the yes after the answer was known."""
    y, as_of, matured = _moments(table)
    decided = np.where(matured > as_of, matured, as_of + rng.integers(DAY, 60 * DAY, len(y)))
    touched = as_of - rng.integers(0, 90 * DAY, len(y))
    late = (y == 1) & (rng.random(len(y)) < 0.5)
    touched = np.where(late, decided + rng.integers(2 * DAY, 9 * DAY, len(y)), touched)
    days = replace(attribute(f"days_since_{NAME}", number=True), unit="days")
    return Column(days, (as_of - touched) / DAY, decided)


def ordered_id(table: Rows, rng: np.random.Generator) -> Column:
    """A number given out in an order that leans towards the yes; one a customer."""
    customer, y = table.data.rows["customer_id"].to_numpy(), table.data.y.to_numpy()
    _, firsts, whose = np.unique(customer.astype(str), return_index=True, return_inverse=True)
    lean = 0.4 * y[firsts] + rng.random(len(firsts))
    given = 100_000 + np.argsort(np.argsort(lean))
    return Column(attribute(NAME, number=True), given[whose].astype(np.float64))


def filled_for_yes(table: Rows, rng: np.random.Generator) -> Column:
    """Noise that is filled in for most of the yes and a quarter of the no."""
    y = table.data.y.to_numpy()
    filled = rng.random(len(y)) < np.where(y == 1, 0.8, 0.25)
    return Column(attribute(NAME, number=True), np.where(filled, rng.normal(size=len(y)), np.nan))


def target_encoded(table: Rows, rng: np.random.Generator) -> Column:
    """The mean answer by a region that itself tells nothing and is not among the columns."""
    y = table.data.y.to_numpy()
    region = rng.integers(0, max(2, len(y) // 25), len(y))
    mean = np.bincount(region, y) / np.maximum(np.bincount(region), 1)
    return Column(attribute(NAME, number=True), mean[region])


PLANTS: dict[str, Plant] = {
    "back-filled field": back_filled,
    "label copy with noise": noisy_copy,
    "post-outcome timestamp": late_timestamp,
    "id that encodes order": ordered_id,
    "missingness": filled_for_yes,
    "target-encoded column": target_encoded,
}


def scanned(tables: Iterable[Rows], random_state: int = 0) -> Scanned:
    """Return what the scan finds in tables as they are, and with each leak planted.

    Parameters
    ----------
    tables : iterable of Rows
        Clean ones.
    random_state : int
        Seed of what is planted.
    """
    missed: list[str] = []
    alarms: list[tuple[str, Finding]] = []
    planted = 0
    for table in tables:
        alarms += [(table.name, found) for found in severe(table)]
        for name, plant in PLANTS.items():
            planted += 1
            column = plant(table, np.random.default_rng(random_state))
            found = {finding.column for finding in severe(with_column(table, column))}
            if column.feature.name not in found:
                missed.append(f"{table.name}: {name}")
    return Scanned(planted, planted - len(missed), len(alarms), tuple(missed), tuple(alarms))


def severe(table: Rows) -> list[Finding]:
    """Return the severe findings in a table."""
    found = scan(table.spec, table.data, table.train, table.later)
    return [finding for finding in found if finding.severity == "severe"]


def with_column(table: Rows, column: Column) -> Rows:
    """Return a table with one more column, and the moments of its answers where given."""
    data = table.data
    X = data.X.assign(**{column.feature.name: column.values})
    if column.decided_at is not None:
        rows = data.rows.assign(matures_at=column.decided_at)
        data = replace(data, rows=rows, order="decided_at")
    features = (*table.spec.features, column.feature)
    return replace(table, spec=replace(table.spec, features=features), data=replace(data, X=X))


def snapshot(
    name: str, X: pd.DataFrame, y: Any, features: tuple[Feature, ...], groups: Any = None
) -> Rows:
    """Return a table without time as the scan takes it: four fifths to learn from.

    Parameters
    ----------
    X : DataFrame
        A column a feature: numbers, or texts with None where missing.
    y : array-like of {0, 1}
    groups : array-like, optional
        The customer of each row; every row is one's own by default.
    """
    n = len(X)
    who = np.arange(n) if groups is None else np.asarray(groups)
    moments = np.full(n, SNAPSHOT)
    rows = pd.DataFrame(
        {
            "row_id": np.arange(n).astype(str),
            "customer_id": who.astype(str),
            "as_of": moments,
            "matures_at": moments,
        }
    )
    spec = replace(catalog.spec("churn"), name="table", features=features, baselines=())
    data = Dataset(X.reset_index(drop=True), pd.Series(np.asarray(y, np.int64)), rows, "none")
    later = np.unique(who, return_inverse=True)[1] % 5 == 0
    return Rows(name, spec, data, np.flatnonzero(~later), np.flatnonzero(later))


def _moments(table: Rows) -> tuple[Integers, Integers, Integers]:
    rows = table.data.rows
    return table.data.y.to_numpy(), rows["as_of"].to_numpy(), rows["matures_at"].to_numpy()
