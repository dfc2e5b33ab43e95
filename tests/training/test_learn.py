from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.leaks import NAME, PLANTS, Rows, with_column
from models.spec import Minimum
from training.backtest import better_engine
from training.candidates import TREES, fit_candidates
from training.crossfit import engine_out_of_fold
from training.dataset import build, moment
from training.fit import Fitting
from training.learn import TooLittleDataError, learn, slicing_of
from training.verdict import judge_challenger

HOW = Fitting(threads=1, folds=2)


def learned_from(spec, log, how=HOW):
    return learn(spec, build(spec, log, moment(log, None)), how, lambda step: None)


@pytest.fixture(scope="module")
def churn(log, quick):
    return learned_from(quick("churn", backtests=2), log)


def test_metrics_are_identical_on_rerun(churn, log, quick):
    again = learned_from(quick("churn", backtests=2), log)
    assert again.evaluation.model.metrics == churn.evaluation.model.metrics
    assert again.evaluation.difference == churn.evaluation.difference
    assert [o.losses for o in again.origins] == [o.losses for o in churn.origins]
    assert np.array_equal(again.evaluation.model.p, churn.evaluation.model.p)


def test_no_training_label_matures_after_the_evaluation_begins(churn, log, quick):
    for learned in (churn, learned_from(quick("lead_score"), log)):
        rows = learned.data.rows
        begins = learned.split.begins
        assert rows["matures_at"].to_numpy()[learned.split.train].max() <= begins
        assert rows["as_of"].to_numpy()[learned.split.test].min() == begins


def test_a_step_as_wide_as_the_slice_judges_each_customer_once(churn):
    assert len(set(churn.evaluation.customers)) == len(churn.evaluation.y)
    assert churn.split.begins == churn.split.ends


def test_leads_are_judged_on_campaigns_with_enough_answers(log, quick):
    learned = learned_from(quick("lead_score", minimum=Minimum(200, 60)), log)
    assert learned.evaluation.y.sum() >= 60
    assert slicing_of(learned.spec).positives == 60


def test_every_metric_has_an_interval_or_says_why_not(churn):
    for judged in churn.evaluation.everyone:
        assert set(judged.metrics) == set(churn.spec.metrics)
        for estimate in judged.metrics.values():
            if estimate.value is None:
                assert estimate.why
            else:
                assert estimate.low <= estimate.value <= estimate.high


def test_every_declared_baseline_stands_beside_the_model(churn):
    names = {judged.name for judged in churn.evaluation.everyone}
    assert names == {TREES, *(baseline.name for baseline in churn.spec.baselines)}


def test_an_engine_is_chosen_on_earlier_slices_only(churn):
    earlier = churn.origins[:-1]
    assert all(origin.ends < churn.split.begins for origin in earlier)
    assert churn.choice == better_engine(earlier)[1]
    assert better_engine(earlier)[0] == churn.evaluation.model.name
    flattered = replace(earlier[0], losses=earlier[0].losses | {"constant rate": 0.0})
    assert better_engine([flattered])[0] == "constant rate"


def test_without_a_backtest_the_trees_are_chosen_and_it_is_said(log, quick):
    learned = learned_from(quick("churn", backtests=0), log)
    assert learned.evaluation.model.name == TREES
    assert "chosen unseen" in learned.choice


def test_fewer_rows_than_asked_for_make_a_scorecard_judged_in_time(log, quick):
    learned = learned_from(quick("churn", minimum=Minimum(9_000_000, 20)), log)
    assert (learned.mode, learned.split.kind) == ("scorecard", "time")
    assert "more answers until the full model" in learned.until_next


def test_no_positives_at_all_are_refused(log, quick):
    spec = quick("churn")
    data = build(spec, log, moment(log, None))
    with pytest.raises(TooLittleDataError, match="0 positives"):
        learn(spec, replace(data, y=data.y * 0), HOW, lambda step: None)


def test_rows_without_a_date_are_judged_by_models_that_did_not_see_their_customer(log, quick):
    spec = quick("lead_score")
    data = replace(build(spec, log, moment(log, None)), order="none")
    learned = learn(spec, data, HOW, lambda step: None)
    assert learned.split.kind == "folds"
    assert len(learned.evaluation.y) == len(data) == len(learned.split.train)
    assert len(learned.origins) == 1
    trees = learned.candidate(TREES)
    # What is published has seen the rows, what is judged has not.
    assert not np.array_equal(trees.p, trees.fitted.probabilities(data.X))
    first = learned.split.folds[0]
    part = replace(learned.split, train=first.train, test=first.test, folds=())
    settled = replace(HOW, trees=trees.fitted.notes["trees"])
    constant = fit_candidates(spec, data, part, settled, lambda step: None)[1]
    rate = constant.probabilities(data.X.iloc[first.test])[0]
    assert rate == pytest.approx(data.y.to_numpy()[first.train].mean())
    assert "no date puts its rows in order" in learned.split.words()


def test_dated_answers_are_judged_on_the_latest_ones(log, quick):
    spec = quick("lead_score")
    data = replace(build(spec, log, moment(log, None)), order="decided_at")
    learned = learn(spec, data, HOW, lambda step: None)
    decided_at = data.rows["matures_at"].to_numpy()
    assert learned.split.kind == "decisions"
    assert decided_at[learned.split.train].max() < decided_at[learned.split.test].min()
    assert len(learned.origins) == 2


def test_rows_of_one_moment_are_judged_in_folds_and_it_is_said(log, quick):
    spec = quick("lead_score")
    data = build(spec, log, moment(log, None))
    rows = data.rows.assign(as_of=1, matures_at=2)
    learned = learn(spec, replace(data, rows=rows), HOW, lambda step: None)
    assert "leave no later part" in learned.split.words()


def test_another_engine_replaces_the_trees_only_where_it_is_clearly_better(churn):
    judged = churn.evaluation.everyone
    y, customers = churn.evaluation.y, churn.evaluation.customers
    trees = churn.candidate(TREES)
    truth = replace(judged[-1], p=np.clip(y.astype(float), 0.01, 0.99))
    assert engine_out_of_fold(y, customers, [trees, truth])[0] == truth.name
    same = replace(judged[-1], p=np.clip(trees.p + 1e-9, 0, 1))
    assert engine_out_of_fold(y, customers, [trees, same])[0] == TREES


def test_a_leak_is_found_and_stops_promotion_but_not_training(log, quick):
    spec = quick("churn", backtests=0)
    data = build(spec, log, moment(log, None))
    rows = Rows("churn", spec, data, np.arange(len(data)), np.arange(0))
    leaking = with_column(rows, PLANTS["missingness"](rows, np.random.default_rng(0)))
    learned = learn(leaking.spec, leaking.data, HOW, lambda step: None)
    severe = {found.column for found in learned.findings if found.severity == "severe"}
    assert NAME in severe
    decision, _ = judge_challenger(learned, None)
    assert not decision.promote


def test_a_clean_table_has_nothing_severe_among_its_findings(churn):
    assert [found for found in churn.findings if found.severity == "severe"] == []
