"""What the log promises: once, in order, whole or not at all, and the same bytes for the same."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import manifest
from features.bucket import bucket_of
from features.contract import text_columns
from features.errors import BadInputError
from features.ingest import Ingested, ingest
from features.log import EventLog
from features.spine import Spine
from tests.small_log import PROPERTIES, SHOP, batch, write_small_log

DAY = 86_400_000_000
FIRST = [
    {"event_id": "e1", "customer_id": "anna", "kind": "order", "occurred_at": 3 * DAY, "amount": 5},
    {"event_id": "e2", "customer_id": "ben", "kind": "order", "occurred_at": 1 * DAY, "item": "x"},
    {"event_id": "e3", "customer_id": "anna", "kind": "visit", "occurred_at": 2 * DAY},
]
LATER = [
    {"event_id": "e4", "customer_id": "anna", "kind": "return", "occurred_at": DAY, "amount": -5},
    {"event_id": "e5", "customer_id": "carl", "kind": "order", "occurred_at": 9 * DAY},
]
SPINE = Spine(
    "lead",
    np.array(["l2", "l1"], dtype=object),
    np.array(["ben", "anna"], dtype=object),
    np.array([7, 5], dtype=np.int64),
    {
        "campaign_id": np.array(["c1", None], dtype=object),
        "price": np.array([1.5, 2.5]),
        "rank": np.array([1, 2], dtype=np.int64),
    },
)


def load(home: Path, *batches: list[dict[str, Any]], **options: Any) -> Ingested:
    parts = [batch(f"part-{number}.csv", rows) for number, rows in enumerate(batches)]
    return ingest(SHOP, parts, home, **options)


def events_of(log: EventLog) -> list[dict[str, Any]]:
    """Every event of a log in words, bucket by bucket, in the order in which it lies there."""
    found = []
    for number in range(log.n_buckets):
        for row in log.table(number).to_pylist():
            for name in text_columns(log.properties):
                row[name] = log.dictionaries[name].text(row[name])
            found.append(row)
    return found


def state_of(home: Path) -> dict[str, bytes]:
    """The bytes of the manifest and of every file it lists."""
    content = manifest.require(home)
    names = [manifest.NAME, *(entry["file"] for entry in manifest.files(content))]
    return {name: (home / "log" / name).read_bytes() for name in names}


# ---- once and in order

some_events = st.lists(
    st.fixed_dictionaries(
        {
            "event_id": st.integers(0, 30).map(str),
            "customer_id": st.sampled_from(["anna", "ben", "çelik", "דוד", "😀"]),
            "kind": st.sampled_from(["order", "visit"]),
            "occurred_at": st.integers(-3, 3),
            "amount": st.none() | st.integers(-2, 2),
            "item": st.none() | st.sampled_from(["x", "y"]),
        }
    ),
    max_size=12,
    unique_by=lambda event: event["event_id"],
)


@settings(deadline=None, max_examples=25)
@given(st.lists(some_events, min_size=1, max_size=3))
def test_the_log_holds_the_first_event_of_each_id_sorted_by_customer_time_and_id(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[dict[str, Any]]]
) -> None:
    home = tmp_path_factory.mktemp("home")
    parts = [part for part in batches if part]
    # The log promises that an id is known again among the events of one bucket.
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for part in parts:
        load(home, part)
        for event in part:
            first.setdefault((event["event_id"], bucket_of(event["customer_id"])), event)
    if not first:
        return
    log = EventLog.open(home)
    expected = sorted(
        first.values(), key=lambda e: (e["customer_id"], e["occurred_at"], e["event_id"])
    )
    found = sorted(events_of(log), key=lambda e: e["customer_id"])
    assert [{name: row[name] for name in FIELDS} for row in found] == [
        {name: event[name] for name in FIELDS} for event in expected
    ]
    assert sum(kind.rows for kind in log.kinds.values()) == len(expected)
    assert log.last_instant == max(event["occurred_at"] for event in expected)
    assert log.damaged() == []


FIELDS = ("event_id", "customer_id", "kind", "occurred_at", "amount", "item")


def test_a_customer_lies_in_one_bucket_and_knows_where_its_rows_begin(tmp_path: Path) -> None:
    log = load(tmp_path, FIRST, LATER).log
    bucket = log.read(log.bucket_of("anna"), ["occurred_at", "amount", "kind"])
    place = bucket.customers.tolist().index("anna")
    rows = bucket.values[:, bucket.offsets[place] : bucket.offsets[place + 1]]
    kinds = [log.dictionaries["kind"].text(code) for code in rows[2]]
    assert rows[0].tolist() == [DAY, 2 * DAY, 3 * DAY]
    assert rows[1].tolist() == [-5, np.iinfo(np.int64).min, 5]
    assert kinds == ["return", "visit", "order"]
    assert bucket.values.flags.c_contiguous
    assert bucket.values.dtype == bucket.offsets.dtype == np.int64


# ---- again, and the same bytes


def test_ingesting_twice_changes_nothing(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "customers": [batch("p", [{"customer_id": "anna", "known_at": 1, "age": "25-34"}])],
        "campaigns": [batch("c", [{"campaign_id": "c1", "starts_at": 1, "ends_at": 2}])],
        "spines": {"lead": SPINE},
        "properties": PROPERTIES,
    }
    first = load(tmp_path, FIRST, LATER, **options)
    before = state_of(tmp_path)
    second = load(tmp_path, FIRST, LATER, **options)
    assert (first.changed, second.changed) == (True, False)
    assert (second.added, second.repeated) == (0, 5)
    assert state_of(tmp_path) == before
    assert second.log.fingerprint == first.log.fingerprint
    assert second.log.sequence == first.log.sequence == 1


def test_two_homes_given_the_same_have_the_same_bytes(tmp_path: Path) -> None:
    for home in ("one", "two"):
        load(tmp_path / home, FIRST, LATER, spines={"lead": SPINE}, properties=PROPERTIES)
    assert state_of(tmp_path / "one") == state_of(tmp_path / "two")


def test_events_that_come_later_are_the_log_that_would_have_come_at_once(tmp_path: Path) -> None:
    at_once = load(tmp_path / "once", FIRST, LATER).log
    load(tmp_path / "later", FIRST)
    later = load(tmp_path / "later", LATER).log
    assert events_of(later) == events_of(at_once)
    assert later.fingerprint == at_once.fingerprint
    assert (later.sequence, at_once.sequence) == (2, 1)


def test_an_opened_log_does_not_see_a_later_ingest(tmp_path: Path) -> None:
    early = load(tmp_path, FIRST).log
    load(tmp_path, LATER)
    assert sorted(row["event_id"] for row in events_of(early)) == ["e1", "e2", "e3"]
    assert early.damaged() == []


def test_an_event_that_contradicts_the_log_is_quarantined_and_the_log_stays(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    before = state_of(tmp_path)
    done = load(tmp_path, [{**FIRST[0], "amount": 6, "item": "new"}, FIRST[1]])
    assert (done.added, done.repeated, done.rejected, done.changed) == (0, 1, 1, False)
    assert state_of(tmp_path) == before
    assert done.quarantine is not None
    text = done.quarantine.read_text()
    assert "part-0.csv,1,event_id" in text
    assert "another amount" in text


def test_a_later_batch_does_not_change_what_an_earlier_one_said(tmp_path: Path) -> None:
    done = load(tmp_path, FIRST, [{**FIRST[0], "amount": 6}])
    assert (done.added, done.rejected) == (3, 1)
    assert [row["amount"] for row in events_of(done.log) if row["event_id"] == "e1"] == [5]


def test_the_log_grows_by_a_new_property_and_old_events_miss_it(tmp_path: Path) -> None:
    load(tmp_path, FIRST, properties={"store": "text"})
    new = {**LATER[0], "brand": "own", "store": "north", "discount": 3}
    log = load(tmp_path, [new], properties={"discount": "integer", "brand": "text"}).log
    names = ("brand", "discount", "store")
    assert log.columns[-3:] == names
    rows = {row["event_id"]: tuple(row[name] for name in names) for row in events_of(log)}
    nothing = (None, None, None)
    assert rows == {"e4": ("own", 3, "north"), "e1": nothing, "e2": nothing, "e3": nothing}
    untouched = log.read(log.bucket_of("ben"), names).values
    assert untouched.tolist() == [[-1], [np.iinfo(np.int64).min], [-1]]


# ---- whole or not at all

FAULTS = ["batches spilled", "bucket 0 written", "bucket 15 written", "files written"]


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("step", [*FAULTS, "manifest written"])
def test_an_ingest_killed_at_any_step_leaves_the_old_log_whole(tmp_path: Path, step: str) -> None:
    load(tmp_path, FIRST)
    before, seen = state_of(tmp_path), []

    def fault(done: str) -> None:
        seen.append(done)
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        load(tmp_path, LATER, fault=fault)
    assert seen[-1] == step
    assert state_of(tmp_path) == before
    assert EventLog.open(tmp_path).damaged() == []
    again = load(tmp_path, LATER)
    assert (again.added, again.log.sequence) == (2, 2)


def test_the_last_step_publishes(tmp_path: Path) -> None:
    steps: list[str] = []
    load(tmp_path, FIRST, fault=steps.append)
    assert steps[-2:] == ["manifest written", "manifest published"]
    assert set(FAULTS) < set(steps)


def test_who_reads_the_manifest_while_it_is_replaced_reads_the_old_one(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    path = tmp_path / "log" / "manifest.json"
    before = path.read_bytes()
    with path.open("rb") as reader:
        load(tmp_path, LATER)
        assert reader.read() == before != path.read_bytes()


def _die(home: Path) -> None:
    load(home, LATER, fault=lambda step: os._exit(9) if step == "files written" else None)


def test_a_process_that_dies_leaves_the_old_log_and_no_lock(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    before = state_of(tmp_path)
    child = multiprocessing.get_context("spawn").Process(target=_die, args=(tmp_path,))
    child.start()
    child.join(60)
    assert child.exitcode == 9
    assert state_of(tmp_path) == before
    assert load(tmp_path, LATER).added == 2
    listed = set(state_of(tmp_path)) | set(manifest_of_before(before))
    left = {path.name for path in (tmp_path / "log").iterdir()} - {".lock"}
    assert left <= listed


def manifest_of_before(state: dict[str, bytes]) -> list[str]:
    return [entry["file"] for entry in manifest.files(json.loads(state[manifest.NAME]))]


def test_a_batch_that_fails_midway_leaves_the_old_log_whole(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    before = state_of(tmp_path)
    with pytest.raises(BadInputError, match=r"part-1.csv"):
        load(tmp_path, LATER, [{"customer_id": "anna"}])
    assert state_of(tmp_path) == before


def test_two_cannot_write_at_once(tmp_path: Path) -> None:
    load(tmp_path, FIRST)
    with manifest.writing(tmp_path), pytest.raises(BadInputError, match="Another process"):
        load(tmp_path, LATER)


# ---- mistakes about the log


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="NEXTBEST_HOME"):
        load(tmp_path / "file", FIRST)


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", "another"), ("currency", "KRW"), ("timezone", "Asia/Seoul")],
)
def test_another_source_does_not_mix_into_the_log(tmp_path: Path, name: str, value: str) -> None:
    load(tmp_path, FIRST)
    other = replace(SHOP, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=f"The log's {name} is .*{value}"):
        ingest(other, [batch("b.csv", LATER)], tmp_path)


def test_a_property_keeps_its_type(tmp_path: Path) -> None:
    load(tmp_path, FIRST, properties={"store": "text"})
    with pytest.raises(BadInputError, match="'store' is text, this source's integer"):
        load(tmp_path, LATER, properties={"store": "integer"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is damaged"),
        ("{", "is damaged"),
        ("[]", "another version"),
        ('{"format": 99}', "another version"),
    ],
)
def test_a_damaged_or_newer_manifest_is_refused(tmp_path: Path, content: str, message: str) -> None:
    load(tmp_path, FIRST)
    (tmp_path / "log" / "manifest.json").write_text(content)
    with pytest.raises(BadInputError, match=message):
        EventLog.open(tmp_path)
    with pytest.raises(BadInputError, match=message):
        load(tmp_path, LATER)


def test_a_damaged_and_a_missing_file_are_found(tmp_path: Path) -> None:
    log = load(tmp_path, FIRST).log
    damaged, missing = (
        manifest.require(tmp_path)[name]["file"] for name in ("customers", "campaigns")
    )
    (tmp_path / "log" / damaged).write_bytes(b"")
    (tmp_path / "log" / missing).unlink()
    assert sorted(log.damaged()) == sorted([damaged, missing])


def test_a_source_that_records_consent_must_show_it(tmp_path: Path) -> None:
    source = replace(SHOP, consent="recorded")
    people = {"customer_id": "anna", "known_at": 1}
    with pytest.raises(BadInputError, match=r"consent_email_offers"):
        ingest(source, [batch("b", FIRST)], tmp_path, customers=[batch("p", [people])])
    shown = batch("p", [people | {"consent_email_offers": True}])
    log = ingest(source, [batch("b", FIRST)], tmp_path, customers=[shown]).log
    assert log.customers["consent_email_offers"].to_pylist() == [1.0, None]


# ---- customers, campaigns, spines


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
