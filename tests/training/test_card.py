from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from models.bootstrap import Difference, Estimate
from models.finding import Finding
from training.card import Card, Section, Table, percent
from training.dataset import build, moment
from training.fit import Fitting
from training.grading import GradeCheck, grading
from training.learn import learn
from training.origins import Origins
from training.story import grade_sentences, probability_card
from training.warn import warnings

DECISION = {"reason": "Promoted: it is better.", "serves": True, "rails": [
    {"name": "leaks", "passed": True, "words": "nothing knows the answer"},
]}  # fmt: skip


@pytest.fixture(scope="module")
def learned(log, quick):
    data = build(quick("churn"), log, moment(log, None))
    return learn(quick("churn"), data, Fitting(threads=1, folds=2), lambda step: None)


@pytest.fixture(scope="module")
def where(log):
    return Origins(log.source, log.fingerprint, moment(log, None), 0, "abc")


def graded(learned, kept=((), "")):
    found = learned.evaluation
    return grading(found.y, found.model.p, found.customers, kept)


def card_of(learned, where, decision=DECISION, grades=None):
    name = learned.evaluation.model.name
    return probability_card(learned, where, name, decision, grades or graded(learned))


def warned(learned, decision=DECISION, grades=None):
    return warnings(learned, learned.evaluation.model, decision, grades or graded(learned))


@pytest.fixture(scope="module")
def card(learned, where):
    return card_of(learned, where)


def with_metric(learned, **metrics):
    model = learned.evaluation.model
    model = replace(model, metrics=model.metrics | metrics)
    return replace(learned, evaluation=replace(learned.evaluation, model=model))


