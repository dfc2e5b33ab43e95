from __future__ import annotations

import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from features.clock import parse_duration
from features.frame import frame
from models.registry import prepare
from training.bound import bounded_spine
from training.command import train_parser
from training.dataset import moment, training_spine
from training.job import train
from training.settings import TrainingSettings

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def now(log):
    return moment(log, None)


@pytest.mark.parametrize("name", ["churn", "lead_score", "segments"])
def test_without_bound_or_below_it_every_row_is_taken(log, quick, now, name):
    every, mature = training_spine(quick(name), log, now)
    for most in (0, len(every)):
        drawn = bounded_spine(quick(name), log, now, most)
        assert drawn.spine.row_id.tolist() == every.row_id.tolist()
        assert drawn.mature.tolist() == mature.tolist()
        assert drawn.sample.whole
        assert drawn.sample.of == len(every)


@pytest.mark.parametrize("name", ["churn", "lead_score", "ctr", "segments"])
def test_a_bound_holds_and_rows_are_what_they_were(log, quick, now, name):
    spec = quick(name, step="7d")
    every, mature = training_spine(spec, log, now)
    drawn = bounded_spine(spec, log, now, len(every) // 3)
    assert 0.9 * (len(every) // 3) <= len(drawn.spine) <= len(every) // 3
    assert (drawn.sample.rows, drawn.sample.of) == (len(drawn.spine), len(every))
    known = dict(zip(every.row_id.tolist(), mature.tolist(), strict=True))
    assert [known[row] for row in drawn.spine.row_id] == drawn.mature.tolist()
    assert len(set(drawn.spine.row_id)) == len(drawn.spine)


def test_the_judged_slice_stays_whole_where_half_the_bound_holds_it(log, quick, now):
    spec = quick("churn", step="7d", slice="14d")
    every, _ = training_spine(spec, log, now)
    begins = every.as_of.max() - parse_duration(spec.slice)
    latest = set(every.row_id[every.as_of > begins])
    drawn = bounded_spine(spec, log, now, 2 * len(latest)).spine
    assert set(drawn.row_id[drawn.as_of > begins]) == latest
    assert 0 < (drawn.as_of <= begins).sum() <= len(latest)


def test_what_happened_does_not_decide_who_is_drawn(log, quick, now):
    spec = quick("churn", step="14d")
    every, _ = training_spine(spec, log, now)
    told = frame(log, every, [spec.population, spec.label])
    drawn = set(bounded_spine(spec, log, now, 1_000).spine.row_id)
    active = told[spec.population.name].to_numpy(bool)
    taken = np.array([row in drawn for row in every.row_id.tolist()]) & active
    judged = every.as_of > every.as_of.max() - parse_duration(spec.slice)
    for part in (judged, ~judged):
        label = told[spec.label.name].to_numpy(float)
        y, some = label[part & active], label[part & taken]
        assert 20 < len(some) < len(y)
        error = np.sqrt(y.mean() * (1 - y.mean()) / len(some))
        assert error > 0
        assert abs(some.mean() - y.mean()) < 4 * error


def test_the_same_seed_draws_the_same_rows_and_another_one_others(log, quick, now):
    spec = quick("churn", step="7d")
    first, again, other = (
        set(bounded_spine(spec, log, now, 200, seed).spine.row_id) for seed in (0, 0, 1)
    )
    assert first == again
    assert len(first & other) < 0.9 * len(first)


def test_moments_have_customers_of_their_own(log, quick, now):
    spine = bounded_spine(quick("churn", step="7d"), log, now, 300).spine
    first, second = (set(spine.customer_id[spine.as_of == at]) for at in np.unique(spine.as_of)[:2])
    assert first != second


def test_a_grid_beyond_the_bound_is_never_held(quick):
    ids = pa.table({"customer_id": [f"c{number}" for number in range(10_000)]})
    kinds = {"order": SimpleNamespace(first=0)}
    crowd = SimpleNamespace(customers=ids, kinds=kinds, campaigns=None)
    tracemalloc.start()
    try:
        drawn = bounded_spine(quick("churn", step="1d"), crowd, 500 * DAY, 5_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert drawn.sample.of > 3_000_000
    assert peak < 8 * drawn.sample.of  # less than even the moments of the whole grid would take


def test_run_report_and_card_say_that_rows_were_drawn(log, home, quick):
    settings, registry = TrainingSettings(home=home, threads=1), prepare(home)
    spec = replace(quick("churn"), backtests=0)
    outcome = train(spec, log, registry, settings, most_rows=400)
    sample = outcome.report["sample"]
    assert sample["rows"] <= 400 < sample["of"]
    said = f"{sample['rows']:,} of {sample['of']:,} rows were drawn"
    assert f"It saw a sample: {said}" in outcome.bundle.card_markdown
    params = registry.client.get_run(outcome.run_id).data.params
    assert params["most_rows"] == "400"
    assert said in params["rows_drawn"]
    assert int(params["rows"]) <= 400


def test_rows_are_a_number_or_all(capsys):
    rows = [train_parser().parse_args(["churn", *given]).rows for given in ([], ["--rows", "all"])]
    assert rows == [None, 0]
    with pytest.raises(SystemExit):
        train_parser().parse_args(["churn", "--rows", "-1"])
    assert "less than 0" in capsys.readouterr().err
