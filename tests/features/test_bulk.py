"""A log written from numbers is the log that the same events would have made one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.bulk import BulkWriter, customer_ids, event_ids
from features.dictionary import Dictionary
from features.errors import BadInputError
from features.ingest import ingest
from features.kernel import NULL
from features.log import EventLog
from tests.features.ingests import events_of, state_of
from tests.small_log import SHOP, batch

PROPERTIES = {"store": "text", "discount": "integer"}
WORDS = {
    "kind": ["order", "visit"],
    "item": ["x", "y", "z"],
    "store": ["north"],
}
STATES = [
    {"customer_id": "c000000003", "known_at": 9, "age": "old", "size": 2.0},
    {"customer_id": "c000000001", "known_at": 4, "age": None, "size": None},
]


def columns_of(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    occurred_at = rng.integers(-20, 20, rows)
    return {
        "occurred_at": occurred_at,
        "recorded_at": occurred_at + rng.integers(0, 3, rows),
        "kind": rng.integers(0, 2, rows).astype(np.int32),
        "amount": np.where(rng.random(rows) < 0.3, NULL, rng.integers(-5, 5, rows)),
        "item": rng.integers(-1, 3, rows),
        "store": np.where(rng.random(rows) < 0.5, 0, -1),
        "discount": np.where(rng.random(rows) < 0.5, NULL, 7),
    }


def in_words(first: int, customers: Any, columns: dict[str, Any]) -> list[dict[str, Any]]:
    """The same events as a company would give them."""
    words = {
        name: [
            (None if value < 0 else WORDS[name][value])
            if name in WORDS
            else (None if value == NULL else value)
            for value in values.tolist()
        ]
        for name, values in columns.items()
    }
    return [
        {
            "event_id": event_ids(np.array([first + row]))[0].as_py(),
            "customer_id": customer_ids(customers[row : row + 1])[0].as_py(),
            **{name: values[row] for name, values in words.items()},
        }
        for row in range(len(customers))
    ]


def test_a_log_in_bulk_has_the_bytes_of_one_that_was_ingested(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = [(rng.integers(0, 60, rows), columns_of(rng, rows)) for rows in (300, 1, 200)]
    rows: list[dict[str, Any]] = []
    for customers, columns in given:
        rows += in_words(len(rows), customers, columns)
    # Codes are given in the order in which words come up; the order in bulk is that of WORDS.
    first = {"event_id": "e000000000501", "customer_id": "c000000000", "occurred_at": 1}
    order = [
        first | {"event_id": f"e{501 + n:012d}", "kind": kind, "item": item, "store": "north"}
        for n, (kind, item) in enumerate([("order", "x"), ("visit", "y"), ("visit", "z")])
    ]
    slow = ingest(
        SHOP,
        [batch("a", order + rows)],
        tmp_path / "slow",
        customers=[batch("p", STATES)],
        properties=PROPERTIES,
        block_rows=20,
    ).log
    dictionaries = {name: Dictionary(words) for name, words in WORDS.items()}
    people = pa.table({name: [state[name] for state in STATES] for name in STATES[0]})
    with BulkWriter(tmp_path / "bulk", SHOP, PROPERTIES, dictionaries, block_rows=20) as writer:
        for customers, columns in given:
            writer.add(customers, columns)
        writer.add(
            np.zeros(3, np.int64),
            {
                "occurred_at": np.ones(3, np.int64),
                "recorded_at": np.ones(3, np.int64),
                "kind": np.array([0, 1, 1]),
                "item": np.array([0, 1, 2]),
                "store": np.zeros(3, np.int64),
            },
        )
        fast = writer.finish(people)
    assert events_of(fast) == events_of(slow)
    assert fast.fingerprint == slow.fingerprint
    assert state_of(tmp_path / "bulk") == state_of(tmp_path / "slow")
    assert [path.name for path in (tmp_path / "bulk" / "log").glob(".*")] == [".lock"]
    assert len(fast.blocks) > fast.n_buckets


def test_a_log_in_bulk_takes_later_events_and_knows_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    customers, columns = rng.integers(0, 9, 50), columns_of(rng, 50)
    dictionaries = {name: Dictionary(words) for name, words in WORDS.items()}
    with BulkWriter(tmp_path, SHOP, PROPERTIES, dictionaries) as writer:
        writer.add(customers, columns)
        writer.finish()
    rows = in_words(0, customers, columns)
    rows.append({"event_id": "new", "customer_id": "c000000003", "kind": "order", "occurred_at": 1})
    done = ingest(SHOP, [batch("a", rows)], tmp_path, properties=PROPERTIES)
    assert (done.added, done.repeated, done.rejected) == (1, 50, 0)


def test_a_bulk_that_fails_leaves_nothing_and_a_log_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(KeyError), BulkWriter(tmp_path, SHOP, {}, {}):
        raise KeyError
    assert [path.name for path in (tmp_path / "log").iterdir()] == [".lock"]
    with BulkWriter(tmp_path, SHOP, {}, {}) as writer:
        log = writer.finish()
    assert (log.blocks, log.kinds, log.customers.num_rows) == ((), {}, 0)
    with pytest.raises(BadInputError, match="already"), BulkWriter(tmp_path, SHOP, {}, {}):
        pass
    assert EventLog.open(tmp_path).damaged() == []
