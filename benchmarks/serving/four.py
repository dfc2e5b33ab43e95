"""A home with four champions on the catalogue's own features, all of it made up.

Three boosters of 300 trees of 31 leaves and one set of segments: as large as what training
publishes from real purchases, without the hour of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.contract import Batch
from features.ingest import ingest
from features.jit import compiled
from features.materialise import materialise
from features.shelf import shelf_of
from features.source import Source
from models.booster import Booster
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.catalog import CATALOG
from models.clusters import Clusters
from models.encoder import TEXTS, Column, Encoder
from models.published import PublishedSpec, Segment
from models.spec import ModelSpec
from serving.champions.cache import announce

DAY = 86_400_000_000
FROZEN_AT = 1_780_000_000_000_000
SHOP = Source("shop", "EUR", "Europe/Berlin", "assumed", 1, FROZEN_AT)
PROPERTIES = {
    "store": "text",
    "placement": "text",
    "brand": "text",
    "discount": "integer",
    "coupon_discount": "integer",
}
LEVELS = ("A", "B", "C")
TREES, LEAVES, ROWS, AXES, SEGMENTS = 300, 31, 5_000, 4, 5


def fill(home: Path, customers: int = 200, each: int = 10) -> list[str]:
    """Write a log of some orders a customer and fill the online store; return the customers."""
    names = [f"c{number}" for number in range(customers)]
    days = [7 * number for number in range(each)]
    orders = [(at, day) for at in range(customers) for day in days]
    table = pa.table(
        {
            "event_id": [f"{name}-{day}" for name in names for day in days],
            "customer_id": [name for name in names for _ in days],
            "kind": ["order"] * customers * each,
            "occurred_at": [FROZEN_AT - (day + 1) * DAY - at for at, day in orders],
            "amount": [1_000 + at + day for at, day in orders],
        }
    )  # fmt: skip
    log = ingest(SHOP, [Batch("made up", table)], home, properties=PROPERTIES).log
    materialise(log, shelf_of(home)).close()
    return names


def publish_all(cache: Path) -> None:
    """Put a champion of each model of the catalogue into a cache."""
    for spec in CATALOG.values():
        bundle_of(spec).save(cache / spec.name / "1")
        announce(cache, spec.name, "1")
    compiled(cache.parent / "numba")


def bundle_of(spec: ModelSpec, seed: int = 0, trees: int = TREES) -> Bundle:
    """Return a published model of made-up rows; another seed answers otherwise."""
    rng = np.random.default_rng(seed)
    columns = [Column(f.name, f.dtype, _levels(f)) for f in spec.features]
    X = rows_of(columns, rng)
    if spec.output == "segment":
        return _published(spec, columns, _clusters(columns, X), Calibrator.identity(), X)
    engine = Booster(_grown(columns, X, rng, trees))
    return _published(spec, columns, engine, Calibrator.sigmoid(1.1, 0.1), X)


def rows_of(columns: Sequence[Column], rng: np.random.Generator) -> Any:
    """Return encoded rows, float64[n, columns]; one value in twenty is missing."""
    X = rng.gamma(2.0, 10.0, (ROWS, len(columns)))
    for at, column in enumerate(columns):
        if column.dtype in TEXTS:
            X[:, at] = rng.integers(0, len(column.levels), ROWS)
        elif column.dtype == "int":
            X[:, at] = np.floor(X[:, at])
        elif column.dtype == "bool":
            X[:, at] = X[:, at] > 15.0
    X[rng.random(X.shape) < 0.05] = np.nan
    return X


def _levels(feature: Any) -> tuple[str, ...]:
    if feature.dtype not in TEXTS:
        return ()
    return tuple(feature.levels or LEVELS)


def _grown(columns: Sequence[Column], X: Any, rng: np.random.Generator, trees: int) -> str:
    import lightgbm

    y = np.log1p(np.nan_to_num(X[:, : max(2, len(columns) // 2)])).sum(axis=1)
    y = y + rng.normal(scale=y.std(), size=len(X)) > np.median(y)
    texts = [at for at, column in enumerate(columns) if column.dtype in TEXTS]
    trained = lightgbm.LGBMClassifier(
        num_leaves=LEAVES, n_estimators=trees, n_jobs=1, verbose=-1, random_state=0
    )
    trained.fit(X, y.astype(int), categorical_feature=texts)
    return str(trained.booster_.model_to_string())


def _clusters(columns: Sequence[Column], X: Any) -> Clusters:
    numbers = [at for at, column in enumerate(columns) if column.dtype in ("int", "float")]
    places = np.array(numbers[:AXES])
    found = np.nan_to_num(X[:SEGMENTS, places])
    k = len(places)
    return Clusters(places, np.zeros(k, bool), np.zeros(k), np.ones(k), found)


def _published(
    spec: ModelSpec, columns: Sequence[Column], engine: Any, calibrator: Calibrator, X: Any
) -> Bundle:
    segments: tuple[Segment, ...] = ()
    if isinstance(engine, Clusters):
        segments = tuple(
            Segment(at, f"kind {at}", "made up", 1 / SEGMENTS) for at in range(len(engine.centers))
        )
    published = PublishedSpec.of(
        spec, horizon="28d", base_rate=None if segments else 0.5, currency="EUR",
        as_of=FROZEN_AT, trained_at=FROZEN_AT, code_version="benchmark", segments=segments,
    )  # fmt: skip
    return Bundle.of(published, Encoder(columns), engine, calibrator, X)
