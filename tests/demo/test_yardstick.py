"""How far from the best possible: the arithmetic, and a champion on a simulated company."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from demo.yardstick import Distance, NoTruthError, distance, distances, expected_loss, show
from features.sources.simulator import Company, ingest_simulator, truth_folder
from models import catalog
from models.registry import prepare
from models.spec import Minimum
from training.dataset import moment
from training.job import train
from training.settings import TrainingSettings

SEGMENTS = [spec for spec in catalog.CATALOG.values() if spec.label is None]


def test_nobody_is_better_than_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200)
    best = expected_loss(truth, truth)
    assert best == pytest.approx(
        float(np.mean([-q * math.log(q) - (1 - q) * math.log(1 - q) for q in truth]))
    )
    assert all(expected_loss(truth, rng.random(200)) > best for _ in range(20))
    assert expected_loss(np.ones(1), np.zeros(1)) < math.inf


def test_excess_is_relative_to_what_can_be_explained() -> None:
    out = io.StringIO()
    found = Distance("churn", 1_234, best=0.4, champion=0.41, constant=0.6)
    assert found.excess == pytest.approx(0.05)
    show(Console(file=out, width=110), [found])
    row = next(line for line in out.getvalue().splitlines() if "churn" in line)
    assert row.split() == ["churn", "1,234", "0.4000", "0.4100", "0.6000", "5.0%"]


def test_a_champion_lies_between_the_best_possible_and_the_constant_rate(tmp_path: Path) -> None:
    log = ingest_simulator(
        tmp_path, Company(customers=500, days=420, seed=1), futures=0, consent=False
    ).log
    spec = replace(catalog.spec("lead_score"), backtests=0, minimum=Minimum(rows=100, positives=20))
    registry = prepare(tmp_path)
    settings = TrainingSettings(home=tmp_path, threads=1)
    done = train(spec, log, registry, settings, promote=True)
    found = distance(spec, log, done.bundle, moment(log, None))
    assert found.best < found.champion
    assert found.best < found.constant
    assert found.rows > 100
    assert [each.model for each in distances(tmp_path, [spec, *SEGMENTS])] == ["lead_score"]
    (truth_folder(tmp_path) / "lead_score.parquet").replace(tmp_path / "kept.parquet")
    (truth_folder(tmp_path) / "ctr.parquet").replace(truth_folder(tmp_path) / "lead_score.parquet")
    with pytest.raises(NoTruthError, match="judged rows of 'lead_score' is not known"):
        distance(spec, log, done.bundle, moment(log, None))
