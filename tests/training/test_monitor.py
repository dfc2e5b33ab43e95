from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from models import catalog
from models.calibrator import Calibrator
from models.promotion import Gate
from tests.models.conftest import customers
from training.dataset import Dataset, moment, training_spine
from training.drift import Shift, drift
from training.monitor import monitor
from training.watch import waiting, write_report

GATE = Gate()


def rows(bundle, n=3_000, seed=5, change=lambda p: p):
    """Rows whose answers come from a bundle's own probabilities, or from what is made of them."""
    columns = customers(n, seed)
    X = pd.DataFrame(columns)
    p = bundle.calibrator.probability(bundle.engine.margins(bundle.encoder.transform(X)))
    y = pd.Series((np.random.default_rng(seed).random(n) < change(p)).astype(np.int64))
    return Dataset(X, y, pd.DataFrame({"customer_id": np.arange(n).astype(str)}))


def test_a_champion_that_keeps_its_promises_is_kept(made):
    data = rows(made.bundle)
    found = monitor(made.bundle, GATE, data, data, waiting=12)
    assert (found.verdict, found.code, found.waiting) == ("keep", 0, 12)
    assert [each.grade for each in found.grades] == list("ABCD")
    assert {each.word for each in found.grades} == {"as expected"}
    assert sum(each.rows for each in found.grades) == found.label_rate.rows == len(data)
    assert not found.score_drift.drifted
    assert not any(shift.drifted for shift in found.feature_drift)


def test_too_many_yes_are_seen_in_every_grade_and_the_model_is_retrained(made):
    data = rows(made.bundle, change=lambda p: expit(logit(p) + 0.8))
    found = monitor(made.bundle, GATE, data, data)
    assert (found.verdict, found.code) == ("retrain", 1)
    assert "calibration intercept 0." in found.reason
    assert {each.word for each in found.grades} == {"more than expected"}
    assert found.label_rate.word == "other than at training"
    assert found.label_rate.then == made.bundle.spec.base_rate


def test_a_previous_champion_proven_closer_is_brought_back(made):
    worse = replace(made.bundle, calibrator=Calibrator.sigmoid(0.2, 1.5))
    data = rows(made.bundle)
    found = monitor(worse, GATE, data, data, made.bundle)
    assert (found.verdict, found.code) == ("roll back", 2)
    assert "The previous champion, version 7, is closer to what happened" in found.reason
    assert monitor(worse, GATE, data, data).code == 1
    assert monitor(made.bundle, GATE, data, data, worse).code == 0


def test_few_answers_decide_nothing_and_what_waits_is_said(made):
    data = rows(made.bundle, n=30)
    found = monitor(made.bundle, GATE, data, data, waiting=1_234)
    assert found.code == 0
    assert "too few to tell; 1,234 are not mature yet" in found.reason
    assert found.grades == ()
    nothing = monitor(made.bundle, GATE, data.take(np.array([], dtype=np.int64)), data)
    assert nothing.label_rate is None


def test_scores_that_moved_are_a_reason_to_retrain(made):
    data = rows(made.bundle)
    richer = Dataset(data.X.assign(orders=data.X["orders"] + 4), data.y, data.rows)
    found = monitor(made.bundle, GATE, data, richer)
    assert (found.verdict, found.score_drift.drifted) == ("retrain", True)
    assert found.feature_drift[0].name == "orders"
    assert "distributed otherwise than at training" in found.reason


@pytest.mark.parametrize("n", [15, 40, 300])
def test_few_rows_of_the_same_customers_are_no_drift(made, n):
    for seed in range(5):
        scores, features = drift(made.bundle, rows(made.bundle, n=n, seed=seed))
        assert not scores.drifted
        assert not any(shift.drifted for shift in features)


def test_a_segmentation_has_drift_and_no_outcomes(segment_bundle, made):
    data = rows(made.bundle)
    found = monitor(segment_bundle, GATE, data, data)
    assert found.label_rate is None
    assert found.reason.startswith("It has no outcomes.")


def test_the_report_holds_every_figure_as_plain_json(made, tmp_path):
    data = rows(made.bundle)
    found = monitor(made.bundle, GATE, data, data, waiting=3)
    write_report(found, made.bundle, 1_700_000_000_000_000, tmp_path / "out.json")
    read = json.loads((tmp_path / "out.json").read_text(), parse_constant=pytest.fail)
    assert (read["model"], read["version"], read["code"], read["waiting"]) == ("churn", "7", 0, 3)
    assert read["as_of"].startswith("2023-11-14")
    assert set(read["grades"][0]) == {"grade", "rows", "expected", "actual", "low", "high", "word"}
    assert {"index", "bound", "drifted"} < set(read["score_drift"])
    assert len(read["feature_drift"]) == len(made.bundle.encoder.columns)


def test_a_shift_of_the_same_shares_is_none():
    assert Shift.of("same", [0.2, 0.8], [0.2, 0.8], (100, 100)).index == 0.0


def test_rows_that_wait_are_those_that_training_may_not_see(log):
    now = moment(log, None)
    lead, churn = catalog.spec("lead_score"), catalog.spec("churn")
    spine = log.spine("lead")
    mature, _ = training_spine(lead, log, now)
    begun = spine.take(np.flatnonzero(spine.as_of < now))
    assert waiting(lead, log, now) == len(set(begun.row_id) - set(mature.row_id)) > 0
    everyone = len(log.customers.column("customer_id").unique())
    assert waiting(churn, log, now) == 3 * everyone  # the weeks of which 28 days are not over
    assert waiting(catalog.spec("segments"), log, now) == 0


def test_a_version_that_was_left_is_not_gone_back_to(monkeypatch, made, log):
    from training import watch

    kept = SimpleNamespace(
        champion=lambda model: "2",
        resolve=lambda model, alias: "1",
        rolled_back=lambda model, version: "complaints",
    )
    asked = []
    monkeypatch.setattr(watch, "downloaded", lambda *given: asked.append(given[2]) or made.bundle)
    monkeypatch.setattr(watch, "rows_to_score", lambda *given, **more: rows(made.bundle))
    data = rows(made.bundle)
    matured = Dataset(data.X, data.y, data.rows.assign(matures_at=2**60))
    monkeypatch.setattr(watch, "build", lambda *given, **more: matured)
    watch.watch(catalog.spec("churn"), log, kept, moment(log, None))
    assert asked == ["2"]
