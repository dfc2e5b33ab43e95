from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from features.errors import NoLogError, StoreError, StoreReplacedError
from features.ledger import Ledger
from features.ledger_entry import Event, Patch
from models.catalog import CATALOG
from serving.errors import NotReadyError
from serving.received.live_store import LiveStore, judged
from tests.serving.fakes import NOW, FakeRows, FakeStore

CHURN = CATALOG["churn"]


class Disk:
    """What `python -m features build` leaves: a stamp and a store, or nothing."""

    def __init__(self) -> None:
        self.stamp: str | None = None
        self.store: FakeStore | None = None

    def build(self, stamp: str, **customers: int) -> None:
        self.stamp, self.store = stamp, FakeStore(customers)

    def open(self) -> Any:
        if self.store is None:
            raise NoLogError("There is no store.", remedy="Run: python -m features build")
        return self.store


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def live(disk: Disk) -> LiveStore:
    return LiveStore(disk.open, lambda: disk.stamp, FakeRows, CATALOG)  # type: ignore[arg-type]


def test_a_rebuilt_store_is_opened_and_answers(disk: Disk, live: LiveStore) -> None:
    disk.build("first", a=3)
    assert live.refresh()
    assert not live.refresh()
    disk.build("second", a=4)
    assert live.row(CHURN, "a", NOW, {}).values[0] == 3
    assert live.refresh()
    assert live.row(CHURN, "a", NOW, {}).values[0] == 4


def test_closing_closes_the_current_store_if_there_is_one(disk: Disk, live: LiveStore) -> None:
    live.close()
    disk.build("first", a=3)
    live.open()
    live.close()
    assert disk.store is not None
    assert disk.store.closed


def test_without_a_store_it_says_what_to_run(live: LiveStore) -> None:
    assert not live.refresh()
    assert not live.is_open
    assert "python -m features build" in live.refusal
    with pytest.raises(NotReadyError, match="python -m features build"):
        live.row(CHURN, "a", NOW, {})
    with pytest.raises(NoLogError):
        live.open()


def test_a_store_that_is_gone_leaves_the_one_that_was_open(disk: Disk, live: LiveStore) -> None:
    disk.build("first", a=3)
    live.refresh()
    disk.stamp, disk.store = None, None
    assert not live.refresh()
    assert live.row(CHURN, "a", NOW, {}).values[0] == 3


def test_a_store_that_cannot_be_asked_whether_it_was_rebuilt_goes_on_and_says_so_until_it_can(
    disk: Disk,
) -> None:
    answers = [True]

    def stamp() -> str | None:
        if not answers[0]:
            raise StoreError("Redis does not answer.", remedy="Start it.")
        return disk.stamp

    live = LiveStore(disk.open, stamp, FakeRows, CATALOG)  # type: ignore[arg-type]
    disk.build("first", a=3)
    live.open()
    answers[0] = False
    assert not live.refresh()
    assert "does not answer" in live.refusal
    assert live.row(CHURN, "a", NOW, {}).values[0] == 3
    answers[0] = True
    assert not live.refresh()
    assert live.refusal == ""


def test_the_population_decides_whether_a_model_answers(disk: Disk, live: LiveStore) -> None:
    disk.build("first", active=3, gone=0)
    live.refresh()
    assert live.row(CHURN, "active", NOW, {}).answers
    known = live.row(CHURN, "gone", NOW, {})
    assert not known.answers
    assert known.has_events is False
    assert len(known.values) == len(CHURN.features)
    assert len(judged(CHURN)) == len(CHURN.features) + 1


class ReplacedStore(FakeStore):
    """A store whose place another one has taken."""

    def catch_up(self, ledger: Any) -> None:
        raise StoreReplacedError("It was replaced.", remedy="Open it anew.")

    def history(self, customer_id: str) -> Any:
        raise StoreReplacedError("It was replaced.", remedy="Open it anew.")


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    opened = Ledger("sqlite://", lambda latest: 1_000)
    yield opened
    opened.close()


def test_a_store_that_was_replaced_meanwhile_is_followed_by_its_successor(
    disk: Disk, live: LiveStore, ledger: Ledger
) -> None:
    disk.stamp, disk.store = "first", ReplacedStore({"a": 3})
    live.open()
    disk.build("second", a=4)
    ledger.append([Event("e1", "a", {"kind": "order", "occurred_at": 7})])
    live.catch_up(ledger)
    assert live.row(CHURN, "a", NOW, {}).values[0] == 5
    assert live.committed_at == 1_000


def test_a_score_that_meets_a_replaced_store_is_answered_by_its_successor(
    disk: Disk, live: LiveStore
) -> None:
    disk.stamp, disk.store = "first", ReplacedStore({"a": 3})
    live.open()
    disk.build("second", a=4)
    assert live.row(CHURN, "a", NOW, {}).values[0] == 4


def test_time_goes_past_the_last_commit_even_if_the_store_was_filled_after_it(
    disk: Disk, live: LiveStore, ledger: Ledger
) -> None:
    ledger.append(customers=[Patch("a", {"age": "19-24"})])
    disk.build("first", a=3)
    assert disk.store is not None
    disk.store.applied = ledger.last
    live.open()
    live.catch_up(ledger)
    assert disk.store.instant == 0
    assert live.committed_at == 1_000


def test_what_a_model_declares_of_an_attribute_goes_before_what_the_log_says(
    disk: Disk, live: LiveStore
) -> None:
    disk.build("first")
    live.open()
    assert live.attribute_type("household_size") == "text"
    assert live.attribute_type("never heard of") is None
