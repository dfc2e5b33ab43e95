"""What the log promises: once, in order, and the same bytes for the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import manifest
from features.errors import BadInputError
from features.ingest import ingest
from features.log import EventLog
from tests.features.ingests import DAY, FIRST, LATER, SPINE, events_of, load, state_of
from tests.small_log import PROPERTIES, SHOP, batch

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
    first: dict[str, dict[str, Any]] = {}
    for part in parts:
        load(home, part)
        for event in part:
            first.setdefault(event["event_id"], event)
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
