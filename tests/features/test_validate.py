"""Bad rows of events, customers and campaigns: each is refused with its place and a remedy."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.contract import Batch
from features.errors import BadInputError
from features.ingest import Ingested, ingest
from tests.small_log import SHOP, batch, write_small_log

TWO_CLOCKS = replace(SHOP, clocks=2)
GOOD = {
    "event_id": "e1",
    "customer_id": "anna",
    "kind": "order",
    "occurred_at": "2017-12-04T10:00:00Z",
    "recorded_at": "2017-12-04T10:00:01Z",
    "amount": 1999.0,
    "quantity": 1,
    "store": "north",
}


def load(home: Path, rows: list[dict[str, Any]], **options: Any) -> Ingested:
    source = options.pop("source", TWO_CLOCKS)
    return ingest(source, [batch("shop.csv", rows)], home, properties={"store": "text"}, **options)


def quarantined(done: Ingested) -> list[dict[str, str]]:
    if done.quarantine is None:
        return []
    with done.quarantine.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


BAD_EVENTS = {
    "no customer": ("customer_id", None, "missing"),
    "a blank customer": ("customer_id", "  ", "missing"),
    "no event id": ("event_id", None, "missing"),
    "no kind": ("kind", "", "missing"),
    "no time": ("occurred_at", None, "missing"),
    "a time that is none": ("occurred_at", "yesterday", "no date or time"),
    "a day that is none": ("occurred_at", "2017-02-30", "no date or time"),
    "a time of another world": ("occurred_at", "999999999999999999", "no date or time"),
    "no second clock": ("recorded_at", None, "missing"),
    "a record before the event": ("recorded_at", "2017-12-04T09:59:59Z", "before it occurred"),
    "a negative quantity": ("quantity", -1, "negative"),
    "an amount that is infinite": ("amount", float("inf"), "whole number of minor units"),
    "an amount that is no number": ("amount", float("nan"), "whole number of minor units"),
    "an amount beyond int64": ("amount", 2.0**63, "whole number of minor units"),
    "an amount with fractions of a cent": ("amount", 19.99, "whole number of minor units"),
}


@pytest.mark.parametrize(("column", "value", "problem"), BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_a_bad_event_is_quarantined_with_file_row_column_value_and_remedy(
    tmp_path: Path, column: str, value: object, problem: str
) -> None:
    done = load(tmp_path, [GOOD, {**GOOD, "event_id": "e2", column: value}])
    assert (done.added, done.rejected) == (1, 1)
    [row] = quarantined(done)
    assert (row["file"], row["row"], row["column"]) == ("shop.csv", "2", column)
    assert row["value"] == json.dumps(value)
    assert problem in row["problem"]
    assert row["remedy"].endswith(".")
    assert json.loads(row["content"])["store"] == "north"


def test_a_row_with_two_faults_shows_both_and_counts_once(tmp_path: Path) -> None:
    bad = {**GOOD, "event_id": "e2", "customer_id": None, "quantity": -3, "occurred_at": "never"}
    done = load(tmp_path, [GOOD, bad])
    assert done.rejected == 1
    assert [row["column"] for row in quarantined(done)] == [
        "occurred_at", "customer_id", "quantity"
    ]  # fmt: skip


def test_events_of_one_batch_that_contradict_each_other_are_all_refused(tmp_path: Path) -> None:
    done = load(
        tmp_path,
        [
            {**GOOD, "event_id": "e2", "amount": 1.0},
            GOOD,
            {**GOOD, "event_id": "e2", "amount": 2.0},
            {**GOOD, "event_id": "e3"},
            {**GOOD, "event_id": "e3", "customer_id": "ben"},
        ],
    )
    assert (done.added, done.rejected) == (1, 4)
    assert [row["row"] for row in quarantined(done)] == ["1", "3", "4", "5"]
    assert {row["column"] for row in quarantined(done)} == {"event_id"}


def test_an_event_that_stands_twice_with_the_same_content_counts_once(tmp_path: Path) -> None:
    done = load(tmp_path, [GOOD, GOOD, {**GOOD, "event_id": "e2"}])
    assert (done.added, done.rejected) == (2, 0)


def test_rows_are_numbered_as_in_their_file(tmp_path: Path) -> None:
    part = Batch("shop.csv", batch("", [{**GOOD, "kind": None}]).table, first_row=1001)
    done = ingest(
        TWO_CLOCKS, [batch("a.csv", [GOOD]), part], tmp_path, properties={"store": "text"}
    )
    assert quarantined(done)[0]["row"] == "1001"


def test_a_source_with_one_clock_takes_the_time_of_the_event_for_the_missing_record(
    tmp_path: Path,
) -> None:
    event = {"customer_id": "a", "kind": "order", "occurred_at": 5}
    log = write_small_log(tmp_path, [event, {**event, "recorded_at": 9}])
    values = log.read(log.bucket_of("a"), ["occurred_at", "recorded_at"]).values
    assert values.tolist() == [[5, 5], [5, 9]]


def test_the_same_bad_rows_again_make_the_same_quarantine_file(tmp_path: Path) -> None:
    rows = [GOOD, {**GOOD, "event_id": "e2", "kind": None}]
    first, second = load(tmp_path, rows), load(tmp_path, rows)
    assert first.quarantine == second.quarantine
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    assert not second.changed


def test_a_quarantined_text_cannot_be_a_formula_of_a_spreadsheet(tmp_path: Path) -> None:
    bad = {**GOOD, "event_id": "e2", "occurred_at": '=HYPERLINK("http://x")'}
    [row] = quarantined(load(tmp_path, [GOOD, bad]))
    assert all(cell[0] not in "=+@" for cell in row.values())


REFUSED_WHOLE = {
    "a missing column": ({"customer_id": None}, "'customer_id' of events is missing; there are:"),
    "an unknown column": ({"amout": [1]}, "nothing reads the column 'amout'"),
    "a number for a name": ({"kind": [1.5]}, "'kind' is of type double"),
    "truth for a time": ({"occurred_at": [True]}, "'occurred_at' is of type bool"),
    "a list for an amount": ({"amount": [[1]]}, "'amount' is of type list"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED_WHOLE.values(), ids=REFUSED_WHOLE)
def test_a_batch_of_the_wrong_shape_is_refused_whole(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    columns = {name: [value] for name, value in GOOD.items()} | change
    table = pa.table({name: values for name, values in columns.items() if values is not None})
    good = batch("shop.csv", [GOOD])
    with pytest.raises(BadInputError, match="shop.csv: .*" + message):
        ingest(
            TWO_CLOCKS,
            [good, Batch("shop.csv", table)],
            tmp_path,
            properties={"store": "text"},
        )
    assert not (tmp_path / "log" / "manifest.json").exists()


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    table = batch("", [GOOD]).table
    twice = Batch("shop.csv", table.append_column("kind", table["kind"]))
    with pytest.raises(BadInputError, match="'kind' is there 2 times"):
        ingest(TWO_CLOCKS, [twice], tmp_path, properties={"store": "text"})


def test_nothing_is_published_when_not_one_row_is_sound(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"not one row could be taken.*rejected-\w+\.csv"):
        load(tmp_path, [{**GOOD, "kind": None}])
    assert not (tmp_path / "log" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("properties", "message"),
    [({"store": "string"}, "declared as 'string'"), ({"amount": "integer"}, "event's own column")],
)
def test_a_property_of_unknown_type_or_taken_name_is_refused(
    tmp_path: Path, properties: dict[str, str], message: str
) -> None:
    with pytest.raises(BadInputError, match=message):
        ingest(SHOP, [batch("shop.csv", [GOOD])], tmp_path, properties=properties)


CUSTOMER = {"customer_id": "anna", "known_at": 5, "age": "25-34", "size": 2.0}
CAMPAIGN = {"campaign_id": "c1", "starts_at": 10, "ends_at": 20, "type": "A", "cost": 50}


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("customer_id", None, "missing"),
        ("known_at", None, "missing"),
        ("size", float("inf"), "not finite"),
    ],
)
def test_a_bad_customer_is_quarantined(
    tmp_path: Path, column: str, value: object, problem: str
) -> None:
    rows = [CUSTOMER, {**CUSTOMER, "customer_id": "ben", column: value}]
    done = load(tmp_path, [GOOD], customers=[batch("people.csv", rows)])
    [row] = quarantined(done)
    assert (row["file"], row["row"], row["column"]) == ("people.csv", "2", column)
    assert problem in row["problem"]
    assert done.log.customers.to_pylist() == [CUSTOMER]


def test_two_states_of_one_customer_at_one_moment_contradict_each_other(tmp_path: Path) -> None:
    rows = [CUSTOMER, {**CUSTOMER, "age": "35-44"}, {**CUSTOMER, "known_at": 6}, CUSTOMER]
    done = load(tmp_path, [GOOD], customers=[batch("people.csv", rows)])
    assert [row["row"] for row in quarantined(done)] == ["1", "2", "4"]
    assert done.log.customers["known_at"].to_pylist() == [6]


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("campaign_id", None, "missing"),
        ("starts_at", None, "missing"),
        ("ends_at", 10, "ends before it starts"),
        ("cost", -1, "negative"),
    ],
)
def test_a_bad_campaign_is_quarantined(
    tmp_path: Path, column: str, value: object, problem: str
) -> None:
    rows = [CAMPAIGN, {**CAMPAIGN, "campaign_id": "c2", column: value}]
    done = load(tmp_path, [GOOD], campaigns=[batch("campaigns.csv", rows)])
    [row] = quarantined(done)
    assert (row["file"], row["row"], row["column"]) == ("campaigns.csv", "2", column)
    assert problem in row["problem"]
    assert list(done.log.campaigns) == ["c1"]


def test_customers_and_campaigns_without_their_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="'known_at' of customers is missing"):
        load(tmp_path, [GOOD], customers=[batch("people.csv", [{"customer_id": "anna"}])])
    with pytest.raises(BadInputError, match="nothing reads the column 'name' of campaigns"):
        load(tmp_path, [GOOD], campaigns=[batch("c.csv", [{**CAMPAIGN, "name": "x"}])])


def test_a_batch_without_rows_is_no_mistake(tmp_path: Path) -> None:
    nothing = Batch("empty.csv", batch("", [GOOD]).table.slice(0, 0))
    done = ingest(
        TWO_CLOCKS, [nothing, batch("a.csv", [GOOD])], tmp_path, properties={"store": "text"}
    )
    assert (done.added, done.rejected) == (1, 0)
