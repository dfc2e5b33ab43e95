"""Random rows of feature values, some missing; and a service whose churn model has intervals."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from models.bundle import Bundle
from models.calibrator import Calibrator
from models.catalog import CATALOG
from models.intervals import Intervals
from models.linear import Linear, Term
from models.scores import SqlScoreStore
from serving.champions.cache import announce
from tests.serving.fakes import make_bundle, opened, publish

VERSION = "3"
CHURN = CATALOG["churn"].features


def random_rows(features: Sequence[Any], number: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = random.Random(seed)

    def value(feature: Any) -> Any:
        if rng.random() < 0.2:
            return None
        if feature.dtype in ("category", "ordinal"):
            return rng.choice(list(feature.levels) or ["A", "never seen"])
        of_type = {"int": rng.randrange(50), "float": rng.gauss(2, 3), "bool": rng.random() < 0.5}
        return of_type[feature.dtype]

    return [{feature.name: value(feature) for feature in features} for _ in range(number)]


def columns_of(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def churn_bundle() -> Bundle:
    """On every number, with weights of both signs, so that rows differ in their answers."""
    plain = make_bundle(CATALOG["churn"])
    terms = tuple(
        Term(
            column=at,
            scale=10.0,
            coefficient=0.1 * (at % 7 - 3),
            missing_coefficient=0.1 * (at % 5 - 2),
        )
        for at, column in enumerate(plain.encoder.columns)
        if column.dtype in ("int", "float")
    )
    X = plain.encoder.transform(columns_of(random_rows(CHURN, 60, seed=9)))
    intervals = Intervals((-2.0, 0.0, 2.0), (0.01, 0.3, 0.7), (0.3, 0.6, 0.99))
    engine, identity = Linear(-0.3, terms), Calibrator.identity()
    return Bundle.of(plain.spec, plain.encoder, engine, identity, X, intervals=intervals)


@contextmanager
def served(home: Path, bundle: Bundle) -> Iterator[TestClient]:
    """Every model of the catalogue in version 1, but churn in version 3."""
    for name, spec in CATALOG.items():
        if name != "churn":
            publish(home / "cache", spec, "1")
    bundle.save(home / "cache" / "churn" / VERSION)
    announce(home / "cache", "churn", VERSION)
    scores = SqlScoreStore("sqlite://")
    with opened(home, scores, max_body_bytes=500_000) as client:
        yield client
    scores.close()
