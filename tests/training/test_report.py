from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from features.errors import BadInputError
from models.metrics import METRICS as MEASURES
from training.dataset import build, moment
from training.fit import Fitting
from training.grading import grading
from training.learn import learn
from training.origins import Origins
from training.report import METRICS, report, write_report

DOCUMENT = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.fixture(scope="module")
def learned(log, quick):
    data = build(quick("lead_score"), log, moment(log, None))
    return learn(quick("lead_score"), data, Fitting(threads=1, folds=2), lambda step: None)


@pytest.fixture(scope="module")
def made(learned, log):
    where = Origins(log.source, log.fingerprint, moment(log, None), 0, "abc")
    found = learned.evaluation
    graded = grading(found.y, found.model.p, found.customers)
    return report(learned, {"reason": "Promoted."}, graded, found.model.name, where)


def documented(heading):
    section = DOCUMENT.read_text().split(f"{heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_key_of_the_report_is_documented_and_no_other(made):
    assert documented("## The report of a run") == set(made)


def test_every_metric_has_value_low_and_high_for_the_model_and_each_baseline(made, learned):
    found = learned.evaluation
    for judged, figures in [
        (found.model, made),
        *((each, made["baselines"][each.name]) for each in found.baselines),
    ]:
        for key, name in METRICS.items():
            value, low, high = (figures[key][part] for part in ("value", "low", "high"))
            if value is None:
                assert low is high is None
                continue
            assert value == pytest.approx(MEASURES[name].function(found.y, judged.p))
            # A resample of calibration errors is further off than the rows themselves.
            assert key == "ece" or low - 1e-12 <= value <= high + 1e-12


def test_the_report_is_plain_json_and_counts_what_was_judged(made, learned):
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["n_train"] == len(learned.split.train)
    assert made["n_test"] == sum(grade["rows"] for grade in made["grades"])
    y = learned.data.y.to_numpy()
    assert made["base_rate"] == pytest.approx(np.mean(y[learned.split.train]))
    assert set(made["baselines"]) | {made["engine"]} | set(made["rivals"]) == {
        each.name for each in learned.evaluation.everyone
    }


def test_one_report_is_written_as_it_is_and_several_by_model(tmp_path):
    one, many = tmp_path / "one.json", tmp_path / "many.json"
    write_report(one, {"churn": {"n_test": 1}})
    write_report(many, {"churn": {"n_test": 1}, "ctr": {"n_test": 2}})
    assert json.loads(one.read_text()) == {"n_test": 1}
    assert set(json.loads(many.read_text())) == {"churn", "ctr"}


def test_a_report_that_cannot_be_written_leaves_the_old_one_whole(tmp_path):
    path = tmp_path / "out.json"
    write_report(path, {"churn": {"n_test": 1}})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_report(path, {"churn": {"n_test": float("nan")}})
    assert json.loads(path.read_text()) == {"n_test": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize(
    ("place", "says"),
    [("out.txt", "no .json"), ("missing/out.json", "no folder"), ("folder.json", "is a folder")],
)
def test_a_place_that_takes_no_report_is_an_error_that_says_why(tmp_path, place, says):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(BadInputError, match=says):
        write_report(tmp_path / place, {"churn": {}})
