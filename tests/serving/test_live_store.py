from __future__ import annotations

from typing import Any

import pytest

from features.errors import NoLogError
from models.catalog import CATALOG
from serving.errors import NotReadyError
from serving.live_store import LiveStore, judged
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


def test_the_population_decides_whether_a_model_answers(disk: Disk, live: LiveStore) -> None:
    disk.build("first", active=3, gone=0)
    live.refresh()
    assert live.row(CHURN, "active", NOW, {}).answers
    known = live.row(CHURN, "gone", NOW, {})
    assert not known.answers
    assert known.has_events is False
    assert len(known.values) == len(CHURN.features)
    assert len(judged(CHURN)) == len(CHURN.features) + 1
