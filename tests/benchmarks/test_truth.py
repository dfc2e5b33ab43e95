"""The benchmark under known truth: its arithmetic, and a small company from log to figures."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks import truth
from benchmarks.truth import Measured, coverage, measure, show
from demo.yardstick import Distance, NoTruthError, truth_of
from features.log import EventLog
from features.sources.simulator import Company, ingest_simulator, read_truth
from models import catalog
from models.spec import Minimum
from models.trees import boosted_trees


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    ingest_simulator(
        folder, Company(customers=400, days=420, seed=1), futures=0, consent=False, bulk=True
    )
    return folder


def test_a_model_lies_between_the_best_possible_and_the_constant_rate(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(
        catalog.spec("lead_score"),
        estimator=partial(boosted_trees, n_estimators=40, num_leaves=4),
        minimum=Minimum(rows=100, positives=20),
    )
    monkeypatch.setattr(truth.catalog, "spec", lambda name: spec)
    found = measure(400, home, models=["lead_score"], most_rows=1_500, backtests=0, threads=1)
    each = found["models"]["lead_score"]
    assert each.distance.best < each.distance.champion
    assert each.distance.best < each.distance.constant
    assert each.trained + each.distance.rows <= 1_500
    assert found["excess_log_loss"] == each.distance.excess > 0
    assert 0.6 < each.coverage <= 1.0


def test_the_result_is_that_of_the_worst_model() -> None:
    out = io.StringIO()
    good = Measured(Distance("churn", 10, best=0.4, champion=0.41, constant=0.6), 0.91, 90, 1.0)
    bad = Measured(Distance("ctr", 10, best=0.4, champion=0.42, constant=0.6), 0.85, 90, 1.0)
    found = truth.worst({"churn": good, "ctr": bad})
    show(Console(file=out, width=110), found)
    assert out.getvalue().splitlines()[-1] == "RESULT excess_log_loss=0.1000 coverage_error=0.0500"
    unknown = truth.worst({"churn": good, "ctr": replace(bad, coverage=math.nan)})
    assert math.isnan(unknown["coverage_error"])


def test_a_true_probability_at_an_end_is_inside() -> None:
    assert coverage(np.array([0.5]), (np.array([0.5]), np.array([0.5]))) == 1.0


def test_the_truth_of_rows_is_that_of_their_ids(home: Path) -> None:
    log, known = EventLog.open(home), read_truth(home, "ctr")
    chosen = np.array([7, 3, 11])
    ids = known["row_id"].to_numpy()[chosen]
    assert truth_of(log, "ctr", ids).tolist() == known["probability"].to_numpy()[chosen].tolist()
    with pytest.raises(NoTruthError, match="The truth of 1 of 2 judged rows of 'ctr'"):
        truth_of(log, "ctr", np.array([ids[0], "nobody"], dtype=object))
