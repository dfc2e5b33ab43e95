from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.spec import Minimum
from training.dataset import build, moment
from training.fit import Fitting
from training.learn import learn
from training.scorecard import SCORECARD
from training.small_data import LEAST, TooLittleDataError, check_grade, grade_of

HOW = Fitting(threads=1, folds=2)


def answers(positives, negatives):
    return np.repeat([1, 0], [positives, negatives])


@pytest.mark.parametrize(
    ("positives", "negatives", "mode", "until_next"),
    [
        (100, 900, "full", ""),
        (99, 901, "scorecard", "1 more answers until the full model, 1 of them positive"),
        (40, 40, "scorecard", "920 more answers until the full model, 60 of them positive and 60"),
        (39, 961, "insufficient", "1 more answers until a scorecard, 1 of them positive"),
        (961, 39, "insufficient", "1 more answers until a scorecard, 1 of them negative"),
        (0, 0, "insufficient", "80 more answers until a scorecard, 40 of them positive and 40"),
    ],
)
def test_the_grade_of_the_data_follows_from_both_answers(
    quick, positives, negatives, mode, until_next
):
    spec = quick("lead_score", minimum=Minimum(rows=1_000, positives=100))
    grade = grade_of(spec, answers(positives, negatives))
    assert grade.mode == mode
    assert grade.until_next.startswith(until_next)


def test_as_many_answers_as_are_missing_lift_the_data_to_the_next_grade(quick):
    spec = quick("lead_score", minimum=Minimum(rows=500, positives=60))
    for positives, negatives in ((10, 700), (45, 50), (300, 41), (40, 460)):
        y = answers(positives, negatives)
        before = grade_of(spec, y)
        words = before.until_next.replace(",", "").split()
        more = int(words[0])
        yes = int(words[words.index("positive") - 3]) if "positive" in words else 0
        after = grade_of(spec, np.concatenate([y, answers(yes, more - yes)]))
        modes = ("insufficient", "scorecard", "full")
        assert modes.index(after.mode) > modes.index(before.mode)


def test_fewer_than_forty_of_an_answer_are_refused_saying_what_is_missing(quick):
    with pytest.raises(TooLittleDataError, match=r"12 positives; a scorecard asks for.*: 28 more"):
        check_grade(quick("lead_score", minimum=Minimum(1_000, 100)), answers(12, 500))


@pytest.fixture(scope="module")
def leads(log, quick):
    """Forty of each answer, of one snapshot."""
    spec = quick("lead_score", minimum=Minimum(1_000, 100))
    data = build(spec, log, moment(log, None))
    y = data.y.to_numpy()
    kept = np.concatenate([np.flatnonzero(y == answer)[:LEAST] for answer in (0, 1)])
    return spec, replace(data.take(np.sort(kept)), order="none")


def test_from_forty_of_each_answer_there_is_a_scorecard(leads):
    spec, data = leads
    learned = learn(spec, data, HOW, lambda step: None)
    assert learned.mode == "scorecard"
    assert learned.evaluation.model.name == SCORECARD
    assert learned.until_next == (
        "920 more answers until the full model, 60 of them positive and 60 of them negative"
    )
    assert learned.until_next in learned.choice
    assert {each.name for each in learned.evaluation.baselines} == {b.name for b in spec.baselines}
    assert not learned.evaluation.rivals
    assert len(learned.evaluation.y) == 2 * LEAST


def test_dated_answers_too_few_to_hold_some_back_are_judged_in_folds(leads):
    spec, data = leads
    decided_at = np.random.default_rng(0).permutation(len(data))
    dated = replace(data, rows=data.rows.assign(matures_at=decided_at), order="decided_at")
    learned = learn(spec, dated, HOW, lambda step: None)
    assert learned.split.kind == "folds"
    assert "too few answers" in learned.split.words()


def test_one_answer_less_is_refused(leads):
    spec, data = leads
    positive = np.flatnonzero(data.y.to_numpy() == 1)
    short = data.take(np.delete(np.arange(len(data)), positive[0]))
    with pytest.raises(TooLittleDataError, match="1 of them positive"):
        learn(spec, short, HOW, lambda step: None)
