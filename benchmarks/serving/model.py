"""One model for all: 300 trees of 31 leaves on forty of churn's features, grown on made-up rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models.booster import Booster
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.catalog import CATALOG
from models.encoder import TEXTS, Column, Encoder
from models.published import PublishedSpec
from models.spec import ModelSpec
from serving.champions.cache import announce

N_FEATURES, TREES, LEAVES, ROWS = 40, 300, 31, 5_000
PICKLED = "model.joblib"


def spec() -> ModelSpec:
    """Return churn with forty numbers as features."""
    churn = CATALOG["churn"]
    numbers = [feature for feature in churn.features if feature.dtype not in TEXTS]
    return replace(churn, features=tuple(numbers[:N_FEATURES]))


def rows(asked: ModelSpec) -> Any:
    """Return made-up rows, float64[n, 40]; nothing is missing."""
    rng = np.random.default_rng(0)
    X = rng.gamma(2.0, 10.0, (ROWS, len(asked.features)))
    for at, feature in enumerate(asked.features):
        if feature.dtype == "int":
            X[:, at] = np.floor(X[:, at])
        elif feature.dtype == "bool":
            X[:, at] = X[:, at] > 15.0
    return X


def publish(cache: Path) -> dict[str, Any]:
    """Publish the model as version 1 of churn; return the values of one row by name."""
    import joblib
    import lightgbm
    import pandas as pd

    asked = spec()
    X = rows(asked)
    rng = np.random.default_rng(1)
    y = (np.log1p(X[:, :12]).sum(axis=1) + rng.normal(scale=3.0, size=len(X))) > 32.0
    trained = lightgbm.LGBMClassifier(num_leaves=LEAVES, n_estimators=TREES, n_jobs=1, verbose=-1)
    trained.fit(pd.DataFrame(X, columns=[f.name for f in asked.features]), y.astype(int))
    joblib.dump(trained, cache / PICKLED)
    columns = [Column(f.name, f.dtype) for f in asked.features]
    published = PublishedSpec.of(
        asked, horizon="28d", base_rate=float(y.mean()), currency="EUR", as_of=0, trained_at=0,
        code_version="benchmark",
    )  # fmt: skip
    bundle = Bundle.of(
        published, Encoder(columns), Booster(trained.booster_.model_to_string()),
        Calibrator.sigmoid(1.1, 0.1), X,
    )  # fmt: skip
    bundle.save(cache / "churn" / "1")
    announce(cache, "churn", "1")
    kinds: dict[str, Any] = {"int": int, "bool": bool}
    return {
        feature.name: kinds.get(feature.dtype, lambda value: round(value, 4))(value)
        for feature, value in zip(asked.features, X[0].tolist(), strict=True)
    }
