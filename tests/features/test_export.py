"""Everything the ledger holds comes into the log, each line exactly once, killed or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features import export as exporting
from features.errors import BadInputError, NoLogError
from features.export import export
from features.ledger import Ledger
from features.ledger_entry import Event, Patch
from features.log import EventLog
from tests.small_log import SHOP, write_small_log

AT = 1_700_000_000_000_000
EVENTS = [
    {"customer_id": "jane", "kind": "order", "occurred_at": AT - 10, "amount": 5, "store": "n"},
    {"customer_id": "john", "kind": "visit", "occurred_at": AT - 5},
]
STATES = [{"customer_id": "jane", "known_at": AT - 20, "age": "19-24"}]
CAMPAIGNS = [{"campaign_id": "7", "starts_at": 5, "ends_at": 9, "type": "A"}]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path, clock=lambda latest: AT)
    yield opened
    opened.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_small_log(tmp_path, EVENTS, STATES, CAMPAIGNS)
    return tmp_path


def event(event_id: str, customer_id: str = "jane", **more: Any) -> Event:
    return Event(event_id, customer_id, {"kind": "order", "occurred_at": AT - 3} | more)


def rows(log: EventLog) -> list[dict[str, Any]]:
    """Every event of the log, its codes as texts."""
    found = []
    for customer in log.customers["customer_id"].unique().to_pylist():
        for row in log.history(customer).to_pylist():
            known = {name: value for name, value in row.items() if value is not None}
            found.append({"customer_id": customer} | known)
    return sorted(found, key=lambda row: str(row["event_id"]))


def test_events_states_and_campaigns_come_into_the_log(home: Path, ledger: Ledger) -> None:
    ledger.append(
        [event("x1", amount=5, store="north", discount=3), event("x2", "new", kind="unheard of")],
        [Patch("jane", {"age": "25-34", "visits": 3.0}), Patch("new", {})],
        [Patch("7", {"starts_at": 5, "ends_at": 10}), Patch("8", {"starts_at": 1, "ends_at": 2})],
    )
    before = EventLog.open(home)
    done = export(ledger, home)
    assert done.lines == 6
    assert done.ingested is not None
    assert (done.ingested.added, done.ingested.rejected, done.log.exported) == (2, 0, 6)
    added = [row for row in rows(done.log) if row not in rows(before)]
    assert added == [
        {
            "event_id": "x1", "customer_id": "jane", "kind": "order", "occurred_at": AT - 3,
            "recorded_at": AT, "amount": 5, "store": "north", "discount": 3,
        },
        {
            "event_id": "x2", "customer_id": "new", "kind": "unheard of", "occurred_at": AT - 3,
            "recorded_at": AT,
        },
    ]  # fmt: skip
    states = [s for s in done.log.customers.to_pylist() if s["customer_id"] == "jane"]
    assert states == [
        {"customer_id": "jane", "known_at": AT - 20, "age": "19-24", "visits": None},
        {"customer_id": "jane", "known_at": AT, "age": "25-34", "visits": 3.0},
    ]
    assert done.log.campaigns["7"]["ends_at"] == 10
    assert set(done.log.campaigns) == {"7", "8"}


def test_what_is_there_already_is_not_exported_again(home: Path, ledger: Ledger) -> None:
    ledger.append([event("x1")])
    first = export(ledger, home)
    assert export(ledger, home).lines == 0
    assert EventLog.open(home).sequence == first.log.sequence
    ledger.append([event("x2")])
    second = export(ledger, home)
    assert (second.lines, second.log.exported) == (1, 2)
    assert len(rows(second.log)) == 4


def test_a_file_ingested_in_between_keeps_the_number(home: Path, ledger: Ledger) -> None:
    ledger.append([event("x1")])
    export(ledger, home)
    more = [{**EVENTS[0], "event_id": "later"}]
    assert write_small_log(home, more).exported == 1
    assert export(ledger, home).lines == 0


def test_an_export_stopped_at_any_step_and_begun_again_gives_the_same_log(
    tmp_path: Path, ledger: Ledger
) -> None:
    ledger.append(
        [event(f"x{n}", f"c{n % 5}") for n in range(20)],
        [Patch("jane", {"age": "25-34"})],
        [Patch("8", {"starts_at": 1, "ends_at": 2})],
    )

    class StopError(Exception):
        pass

    whole = tmp_path / "whole"
    write_small_log(whole, EVENTS, STATES, CAMPAIGNS)
    steps: list[str] = []
    wanted = export(ledger, whole, fault=steps.append).log
    assert len(steps) > 3
    one_of_each = {re.sub(r"[0-9]+", "", step): step for step in steps}
    for number, step in enumerate(one_of_each.values()):
        home = tmp_path / f"stopped-{number}"
        write_small_log(home, EVENTS, STATES, CAMPAIGNS)

        def stop(done: str, at: str = step) -> None:
            if done == at:
                raise StopError

        with pytest.raises(StopError):
            export(ledger, home, fault=stop)
        log = export(ledger, home).log
        assert log.exported == wanted.exported == 22
        assert log.fingerprint == wanted.fingerprint, step
        assert log.damaged() == []


def test_it_reads_the_ledger_in_parts(
    home: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(7):
        ledger.append([event(f"x{n}")], [Patch("jane", {"visits": float(n)})])
    monkeypatch.setattr(exporting, "LINES", 3)
    done = export(ledger, home)
    assert done.ingested is not None
    assert done.ingested.added == 7
    states = [s["visits"] for s in done.log.customers.to_pylist() if s["customer_id"] == "jane"]
    assert states == [None, 0, 1, 2, 3, 4, 5, 6]


def test_of_several_states_of_one_commit_the_last_holds(home: Path, ledger: Ledger) -> None:
    ledger.append(customers=[Patch("jane", {"visits": 1.0}), Patch("jane", {"visits": 2.0})])
    done = export(ledger, home)
    assert done.ingested is not None
    assert done.ingested.rejected == 0
    assert done.log.customers.to_pylist()[-2]["visits"] == 2.0


def test_an_event_id_of_the_log_with_other_content_goes_to_quarantine(
    home: Path, ledger: Ledger
) -> None:
    ledger.append([event("e000000", amount=6), event("x1")])
    done = export(ledger, home)
    assert done.ingested is not None
    assert (done.ingested.added, done.ingested.rejected, done.log.exported) == (1, 1, 2)
    assert done.ingested.quarantine is not None
    assert "ledger, events of lines 1 to 2" in done.ingested.quarantine.read_text()


def test_another_ledger_is_refused(home: Path, ledger: Ledger, tmp_path: Path) -> None:
    ledger.append([event("x1")])
    export(ledger, home)
    other = Ledger("sqlite://")
    with pytest.raises(BadInputError, match="NEXTBEST_DATABASE_URL"):
        export(other, home)
    other.close()


def test_there_must_be_a_log(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(NoLogError):
        export(ledger, tmp_path)


def test_a_source_with_two_clocks_takes_the_commit_as_the_second(
    tmp_path: Path, ledger: Ledger
) -> None:
    known = [{**row, "recorded_at": AT - 1} for row in EVENTS]
    write_small_log(tmp_path, known, STATES, source=replace(SHOP, clocks=2))
    ledger.append([event("x1"), event("ahead", occurred_at=AT + 50)])
    done = export(ledger, tmp_path)
    recorded = {row["event_id"]: row["recorded_at"] for row in rows(done.log)}
    assert (recorded["x1"], recorded["ahead"]) == (AT, AT + 50)
