"""Customers whose kinds are known, and customers of no kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from features.declare import attribute, events
from models import catalog
from models.spec import Minimum, ModelSpec

orders = events("order")
NUMBERS = (
    orders.count(last="90d"),
    orders.days_since_last(),
    orders.mean("amount", last="90d", unit="currency"),
    orders.sum("amount", last="365d", unit="currency"),
)
CATEGORIES = (attribute("home_region"), attribute("contract"))


def spec_of(*features: Any, clusters: tuple[int, ...] = (2, 3, 4, 5, 6)) -> ModelSpec:
    """Segments of these features, without a population."""
    base = catalog.spec("segments")
    return ModelSpec(
        name="segments", entity="customer", question=base.question, output="segment",
        features=features, estimator=base.estimator, metrics=base.metrics, clusters=clusters,
        minimum=Minimum(rows=20),
    )  # fmt: skip


def planted(kinds: int, n: int = 400, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers of customers of some kinds, far apart, and the kind of each."""
    middles = (
        60
        + 30
        * np.random.default_rng(12)
        .permuted(np.tile(np.arange(kinds, dtype=float), (len(NUMBERS), 1)), axis=1)
        .T
    )
    random = np.random.default_rng(seed)
    kind = random.integers(kinds, size=n)
    values = middles[kind] + random.normal(scale=5.0, size=(n, len(NUMBERS)))
    return pd.DataFrame(values, columns=[f.name for f in NUMBERS]), kind


def structureless(form: str, n: int = 500, seed: int = 0) -> pd.DataFrame:
    """Numbers of customers among whom there are no kinds."""
    random, columns = np.random.default_rng(seed), len(NUMBERS)
    drawn = {
        "one crowd": lambda: random.normal(100, 10, (n, columns)),
        "one crowd with correlations": lambda: (
            100 + 5 * random.normal(size=(n, columns)) @ random.normal(size=(columns, columns))
        ),
        "a filled box": lambda: random.uniform(0, 100, (n, columns)),
        "long tails": lambda: np.exp(random.normal(size=(n, columns))),
    }
    return pd.DataFrame(drawn[form](), columns=[f.name for f in NUMBERS])
