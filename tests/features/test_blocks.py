"""Blocks of the log: whole customers, read alone, found by id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.errors import BadInputError, UnknownCustomerError
from features.log import EventLog
from tests.features.ingests import FIRST, LATER, events_of, load

PEOPLE = [f"c{number:03d}" for number in range(200)]
# "whale" has more events than a block is meant to hold.
EVENTS: list[dict[str, Any]] = [
    {
        "event_id": f"e{row}",
        "customer_id": "whale" if row % 3 == 0 else PEOPLE[row * 7 % 200],
        "kind": ("order", "visit")[row % 2],
        "occurred_at": row * 7919 % 50,
        "amount": None if row % 5 == 0 else row,
        "item": None if row % 4 == 0 else f"i{row % 11}",
    }
    for row in range(600)
]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EventLog:
    return load(tmp_path_factory.mktemp("home"), EVENTS, block_rows=10).log


def test_blocks_hold_every_customer_whole_and_once(log: EventLog) -> None:
    seen = []
    for ref in log.blocks:
        block = log.read_block(ref)
        assert (len(block.customers), block.values.shape[1]) == (ref.customers, ref.rows)
        assert block.offsets[-1] == ref.rows
        assert block.customers.to_pylist() == sorted(block.customers.to_pylist())
        assert ref.rows <= 10 or ref.customers == 1
        seen += block.customers.to_pylist()
    assert sorted(seen) == sorted({event["customer_id"] for event in EVENTS})
    assert [ref.number for ref in log.blocks] == list(range(len(log.blocks)))
    assert len(log.blocks) > log.n_buckets


def test_a_block_holds_the_events_sorted_by_customer_time_and_id(log: EventLog) -> None:
    wanted = sorted(EVENTS, key=lambda e: (e["customer_id"], e["occurred_at"], e["event_id"]))
    found = []
    for ref in log.blocks:
        block = log.read_block(ref, ["amount", "occurred_at", "item"])
        assert block.values.flags.c_contiguous
        assert block.values.dtype == block.offsets.dtype == np.int64
        who = np.repeat(np.array(block.customers.to_pylist()), np.diff(block.offsets))
        found += [(name, *row) for name, row in zip(who, block.values.T.tolist(), strict=True)]
    missing = np.iinfo(np.int64).min
    item = log.dictionaries["item"]
    assert sorted(found, key=lambda row: row[0]) == [
        (
            event["customer_id"],
            missing if event["amount"] is None else event["amount"],
            event["occurred_at"],
            -1 if event["item"] is None else item.code(event["item"]),
        )
        for event in wanted
    ]


def test_blocks_read_by_several_threads_are_the_same(log: EventLog) -> None:
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(log.read_block, log.blocks))
    for ref, block in zip(log.blocks, at_once, strict=True):
        assert (block.values == log.read_block(ref).values).all()


def test_a_customer_is_found_where_the_block_holds_it(log: EventLog) -> None:
    people = [event["customer_id"] for event in EVENTS]
    blocks, places = log.locate(pa.array([*people, "nobody", ""]))
    assert blocks.tolist()[-2:] == places.tolist()[-2:] == [-1, -1]
    held = [log.read_block(ref, ["kind"]).customers for ref in log.blocks]
    assert [
        held[block][place].as_py()
        for block, place in zip(blocks[:-2].tolist(), places[:-2].tolist(), strict=True)
    ] == people
    assert [found.tolist() for found in log.locate(pa.array([], pa.string()))] == [[], []]


def test_a_history_is_one_customers_events_in_words(log: EventLog) -> None:
    for who in ("whale", "c007"):
        wanted = sorted(
            (event for event in EVENTS if event["customer_id"] == who),
            key=lambda e: (e["occurred_at"], e["event_id"]),
        )
        found = log.history(who).to_pylist()
        assert [{name: row[name] for name in EVENTS[0]} for row in found] == wanted
    with pytest.raises(UnknownCustomerError, match=r"no event of the customer 'nobody'"):
        log.history("nobody")


def test_a_bucket_is_its_blocks(log: EventLog) -> None:
    bucket = log.bucket_of("whale")
    whole = log.read(bucket)
    parts = [log.read_block(ref) for ref in log.blocks if ref.bucket == bucket]
    assert (whole.values == np.concatenate([part.values for part in parts], axis=1)).all()
    assert whole.customers.tolist() == [who for part in parts for who in part.customers.to_pylist()]
    assert len(parts) > 1


def test_an_unknown_column_of_a_block_names_the_known_ones(log: EventLog) -> None:
    with pytest.raises(BadInputError, match=r"no column 'amout'"):
        log.read_block(log.blocks[0], ["amout"])


def test_the_size_of_a_block_changes_no_event(tmp_path: Path) -> None:
    small = load(tmp_path / "small", FIRST, LATER, block_rows=1).log
    large = load(tmp_path / "large", FIRST, LATER).log
    assert events_of(small) == events_of(large)
