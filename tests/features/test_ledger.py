"""The ledger on SQLite and on PostgreSQL: one sequence, each event once, whoever writes."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.database import DatabaseError
from features.ledger import Change, Ledger, wall
from features.ledger_entry import NOTHING, Entry, Event, Patch

Address = tuple[str, str]
FIXED: Callable[[int], int] = lambda latest: 1_000  # noqa: E731


def order(event_id: str, customer_id: str = "jane", amount: int = 5, **more: Any) -> Event:
    values = {"kind": "order", "occurred_at": 7, "amount": amount} | more
    return Event(event_id, customer_id, values)


def test_lines_come_back_in_order_as_they_went_in(ledger: Ledger) -> None:
    odd = order("Zoë '; --", '김 🙂 \\ "', -(2**63) + 1, store="north")
    receipt = ledger.append(
        [odd, order("e2")],
        [Patch("jane", {"age": "19-24", "visits": 3.0})],
        [Patch("spring", {"starts_at": 1, "ends_at": 2, "offer": None})],
    )
    assert (receipt.first, receipt.last, receipt.added, receipt.repeated) == (1, 4, 4, 0)
    lines = ledger.since(0)
    assert [(line.sequence, line.kind) for line in lines] == [
        (1, "event"), (2, "event"), (3, "customer"), (4, "campaign"),
    ]  # fmt: skip
    assert lines[0].content == {
        "event_id": "Zoë '; --", "customer_id": "김 🙂 \\ \"", "kind": "order", "occurred_at": 7,
        "amount": -(2**63) + 1, "store": "north", "recorded_at": receipt.at,
    }  # fmt: skip
    assert lines[2].content == {"customer_id": "jane", "attributes": {"age": "19-24", "visits": 3}}
    assert lines[3].content == {"campaign_id": "spring", "starts_at": 1, "ends_at": 2}
    assert ledger.tail() == (4, receipt.at)
    assert ledger.last == 4


def test_it_is_read_from_a_number_on_and_in_parts(ledger: Ledger) -> None:
    ledger.append([order(f"e{n}", f"c{n % 2}") for n in range(10)])
    assert [line.sequence for line in ledger.since(3, limit=4)] == [4, 5, 6, 7]
    assert ledger.since(10) == []
    assert [line.sequence for line in ledger.of_customer("c1")] == [2, 4, 6, 8, 10]
    assert [line.sequence for line in ledger.of_customer("c1", up_to=6)] == [2, 4, 6]
    assert ledger.of_customer("nobody") == []


def test_the_same_event_again_adds_nothing(ledger: Ledger) -> None:
    first = ledger.append([order("e1"), order("e2")])
    again = ledger.append([order("e2"), order("e3"), order("e1"), order("e3")])
    assert (again.added, again.repeated, again.first, again.last) == (1, 3, 3, 3)
    none = ledger.append([order("e1")])
    assert (none.added, none.repeated, none.first, none.last) == (0, 1, 4, 3)
    assert first.at < again.at < none.at
    assert len(ledger.since(0)) == 3


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (order("e1", amount=6), "amount"),
        (order("e1", "john"), "customer_id"),
        (order("e1", occurred_at=8), "occurred_at"),
        (order("e1", item="pear"), "item"),
        (Event("e1", "jane", {"kind": "order", "occurred_at": 7}), "amount"),
    ],
)
def test_an_event_id_with_other_content_is_refused_and_names_the_field(
    ledger: Ledger, other: Event, field: str
) -> None:
    ledger.append([order("e1")])
    receipt = ledger.append([order("e0"), other])
    assert (receipt.added, receipt.repeated) == (1, 0)
    assert [(refusal.place, refusal.field) for refusal in receipt.refused] == [(1, field)]
    assert "event_id of its own" in receipt.refused[0].remedy
    assert ledger.since(0)[0].content["amount"] == 5


def test_entries_of_one_commit_are_told_apart_and_share_its_moment(ledger: Ledger) -> None:
    entries = [Entry([order("a"), order("b")]), Entry([order("b"), order("c")]), Entry()]
    receipts = ledger.commit(entries)
    assert [(r.first, r.last, r.added, r.repeated) for r in receipts] == [
        (1, 2, 2, 0), (3, 3, 1, 1), (4, 3, 0, 0),
    ]  # fmt: skip
    assert len({receipt.at for receipt in receipts}) == 1


def test_time_never_stands_still_or_goes_back(address: Address) -> None:
    url, prefix = address
    readings = iter([1_000, 1_000, 3, 5_000])
    ledger = Ledger(url, lambda latest: next(readings), prefix)
    moments = [ledger.append([order(f"e{n}")]).at for n in range(4)]
    ledger.close()
    assert moments == [1_000, 1_001, 1_002, 5_000]


def test_the_wall_clock_is_read_when_nobody_else_writes(ledger: Ledger) -> None:
    before = time.time_ns() // 1000
    at = ledger.append([order("e1")]).at
    assert before <= at <= time.time_ns() // 1000
    assert wall(10**18) < 10**17


def test_nothing_is_known_before_it_occurs(address: Address) -> None:
    ledger = Ledger(address[0], FIXED, address[1])
    ledger.append([order("early", occurred_at=999), order("ahead", occurred_at=1_500)])
    assert [line.content["recorded_at"] for line in ledger.since(0)] == [1_000, 1_500]
    assert {line.at for line in ledger.since(0)} == {1_000}
    ledger.close()


def test_a_clock_may_follow_the_events(address: Address) -> None:
    ledger = Ledger(address[0], lambda latest: max(100, latest), address[1])
    assert [ledger.append([order(str(at), occurred_at=at)]).at for at in (50, 400, 300)] == [
        100, 400, 401,
    ]  # fmt: skip
    ledger.close()


def test_a_failed_commit_writes_nothing(ledger: Ledger) -> None:
    broken = Event("e2", "jane", {"kind": "order"})
    with pytest.raises(KeyError):
        ledger.append([order("e1"), broken])

    class Silent:
        def customer(self, customer_id: str) -> None:
            raise DatabaseError("It does not answer.", remedy="Wait.")

    with pytest.raises(DatabaseError):
        ledger.append([order("e1")], [Patch("jane", {})], known=Silent())
    assert ledger.append([order("e1")]).last == 1


def test_it_is_all_there_after_a_restart(address: Address) -> None:
    url, prefix = address
    first = Ledger(url, FIXED, prefix)
    first.append([order("e1")], [Patch("jane", {"size": "L"})])
    kept = first.since(0)
    first.close()
    second = Ledger(url, FIXED, prefix)
    assert second.since(0) == kept
    receipt = second.append([order("e1"), order("e2")], [Patch("jane", {"size": 1.0})])
    assert (receipt.added, receipt.repeated, len(receipt.refused), receipt.at) == (1, 1, 1, 1_001)
    second.close()


def check(lines: list[Change], writers: int, events: int) -> None:
    assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
    at = [line.at for line in lines]
    assert at == sorted(at)
    ids = [line.content["event_id"] for line in lines]
    assert len(set(ids)) == len(ids) == writers * events + events


def write(url: str, prefix: str, writer: int, events: int) -> None:
    """Events of one writer, each followed by one that all writers send."""
    ledger = Ledger(url, prefix=prefix)
    for n in range(events):
        ledger.append([order(f"{writer}-{n}"), order(f"all-{n}")])
    ledger.close()


def test_threads_share_one_sequence(address: Address) -> None:
    ledger = Ledger(address[0], prefix=address[1])

    def several(writer: int) -> None:
        for n in range(25):
            ledger.append([order(f"{writer}-{n}"), order(f"all-{n}")])

    threads = [threading.Thread(target=several, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(ledger.since(0), writers=4, events=25)
    ledger.close()


def test_processes_share_one_sequence(address: Address) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(*address, n, 25)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    ledger = Ledger(address[0], prefix=address[1])
    check(ledger.since(0), writers=3, events=25)
    ledger.close()


def test_a_silent_database_says_so_and_shows_no_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="does not answer") as caught:
        Ledger("postgresql+psycopg://jane:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with sa.create_engine(f"sqlite:///{tmp_path / 'ledger.db'}").begin() as connection:
        connection.exec_driver_sql("DROP TABLE nextbest_ledger")
    with pytest.raises(DatabaseError, match="does not answer"):
        ledger.append([order("e1")], known=NOTHING)
    ledger.close()


def test_it_lies_under_home_unless_a_url_is_set(tmp_path: Path) -> None:
    Ledger.open(tmp_path).close()
    assert (tmp_path / "ledger.db").is_file()
    elsewhere = Ledger.open(tmp_path / "unused", f"sqlite:///{tmp_path / 'other.db'}", FIXED)
    assert elsewhere.append([order("e1")]).at == 1_000
    elsewhere.close()
    assert not (tmp_path / "unused").exists()
