from __future__ import annotations

import numpy as np
import pytest

from features.clock import parse_duration
from features.errors import BadInputError, NoLogError
from models.catalog import UnknownModelError
from tests.small_log import write_small_log
from training.dataset import DatasetError, build, dataset, log_begins, moment, training_spine

DAY = 86_400_000_000


def test_a_notebook_gets_rows_features_and_label_side_by_side(home):
    data = dataset("churn", home, as_of="2023-06-01")
    assert len(data.X) == len(data.y) == len(data.rows) > 100
    assert list(data.rows) == ["row_id", "customer_id", "as_of", "matures_at"]
    joined = data.joined()
    assert joined.shape == (len(data), 4 + 1 + data.X.shape[1])
    assert joined[data.y.name].isin([0, 1]).all()


def test_every_row_has_matured(log, quick):
    now = moment(log, None)
    for name in ("churn", "lead_score", "ctr"):
        data = build(quick(name), log, now)
        assert (data.rows["matures_at"] <= now).all()
        assert (data.rows["matures_at"] > data.rows["as_of"]).all()


def test_the_grid_ends_where_the_last_label_matures_and_steps_back(log, quick):
    spec, now = quick("churn"), moment(log, None)
    spine, matured = training_spine(spec, log, now)
    moments = np.unique(spine.as_of)
    assert matured.max() == now
    assert (np.diff(moments) == parse_duration(spec.step)).all()
    first = log_begins(spec, log) + parse_duration(spec.history)
    assert first <= moments[0] < first + parse_duration(spec.step)


def test_the_log_begins_with_the_events_most_features_fold(tmp_path, quick):
    mailed, came = 1_000 * DAY, 1_030 * DAY
    shop = write_small_log(
        tmp_path,
        [
            {"kind": "contact", "customer_id": "a", "occurred_at": mailed},
            {"kind": "order", "customer_id": "a", "occurred_at": came, "amount": 5},
            {"kind": "order", "customer_id": "a", "occurred_at": came + 200 * DAY, "amount": 5},
        ],
    )
    spec = quick("churn", step="7d")
    assert log_begins(spec, shop) == came
    spine, _ = training_spine(spec, shop, came + 200 * DAY)
    assert came + 90 * DAY <= spine.as_of.min() < came + 97 * DAY


def test_the_population_filters_rows(log, quick):
    now = moment(log, None)
    spec = quick("churn")
    everyone = build(quick("churn", population=None), log, now)
    active = build(spec, log, now)
    assert 0 < len(active) < len(everyone)


def test_a_model_without_label_is_asked_about_now(log, quick):
    now = moment(log, None)
    data = build(quick("segments"), log, now)
    assert (data.rows["as_of"] == now).all()
    assert data.rows["customer_id"].is_unique
    assert len(data.y) == 0
    assert list(data.joined())[-data.X.shape[1] :] == list(data.X)


def test_an_earlier_moment_knows_nothing_later(log, quick):
    spec = quick("lead_score")
    now = moment(log, None)
    early = build(spec, log, now - 120 * DAY)
    late = build(spec, log, now)
    both = late.rows["row_id"].isin(early.rows["row_id"]).to_numpy()
    assert 0 < len(early) < len(late)
    assert late.take(np.flatnonzero(both)).X.reset_index(drop=True).equals(early.X)


def test_a_moment_before_the_log_is_refused_with_the_first_possible_one(home):
    with pytest.raises(DatasetError, match=r"Choose --as-of 2023-\d\d-\d\dT"):
        dataset("churn", home, as_of="2022-01-01")
    with pytest.raises(DatasetError, match="No row of 'lead_score' had matured"):
        dataset("lead_score", home, as_of="2022-01-01")


@pytest.mark.parametrize("wrong", ["yesterday", "2023-13-01", ""])
def test_a_date_that_is_none_is_refused(home, wrong):
    with pytest.raises(BadInputError, match="is no date or time"):
        dataset("churn", home, as_of=wrong)


def test_an_unknown_model_is_refused_with_the_known_ones(home):
    with pytest.raises(UnknownModelError, match="lead_score"):
        dataset("chrun", home)


def test_a_home_without_log_is_refused_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(NoLogError, match="python -m features ingest"):
        dataset("churn", tmp_path)
