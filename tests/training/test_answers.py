"""A label that a company's table states, from the log to a dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.declare import attribute
from features.kernel import NULL
from features.spine import Spine
from models.answer import Answer
from models.catalog import spec
from models.spec import SpecError
from tests.small_log import write_small_log
from training.dataset import DatasetError, build
from training.scoring import rows_to_score

DAY = 86_400_000_000
LEAD = replace(
    spec("lead_score"),
    features=(attribute("origin"), attribute("visits", number=True)),
    label=Answer("lead_score"),
    spine="lead_score",
    score_spine=None,
    context={},
    baselines=(),
)
PEOPLE = [
    {"customer_id": f"c{n}", "known_at": n * DAY, "origin": "web", "visits": float(n)}
    for n in range(1, 6)
]


@pytest.fixture
def company(machine_code):
    """Writes a log of five people, of whom the first few have an answer."""

    def write(home, answers, decided_at, as_of=None):
        log = written(home, answers, decided_at, as_of)
        (home / "numba").symlink_to(machine_code)
        return log

    return write


def written(home, answers, decided_at, as_of=None):
    n = len(answers)
    who = np.array([row["customer_id"] for row in PEOPLE[:n]], dtype=object)
    known = [row["known_at"] + 1 for row in PEOPLE[:n]]
    context = {
        "answer": np.array(answers, dtype=np.int64),
        "decided_at": np.array(decided_at, dtype=np.int64),
    }
    rows = Spine("lead", who, who, np.array(as_of or known, dtype=np.int64), context)
    return write_small_log(home, [], customers=PEOPLE, spines={"lead_score": rows})


def test_the_answers_are_the_label_and_the_table_the_features(tmp_path, company):
    log = company(tmp_path, [1, 0, 0], [9 * DAY, 8 * DAY, 7 * DAY])
    data = build(LEAD, log, 10 * DAY)
    assert data.y.tolist() == [1, 0, 0]
    assert data.y.name == "lead_score"
    assert data.X["visits"].tolist() == [1.0, 2.0, 3.0]
    assert data.rows["matures_at"].tolist() == [9 * DAY, 8 * DAY, 7 * DAY]
    assert list(data.rows) == ["row_id", "customer_id", "as_of", "matures_at"]
    assert data.order == "decided_at"
    assert data.take(np.array([0])).order == "decided_at"


def test_an_answer_is_not_known_before_it_was_decided(tmp_path, company):
    log = company(tmp_path, [1, 0, 0], [9 * DAY, 8 * DAY, 7 * DAY])
    assert build(LEAD, log, 8 * DAY).y.tolist() == [0, 0]
    with pytest.raises(DatasetError, match="None of 3 answers"):
        build(LEAD, log, 6 * DAY)


def test_without_dates_of_decisions_the_rows_moments_order_them_or_nothing_does(tmp_path, company):
    log = company(tmp_path / "dated", [1, 0, 0], [NULL] * 3)
    assert build(LEAD, log, 10 * DAY).order == "as_of"
    snapshot = company(tmp_path / "snapshot", [1, 0, 0], [NULL] * 3, as_of=[6 * DAY] * 3)
    assert build(LEAD, snapshot, 10 * DAY).order == "none"


def test_those_without_an_answer_are_scored(tmp_path, company):
    log = company(tmp_path, [1, 0, 0], [NULL] * 3)
    rows = rows_to_score(LEAD, log, 10 * DAY)
    assert rows.rows["customer_id"].tolist() == ["c4", "c5"]
    assert (rows.rows["as_of"] == 10 * DAY).all()
    assert len(rows.y) == 0


def test_a_log_without_the_answers_says_how_to_get_them(tmp_path):
    log = write_small_log(tmp_path, [], customers=PEOPLE)
    with pytest.raises(DatasetError, match=r"Declare \[labels.lead_score\]"):
        build(LEAD, log, 10 * DAY)


def test_an_answer_is_asked_of_the_spine_of_its_name():
    with pytest.raises(SpecError, match="the spine of its name"):
        replace(LEAD, spine="lead")