class Reader(HTMLParser):
    """Collects what a reader without eyes or a narrow screen depends on."""

    def __init__(self):
        super().__init__()
        self.tags, self.images, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "img":
            self.images.append(dict(attributes))
        if tag not in {"img", "meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(card):
    reader = Reader()
    reader.feed(card.html())
    assert reader.open == []
    return reader


def test_both_forms_say_the_grades_the_verdict_the_decision_and_the_statements(
    learned, where, card
):
    sentences = grade_sentences(graded(learned).checks, "customers", "stopped buying")
    for text in (card.markdown(), card.html().replace("&#39;", "'")):
        for said in (
            *sentences, learned.evaluation.verdict(), DECISION["reason"],
            *where.source.statements, "calibration slope", "nothing knows the answer",
        ):  # fmt: skip
            assert said in text


def test_the_counts_of_a_grade_are_those_of_the_judged_rows(learned):
    found, checks = learned.evaluation, graded(learned).checks
    assert sum(check.positives for check in checks) == found.y.sum()
    best = np.sort(found.model.p)[::-1][: checks[0].rows]
    assert checks[0].expected == pytest.approx(best.mean())
    [first, *_] = grade_sentences(checks, "customers", "stopped buying")
    assert first.startswith(f"Of 100 customers graded A, {round(100 * checks[0].actual)} stopped")


def test_a_rare_answer_is_counted_among_a_thousand_and_a_miss_is_said():
    check = GradeCheck("A", 0.01, 400, 2, 0.1, 0.02, 0.012, 0.03, 0.005)
    assert grade_sentences([check], "leads", "redeemed") == [
        "Of 1,000 leads graded A, 5 redeemed; we said 12 to 30 (there were 400, of whom 2). That "
        "is fewer than we said."
    ]


def test_the_page_can_be_read_without_eyes_a_network_or_a_wide_screen(card):
    reader = read(card)
    assert {p.name for p in card.pictures} == {
        "grades", "gain", "calibration", "lift", "scores", "backtest",
    }  # fmt: skip
    assert len(reader.images) == len(card.pictures)
    for image in reader.images:
        assert image["src"].startswith("data:image/png;base64,")
        assert re.search(r"\d", image["alt"])
    assert ("html", {"lang": "en"}) in reader.tags
    assert any(attributes.get("name") == "viewport" for _, attributes in reader.tags)
    assert all("scope" in attributes for tag, attributes in reader.tags if tag == "th")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", card.html())
    assert "@media print" in card.html()


def test_a_good_model_has_no_warning(learned):
    calm = with_metric(
        learned, calibration_slope=Estimate(1.0, 0.9, 1.1),
        calibration_intercept=Estimate(0.0, -0.1, 0.1),
    )  # fmt: skip
    calm = replace(calm, evaluation=replace(calm.evaluation, difference=Difference(-2, -3, -1)))
    kept = [replace(c, low=0.0, high=1.0) for c in graded(learned).checks]
    assert warned(calm, grades=replace(graded(learned), checks=tuple(kept))) == []


@pytest.mark.parametrize(
    ("metrics", "says"),
    [
        ({"calibration_slope": Estimate(0.7, 0.6, 0.8)}, "too extreme"),
        ({"calibration_slope": Estimate(1.4, 1.2, 1.6)}, "too timid"),
        ({"calibration_intercept": Estimate(-0.4, -0.6, -0.2)}, "promised more than came"),
        ({"calibration_intercept": Estimate(0.4, 0.2, 0.6)}, "more came than it promised"),
    ],
)
def test_probabilities_that_are_off_are_warned_of_in_plain_words(learned, metrics, says):
    [said] = [each for each in warned(with_metric(learned, **metrics)) if says in each]
    assert "slope" not in said


def test_a_model_that_beats_nothing_is_not_praised(learned, where):
    level = replace(
        learned, evaluation=replace(learned.evaluation, difference=Difference(0, -1, 1))
    )
    card = card_of(level, where)
    assert any("nothing to praise" in said for said in card.warnings)
    assert not any("comes closer" in said for said in card.short)


def test_a_version_that_does_not_serve_says_so(learned, card):
    assert any("It serves" in said for said in card.short)
    assert any("does not serve" in said for said in warned(learned, DECISION | {"serves": False}))


def test_kept_grades_are_named_and_warned_of_once_their_shares_have_moved(learned, where):
    high = (("A", 0.9999), ("B", 0.9998), ("C", 0.9997), ("D", 0.0))
    card = card_of(learned, where, grades=graded(learned, (high, "7")))
    [said] = [each for each in card.warnings if "--regrade" in each]
    assert "version 7" in said
    assert said in card.markdown()
    assert "those of version 7" in card.markdown()


def test_rows_without_a_date_have_no_backtest_and_it_is_said_what_that_leaves_open(learned, where):
    undated = replace(
        learned, data=replace(learned.data, order="none"), origins=learned.origins[-1:]
    )
    card = card_of(undated, where)
    assert "backtest" not in {picture.name for picture in card.pictures}
    assert any("later ones is untested" in said for said in card.statements)


def test_what_a_cell_says_breaks_no_table_and_no_page():
    card = Card(
        "a & b", "why?", ["<b>"], [Table("t", ("x",), [["a|b\nc"]]), Section("s", ["<i>"])], [], []
    )
    assert "| a\\|b c |" in card.markdown()
    assert "<b>" not in card.html()
    assert "&lt;i&gt;" in card.html()
    read(card)


def test_a_share_is_said_with_the_digits_it_needs():
    assert [percent(each) for each in (1.0, 0.0998, 0.0312, 0.004, 0.0)] == [
        "100 %", "10 %", "3.1 %", "0.40 %", "0.00 %",
    ]  # fmt: skip


def test_a_severe_finding_comes_first_and_a_warning_stays_in_the_details(learned):
    found = (
        Finding("age", "missingness", "warning", "Rarely filled.", "Look at it.", 0.6),
        Finding("won_at", "known too late", "severe", "Filled after yes.", "Exclude it.", 0.9),
    )
    said = warned(replace(learned, findings=found))
    assert said[0] == "won_at may know the answer beforehand: Filled after yes. Exclude it."
    assert not any("age" in each for each in said)
