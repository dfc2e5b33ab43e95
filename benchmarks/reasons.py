"""What reasons cost: our contributions beside LightGBM's, and a score with five beside none.

``python -m benchmarks.reasons`` trains two models on made-up rows and measures both, a row at a
time and in turns, so that what else the machine does falls on both. The last line is the result.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import lightgbm
import numpy as np

from models.booster import Booster
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.encoder import Encoder
from models.published import PublishedFeature, PublishedSpec
from models.score import Scorer

COLUMNS, CATEGORIES = 40, 4
SIZES = ((300, 31), (1_000, 63))
REASONS = 5


class Costs(NamedTuple):
    """Medians of one model, in microseconds a row."""

    ours: float
    theirs: float
    score: float
    explained: float
    mebibytes: float
    difference: float


def made_up(rows: int, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Return encoded rows with missing values and categories, and answers to learn."""
    rng = np.random.default_rng(random_state)
    X = rng.normal(size=(rows, COLUMNS))
    X[:, :10] = rng.poisson(3, (rows, 10))
    X[rng.random(X.shape) < 0.05] = np.nan
    X[:, -CATEGORIES:] = rng.integers(0, 12, (rows, CATEGORIES))
    known = np.nan_to_num(X)
    line = 0.3 * known[:, 0] + known[:, 12] * known[:, 13] + (known[:, -1] % 3 == 1) - 1.0
    return X, (rng.random(rows) < 1.0 / (1.0 + np.exp(-line))).astype(int)


def measured(trees: int, leaves: int, rows: int, rounds: int) -> Costs:
    """Return what one model of a size costs."""
    X, y = made_up(rows, 0)
    categorical = list(range(COLUMNS - CATEGORIES, COLUMNS))
    settings: dict[str, Any] = {
        "objective": "binary", "num_leaves": leaves, "learning_rate": 0.03, "num_threads": 2,
        "verbosity": -1,
    }  # fmt: skip
    oracle = lightgbm.train(
        settings, lightgbm.Dataset(X, y, categorical_feature=categorical), trees
    )
    booster = Booster(oracle.model_to_string())
    scorer = Scorer(published(booster, X[:1000], float(y.mean())))
    asked = X[:20]
    values = [[None if np.isnan(v) else float(v) for v in row] for row in asked]
    theirs = oracle.predict(asked, pred_contrib=True, num_threads=1)
    difference = float(np.abs(booster.contributions(asked) - theirs).max())
    doing: list[Callable[[int], Any]] = [
        lambda i: booster.contributions(asked[i : i + 1]),
        lambda i: oracle.predict(asked[i : i + 1], pred_contrib=True, num_threads=1),
        lambda i: scorer.score(values[i], 0),
        lambda i: scorer.score(values[i], 0, explain=REASONS),
    ]
    took: list[list[float]] = [[] for _ in doing]
    for _ in range(rounds):
        for one, times in zip(doing, took, strict=True):
            one(0)
            started = time.perf_counter()
            for i in range(len(asked)):
                one(i)
            times.append((time.perf_counter() - started) / len(asked) * 1e6)
    size = booster.shapley.tables.nbytes / 2**20
    return Costs(*(median(times) for times in took), size, difference)


def published(booster: Booster, X: np.ndarray, base_rate: float) -> Bundle:
    """Return a bundle whose columns are all numbers, categories as their codes."""
    features = tuple(
        PublishedFeature(f"f{i}", "float", "", (), {"en": f"column {i}", "ko": f"열 {i}"})
        for i in range(COLUMNS)
    )
    spec = PublishedSpec(
        name="benchmark", entity="customer", question="Which?", output="probability",
        features=features, feature_hash="", horizon="28d", base_rate=base_rate, currency="USD",
        as_of=0, trained_at=0, code_version="",
    )  # fmt: skip
    encoder = Encoder.fit({f.name: X[:, i] for i, f in enumerate(features)}, features)
    return Bundle.of(spec, encoder, booster, Calibrator.sigmoid(1.0, 0.0), X)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reasons", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000, help="to train on")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    result = []
    for trees, leaves in SIZES:
        cost = measured(trees, leaves, given.rows, given.rounds)
        print(
            f"{trees} trees of {leaves} leaves: contributions {cost.ours:,.0f} us a row, "
            f"pred_contrib {cost.theirs:,.0f} us, difference {cost.difference:.1e}, "
            f"tables {cost.mebibytes:.1f} MiB; a score {cost.score:,.0f} us, "
            f"with {REASONS} reasons {cost.explained:,.0f} us",
            flush=True,
        )
        result.append(
            f"x_contrib_{trees}x{leaves}={cost.theirs / cost.ours:.1f} "
            f"reasons_ratio_{trees}x{leaves}={cost.score / cost.explained:.3f}"
        )
    print("RESULT", *result)


if __name__ == "__main__":
    main()
