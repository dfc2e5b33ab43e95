"""A small published model on made-up customers, and what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from models.blend import Blend
from models.booster import Booster
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.clusters import Clusters
from models.encoder import Encoder
from models.linear import Linear, Term
from models.published import PublishedFeature, PublishedSpec, Segment
from tests.databases import postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URL and table prefix of a store that nothing else uses."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'scores.db'}", "nextbest_"
        return
    with postgres() as found:
        yield found


AGES = ("19-24", "25-34", "35+")
FEATURES = (
    PublishedFeature("orders", "int", "orders", (), {"en": "orders", "ko": "주문 수"}),
    PublishedFeature("spent", "float", "currency", (), {"en": "amount spent", "ko": "금액"}),
    PublishedFeature("age", "ordinal", "text", AGES, {"en": "age", "ko": "나이"}),
    PublishedFeature("channel", "category", "text", (), {"en": "channel", "ko": "채널"}),
    PublishedFeature("member", "bool", "", (), {"en": "is a member", "ko": "회원 여부"}),
)


@dataclass(frozen=True)
class Made:
    """A bundle with the raw columns, the encoded rows and LightGBM's own booster behind it."""

    bundle: Bundle
    columns: dict[str, np.ndarray]
    X: np.ndarray
    oracle: lightgbm.Booster

    def rows(self, n: int) -> list[list[Any]]:
        """The first raw rows."""
        return [
            [
                value.item() if isinstance(value, np.generic) else value
                for value in (self.columns[f.name][i] for f in FEATURES)
            ]
            for i in range(n)
        ]


def customers(n: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    spent = rng.gamma(2.0, 50.0, n)
    spent[rng.random(n) < 0.2] = np.nan
    return {
        "orders": rng.poisson(4, n).astype(np.int64),
        "spent": spent,
        "age": np.array([*AGES, None], dtype=object)[rng.integers(0, 4, n)],
        "channel": np.array(["mail", "shop", "web", None], dtype=object)[rng.integers(0, 4, n)],
        "member": rng.random(n) < 0.5,
    }


def spec_of(**changes: Any) -> PublishedSpec:
    facts: dict[str, Any] = {
        "name": "churn",
        "entity": "customer",
        "question": "Will this active customer stop buying?",
        "output": "probability",
        "features": FEATURES,
        "feature_hash": "0123456789abcdef",
        "horizon": "28d",
        "base_rate": 0.3,
        "currency": "USD",
        "as_of": 1_514_782_800_000_000,
        "trained_at": 1_514_782_800_000_001,
        "code_version": "abc1234",
        "version": "7",
        "statements": ("One clock.",),
        "metrics": {"auc": {"value": 0.1 + 0.2, "low": 0.25, "high": None}},
    }
    return PublishedSpec(**{**facts, **changes})


@pytest.fixture(scope="session")
def published_spec() -> Callable[..., PublishedSpec]:
    return spec_of


@pytest.fixture(scope="session")
def made() -> Made:
    columns = customers(1_500, seed=1)
    encoder = Encoder.fit(columns, FEATURES)
    X = encoder.transform(columns)
    rng = np.random.default_rng(2)
    line = 0.4 * X[:, 0] - 0.01 * np.nan_to_num(X[:, 1]) + (X[:, 3] == 1.0) - 1.5
    y = (rng.random(len(X)) < 1.0 / (1.0 + np.exp(-line))).astype(int)
    data = lightgbm.Dataset(X, y, categorical_feature=encoder.categorical, params={"verbosity": -1})
    settings = {"objective": "binary", "verbosity": -1, "num_leaves": 8, "num_threads": 1}
    oracle = lightgbm.train(settings, data, num_boost_round=40)
    bundle = Bundle.of(
        spec_of(base_rate=float(y.mean())),
        encoder,
        Booster(oracle.model_to_string()),
        Calibrator.sigmoid(1.1, -0.2),
        X,
        card_markdown="# Churn\n",
        card_html="<h1>Churn</h1>\n",
    )
    return Made(bundle, columns, X, oracle)


LINEAR = Linear(
    -0.3,
    (
        Term(0, transform="log1p", mean=1.5, scale=0.4, coefficient=0.8),
        Term(1, mean=100.0, scale=70.0, coefficient=-0.5, missing_coefficient=0.25),
        Term(3, kind="level", level=1.0, coefficient=0.7, missing_coefficient=-0.1),
        Term(3, kind="level", level=2.0, coefficient=-0.2),
    ),
)

SEGMENTS = Clusters(
    columns=np.array([0, 1]),
    log1p=np.array([False, True]),
    mean=np.array([4.0, 4.3]),
    scale=np.array([2.0, 0.7]),
    centers=np.array([[-1.0, -0.5], [1.0, 0.6], [0.0, 2.0]]),
)


@pytest.fixture(scope="session")
def linear_bundle(made: Made) -> Bundle:
    calibrator = Calibrator.isotonic([-2.0, 0.0, 1.0], [0.05, 0.4, 0.9])
    return Bundle.of(spec_of(), made.bundle.encoder, LINEAR, calibrator, made.X)


@pytest.fixture(scope="session")
def segment_bundle(made: Made) -> Bundle:
    names = ("Occasional", "Regular", "Big spenders")
    segments = tuple(Segment(i, name, f"{name}.", 1 / 3) for i, name in enumerate(names))
    spec = spec_of(name="segments", output="segment", base_rate=None, segments=segments)
    return Bundle.of(spec, made.bundle.encoder, SEGMENTS, Calibrator.identity(), made.X)


@pytest.fixture(scope="session")
def blend_bundle(made: Made) -> Bundle:
    assert isinstance(made.bundle.engine, Booster)
    blend = Blend(LINEAR, made.bundle.engine)
    return Bundle.of(spec_of(), made.bundle.encoder, blend, Calibrator.sigmoid(0.9, 0.1), made.X)


@pytest.fixture(params=["booster", "linear", "blend", "segments"])
def any_bundle(request: pytest.FixtureRequest, made: Made) -> Bundle:
    if request.param == "booster":
        return made.bundle
    bundle: Bundle = request.getfixturevalue(
        f"{request.param}_bundle".replace("segments", "segment")
    )
    return bundle
