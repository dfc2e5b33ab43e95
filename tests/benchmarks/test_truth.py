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
from demo.yardstick import Distance, NoTruthError, expected_loss, truth_of
from features.log import EventLog
from features.sources.simulator import Company, ingest_simulator, read_truth
from features.sources.simulator.company import STARTS_AT, WEEK
from models import catalog
from models.spec import Minimum
from models.trees import boosted_trees
from training.candidates import fit_candidates
from training.dataset import build, moment
from training.fit import Fitting
from training.holdout import splits


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, machine_code: Path) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "numba").symlink_to(machine_code)
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


def test_under_drift_a_stale_model_is_worse_than_one_that_saw_the_change(
    tmp_path: Path, machine_code: Path
) -> None:
    (tmp_path / "numba").symlink_to(machine_code)
    drifting = Company(customers=3_000, days=560, seed=3, drift=True)
    log = ingest_simulator(tmp_path, drifting, consent=False, futures=0, bulk=True).log
    spec = replace(
        catalog.spec("lead_score"),
        estimator=partial(boosted_trees, num_leaves=4),
        minimum=Minimum(rows=100, positives=5),
        baselines=(),
    )
    data = build(spec, log, moment(log, None))
    latest = splits(spec, data)[0]
    changes = STARTS_AT + drifting.drift_week * WEEK
    known = data.rows["matures_at"].to_numpy()[latest.train] <= changes
    judged = data.take(latest.test)
    wanted = truth_of(log, spec.name, judged.rows["row_id"].to_numpy())
    fresh, stale = (
        fit_candidates(spec, data, split, Fitting(trees=60, folds=2), lambda step: None)[0]
        for split in (latest, replace(latest, train=latest.train[known]))
    )
    assert judged.rows["as_of"].min() >= changes
    too_high = [float((each.probabilities(judged.X) - wanted).mean()) for each in (fresh, stale)]
    losses = [expected_loss(wanted, each.probabilities(judged.X)) for each in (fresh, stale)]
    assert losses[0] < losses[1]
    # Fewer rows alone would not shift everybody: after the change all answer less often.
    assert 0.0 < too_high[0] < too_high[1]
