"""Served scores in a real database: found by id and moment, deleted by age."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from features.served import Block, Row, ServedStore, Shape
from tests.databases import postgres

PROCESS, OTHER = "00000000abcd", "00000000abce"
SHAPE = Shape("churn", "3", "f00", ("orders", "amount", "channel", "is_new"))
VALUES = [4, 0.1 + 0.2, None, True]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServedStore]:
    if request.param == "sqlite":
        with closing(ServedStore.open(tmp_path)) as opened:
            yield opened
        return
    with postgres() as (url, prefix), closing(ServedStore(url, prefix)) as opened:
        yield opened


def row(moment: int, customer: str | None = "jane", process: str = PROCESS, **other: Any) -> Row:
    said = {"sequence": 2, "has_events": True, "context": {"campaign_id": "18"}, "values": VALUES}
    answer = {"margin": -1e-300, "grade": "A", "low": None}
    kept = {"as_of": moment + 7, "answer": answer} | said | other
    return Row(f"{moment:014x}{process}", customer, **kept)


def test_what_is_written_reads_back_to_the_last_bit(store: ServedStore) -> None:
    store.add(PROCESS, [Block(2, SHAPE, [row(5), row(9, None, sequence=None)])])
    found = store.find(f"{5:014x}{PROCESS}")
    assert found is not None
    assert found.values == dict(zip(SHAPE.names, VALUES, strict=True))
    assert [type(value) for value in found.values.values()] == [type(v) for v in VALUES]
    assert found.answer == {"margin": -1e-300, "grade": "A", "low": None}
    assert (found.model, found.version, found.catalogue) == SHAPE[:3]
    assert (found.customer_id, found.as_of, found.sequence) == ("jane", 12, 2)
    assert found.context == {"campaign_id": "18"}
    unknown = store.find(f"{9:014x}{PROCESS}")
    assert unknown is not None
    assert (unknown.customer_id, unknown.sequence) == (None, None)


def test_numbers_that_json_has_not_are_kept(store: ServedStore) -> None:
    store.add(PROCESS, [Block(1, SHAPE, [row(5, answer={"margin": math.inf, "low": math.nan})])])
    found = store.find(f"{5:014x}{PROCESS}")
    assert found is not None
    assert found.answer["margin"] == math.inf
    assert math.isnan(found.answer["low"])


def test_an_id_that_is_not_kept_finds_nothing(store: ServedStore) -> None:
    store.add(PROCESS, [Block(2, SHAPE, [row(5), row(9)])])
    for moment, process in ((7, PROCESS), (5, OTHER), (4, PROCESS), (10, PROCESS)):
        assert store.find(f"{moment:014x}{process}") is None


def test_a_commit_that_is_tried_again_is_there_once(store: ServedStore) -> None:
    other = Shape("ctr", *SHAPE[1:])
    blocks = [Block(1, SHAPE, [row(5)]), Block(2, other, [row(6)])]
    store.add(PROCESS, blocks[:1])
    store.add(PROCESS, blocks)
    assert [(each.model, each.as_of) for each in store.since(0)] == [("churn", 12), ("ctr", 13)]
    assert store.last_number(PROCESS) == 2
    assert store.last_number(OTHER) == 0


def test_only_what_was_served_as_of_a_moment_or_later_is_read(store: ServedStore) -> None:
    store.add(PROCESS, [Block(2, SHAPE, [row(5), row(9)])])
    store.add(OTHER, [Block(1, SHAPE, [row(7, process=OTHER)])])
    assert sorted(each.as_of for each in store.since(14)) == [14, 16]
    assert list(store.since(17)) == []


def test_a_customer_is_erased_and_nobody_else(store: ServedStore) -> None:
    mixed = [row(5), row(6, "joe"), row(7, None), row(8)]
    store.add(PROCESS, [Block(4, SHAPE, mixed), Block(5, SHAPE, [row(9)])])
    assert store.erase("jane") == 3
    assert store.erase("jane") == 0
    assert [each.customer_id for each in store.since(0)] == ["joe", None]
    assert store.find(f"{8:014x}{PROCESS}") is None
    assert store.find(f"{7:014x}{PROCESS}") is not None


def test_what_is_older_than_a_moment_is_deleted(store: ServedStore) -> None:
    store.add(PROCESS, [Block(2, SHAPE, [row(5), row(9)]), Block(3, SHAPE, [row(20)])])
    assert store.delete_before(9) == 0
    assert store.delete_before(10) == 1
    assert [each.as_of for each in store.since(0)] == [27]
