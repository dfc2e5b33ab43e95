"""Customers, campaigns and spines come into the log and out as they were given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import BadInputError
from tests.features.ingests import DAY, FIRST, LATER, SPINE
from tests.small_log import write_small_log


def test_every_customer_with_events_has_a_state(tmp_path: Path) -> None:
    people = [
        {"customer_id": "anna", "known_at": 2 * DAY, "age": "35-44", "size": 3},
        {"customer_id": "anna", "known_at": 1 * DAY, "age": "25-34", "size": 2},
        {"customer_id": "zoe", "known_at": 5 * DAY, "age": None, "size": None},
    ]
    log = write_small_log(tmp_path, [*FIRST, *LATER], people)
    assert [tuple(row.values()) for row in log.customers.to_pylist()] == [
        ("anna", DAY, "25-34", 2.0),
        ("anna", 2 * DAY, "35-44", 3.0),
        ("ben", DAY, None, None),
        ("carl", 9 * DAY, None, None),
        ("zoe", 5 * DAY, None, None),
    ]


def test_states_that_come_later_join_the_others_and_the_latest_word_counts(tmp_path: Path) -> None:
    write_small_log(tmp_path, FIRST, [{"customer_id": "anna", "known_at": 1, "age": "25-34"}])
    log = write_small_log(
        tmp_path,
        FIRST,
        [
            {"customer_id": "anna", "known_at": 1, "age": "35-44", "size": 4},
            {"customer_id": "ben", "known_at": 3, "age": None, "size": 1},
        ],
    )
    assert [tuple(row.values()) for row in log.customers.to_pylist()] == [
        ("anna", 1, "35-44", 4.0),
        ("ben", 3, None, 1.0),
    ]
    assert log.sequence == 2


def test_an_attribute_keeps_its_type(tmp_path: Path) -> None:
    write_small_log(tmp_path, FIRST, [{"customer_id": "anna", "known_at": 1, "age": "25-34"}])
    with pytest.raises(BadInputError, match="'age' was string and is now double"):
        write_small_log(tmp_path, FIRST, [{"customer_id": "anna", "known_at": 2, "age": 30}])


def test_a_log_of_customers_alone_is_a_log(tmp_path: Path) -> None:
    log = write_small_log(tmp_path, [], [{"customer_id": "lead", "known_at": 1, "age": "25-34"}])
    assert log.customers.num_rows == 1
    assert log.kinds == {}
    assert log.read(3).values.shape == (len(log.columns), 0)
    assert log.table(3).num_rows == 0
    with pytest.raises(BadInputError, match="no event"):
        _ = log.last_instant


def test_a_campaign_described_again_is_what_was_said_last(tmp_path: Path) -> None:
    first = {"campaign_id": "c1", "starts_at": 1, "ends_at": 5, "cost": 30, "type": "A"}
    write_small_log(tmp_path, FIRST, campaigns=[first, {**first, "campaign_id": "c0"}])
    log = write_small_log(tmp_path, FIRST, campaigns=[{**first, "cost": 40}])
    assert log.campaigns["c1"] == {
        "type": "A", "channel": None, "starts_at": 1, "ends_at": 5, "cost": 40, "offer": None
    }  # fmt: skip
    assert list(log.campaigns) == ["c0", "c1"]


def test_a_spine_comes_back_as_it_was_given(tmp_path: Path) -> None:
    log = write_small_log(tmp_path, FIRST, spines={"lead": SPINE})
    found = log.spine("lead")
    assert found.entity == "lead"
    assert found.row_id.tolist() == ["l2", "l1"]
    assert found.customer_id.tolist() == ["ben", "anna"]
    assert found.as_of.tolist() == [7, 5]
    assert {name: values.tolist() for name, values in found.context.items()} == {
        "campaign_id": ["c1", None], "price": [1.5, 2.5], "rank": [1, 2]
    }  # fmt: skip
    assert [values.dtype for values in found.context.values()] == [object, float, np.int64]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row_id": ["l1", "l1"]}, "'l1' is there 2 times"),
        ({"row_id": ["l1", None]}, "row 2: the row_id is None"),
        ({"customer_id": ["", "anna"]}, "row 1: the customer_id is ''"),
        ({"as_of": [1, 2**62]}, "row 2: as_of 4611686018427387904 is no date"),
    ],
)
def test_a_spine_whose_rows_cannot_be_told_apart_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    changed = {
        name: np.array(values, dtype=np.int64 if name == "as_of" else object)
        for name, values in change.items()
    }
    with pytest.raises(BadInputError, match=f"Spine 'lead'.*{message}"):
        write_small_log(tmp_path, FIRST, spines={"lead": replace(SPINE, **changed)})
