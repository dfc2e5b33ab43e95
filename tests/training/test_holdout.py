from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.dataset import Dataset
from training.holdout import SHARE, decisions, in_folds, splits, stop_by
from training.split import SplitError

DAY = 86_400_000_000


def leads(n=400, order="none", seed=0):
    """Leads of one snapshot, decided on in the year before it."""
    random = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "row_id": [f"r{i}" for i in range(n)],
            "customer_id": [f"c{i // 2}" for i in range(n)],
            "as_of": np.full(n, 400 * DAY),
            "matures_at": random.integers(0, 365, n) * DAY,
        }
    )
    return Dataset(
        pd.DataFrame({"a": random.normal(size=n)}), pd.Series(random.integers(0, 2, n)), rows, order
    )


@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_the_latest_decisions_are_judged_and_the_earlier_ones_learned_from(seed, positives):
    random = np.random.default_rng(seed)
    decided_at, y = random.integers(0, 90, 300), random.integers(0, 2, 300)
    found = decisions(decided_at, y, slices=3, positives=positives)
    for split in found:
        assert split.kind == "decisions"
        assert decided_at[split.train].max() < split.begins == decided_at[split.test].min()
        assert decided_at[split.test].max() == split.ends
    for later, earlier in pairwise(found):
        assert earlier.ends < later.begins
    latest = found[0]
    assert latest.ends == decided_at.max()
    assert len(latest.test) >= SHARE * 300
    assert y[latest.test].sum() >= positives


def test_the_judged_decisions_are_never_widened_beyond_half_of_the_rows():
    y = np.repeat([1, 0], 50)
    y[[10, 60, 80]] = 0, 1, 1
    [latest] = decisions(np.arange(100), y, slices=1, positives=40)
    assert len(latest.test) == 50


def test_rows_without_a_date_have_no_split_in_time(quick):
    assert splits(quick("lead_score"), leads()) == []


def test_each_row_is_judged_without_its_customer():
    data = leads()
    split = in_folds(data, 0, "no date puts its rows in order")
    customers = data.rows["customer_id"].to_numpy()
    for fold in split.folds:
        assert not set(customers[fold.train]) & set(customers[fold.test])
    assert np.array_equal(split.train, split.test)
    assert split.learned_until == 400 * DAY + 1


def test_no_part_is_held_back_to_stop_by_where_there_is_no_time():
    data = leads()
    assert stop_by(data, in_folds(data, 0, "no date puts its rows in order")) is None


def test_trees_are_stopped_by_later_decisions_where_decisions_are_dated():
    data = leads(order="decided_at")
    decided_at = data.rows["matures_at"].to_numpy()
    [latest] = decisions(decided_at, data.y.to_numpy(), slices=1)
    learn, stop = stop_by(data, latest)
    assert decided_at[learn].max() <= decided_at[stop].min()
    assert set(learn) | set(stop) <= set(latest.train)


def test_one_answer_alone_cannot_be_dealt():
    data = leads()
    with pytest.raises(SplitError, match="400 rows have the same answer; there are 0 positives"):
        in_folds(replace(data, y=data.y * 0), 0, "")


def test_a_split_says_how_its_rows_were_judged():
    data = leads(order="decided_at")
    folded = in_folds(data, 0, "no date puts its rows in order").words()
    assert folded == (
        "Not judged in time, because no date puts its rows in order: each of 400 rows by models "
        "that did not see its customer (5 stratified folds, dealt 3 times). What is published "
        "learned from all of them."
    )
    [latest] = decisions(data.rows["matures_at"].to_numpy(), data.y.to_numpy(), slices=1)
    assert latest.words().startswith("Judged in time: on the latest decisions, ")
    assert "1970-12-30, later than any of the 320" in latest.words()
