"""Changes of customers and campaigns: each line the full state, laid over the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from features.ledger import Ledger
from features.ledger_entry import Patch


def test_a_change_is_laid_over_the_state_before_it(ledger: Ledger) -> None:
    ledger.append(customers=[Patch("jane", {"age": "19-24", "visits": 3.0})])
    ledger.append(customers=[Patch("jane", {"visits": 4.0}), Patch("john", {"age": None})])
    ledger.append(customers=[Patch("jane", {"age": None})])
    assert [line.content for line in ledger.since(1)] == [
        {"customer_id": "jane", "attributes": {"age": "19-24", "visits": 4.0}},
        {"customer_id": "john", "attributes": {}},
        {"customer_id": "jane", "attributes": {"visits": 4.0}},
    ]


def test_a_change_that_changes_nothing_adds_nothing(ledger: Ledger) -> None:
    patch = Patch("jane", {"visits": 3.0})
    assert ledger.append(customers=[patch, patch]).added == 1
    receipt = ledger.append(customers=[patch, Patch("jane", {"visits": 5.0}), patch])
    assert (receipt.added, receipt.repeated) == (2, 1)


class Log:
    """What a log would know."""

    def customer(self, customer_id: str) -> tuple[int, Mapping[str, Any]] | None:
        return {"old": (10, {"age": "65+", "size": None}), "new": (10**17, {"age": "35-44"})}.get(
            customer_id
        )

    def campaign(self, campaign_id: str) -> Mapping[str, Any] | None:
        return {"type": None, "starts_at": 5, "ends_at": 9} if campaign_id == "7" else None

    def attribute_type(self, name: str) -> str | None:
        return "text" if name == "age" else None


def test_what_the_log_knows_is_added_to_unless_the_ledger_knows_better(ledger: Ledger) -> None:
    ledger.append(customers=[Patch("old", {"age": "19-24"}), Patch("new", {"age": "19-24"})])
    change = [Patch("old", {"visits": 1.0}), Patch("new", {"visits": 1.0})]
    ledger.append(customers=change, campaigns=[Patch("7", {"cost": 50})], known=Log())
    first = Ledger("sqlite://")
    first.append(customers=[Patch("old", {"visits": 1.0})], known=Log())
    assert first.since(0)[0].content["attributes"] == {"age": "65+", "visits": 1.0}
    first.close()
    assert [line.content for line in ledger.since(2)] == [
        {"customer_id": "old", "attributes": {"age": "19-24", "visits": 1.0}},
        {"customer_id": "new", "attributes": {"age": "35-44", "visits": 1.0}},
        {"campaign_id": "7", "starts_at": 5, "ends_at": 9, "cost": 50},
    ]


def test_an_attribute_keeps_its_type(ledger: Ledger) -> None:
    ledger.append(customers=[Patch("jane", {"size": "L"})])
    receipt = ledger.append(
        customers=[Patch("jane", {"size": 3.0}), Patch("john", {"size": "M", "age": 3.0})],
        known=Log(),
    )
    assert receipt.added == 0
    assert [(r.place, r.field) for r in receipt.refused] == [
        (0, "attributes.size"), (1, "attributes.age"),
    ]  # fmt: skip
    assert ledger.append(customers=[Patch("jane", {"size": None})]).added == 1
    assert ledger.append(customers=[Patch("jane", {"age": 3.0})]).added == 1, "a refused type stuck"


@pytest.mark.parametrize(
    ("values", "field"),
    [({"starts_at": 5}, "ends_at"), ({"ends_at": 5}, "starts_at"), ({}, "starts_at")],
)
def test_a_new_campaign_needs_its_times(ledger: Ledger, values: dict[str, int], field: str) -> None:
    receipt = ledger.append(campaigns=[Patch("spring", values)])
    assert [refusal.field for refusal in receipt.refused] == [field]


def test_a_campaign_must_end_after_it_starts(ledger: Ledger) -> None:
    ledger.append(campaigns=[Patch("spring", {"starts_at": 5, "ends_at": 9})])
    receipt = ledger.append(campaigns=[Patch("spring", {"starts_at": 9})])
    assert [refusal.field for refusal in receipt.refused] == ["ends_at"]
    assert ledger.last == 1
