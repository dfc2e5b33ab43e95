"""What callers send is kept as files' rows are, or refused in words that repeat nothing of it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import validate
from features.arrival import EventCheck, RefusedError, campaign_of, customer_of, event_of
from features.clock import EARLIEST, LATEST
from features.columns import EVENT_COLUMNS
from features.contract import Batch
from features.ledger_entry import Event
from tests.small_log import SHOP

PROPERTIES = {"store": "text", "discount": "integer"}
CHECK = EventCheck(PROPERTIES)
SENT = {"event_id": "e1", "customer_id": "jane", "kind": "order", "occurred_at": 7}
UNTIL = 2_000_000_000_000_000
SECRET = "jane.doe@example.com"


def test_values_stand_in_the_contracts_order_and_missing_ones_are_left_out() -> None:
    sent = {
        "store": "north", "category": None, "channel": " ", "quantity": 0, "amount": -5,
        "discount": 3.0, **SENT, "occurred_at": "2017-12-04T06:00:00.000001+01:00",
    }  # fmt: skip
    assert event_of(CHECK(sent, UNTIL)) == Event(
        "e1",
        "jane",
        {
            "kind": "order",
            "occurred_at": 1512363600000001,
            "amount": -5,
            "quantity": 0,
            "discount": 3,
            "store": "north",
        },
    )
    assert list(CHECK(sent, UNTIL)) == list(CHECK(dict(reversed(sent.items())), UNTIL))


BAD_EVENTS: list[tuple[dict[str, Any], str]] = [
    ({"event_id": None}, "event_id"),
    ({"event_id": ""}, "event_id"),
    ({"event_id": " \t"}, "event_id"),
    ({"event_id": 7}, "event_id"),
    ({"event_id": "x" * 201}, "event_id"),
    ({"customer_id": None}, "customer_id"),
    ({"customer_id": ["jane"]}, "customer_id"),
    ({"customer_id": "ja\0ne"}, "customer_id"),
    ({"customer_id": "\ud800"}, "customer_id"),
    ({"kind": None}, "kind"),
    ({"kind": True}, "kind"),
    ({"occurred_at": None}, "occurred_at"),
    ({"occurred_at": "yesterday"}, "occurred_at"),
    ({"occurred_at": "2017-12-04"}, "occurred_at"),
    ({"occurred_at": "2017-12-04T05:00:00"}, "occurred_at"),
    ({"occurred_at": "2017-13-04T05:00:00Z"}, "occurred_at"),
    ({"occurred_at": "1512363600000000"}, "occurred_at"),
    ({"occurred_at": 1.5}, "occurred_at"),
    ({"occurred_at": True}, "occurred_at"),
    ({"occurred_at": EARLIEST - 1}, "occurred_at"),
    ({"occurred_at": LATEST + 1}, "occurred_at"),
    ({"occurred_at": UNTIL + 1}, "occurred_at"),
    ({"recorded_at": 7}, "recorded_at"),
    ({"amount": "12.50"}, "amount"),
    ({"amount": 12.5}, "amount"),
    ({"amount": 2**63}, "amount"),
    ({"amount": -(2**63)}, "amount"),
    ({"amount": float("nan")}, "amount"),
    ({"amount": False}, "amount"),
    ({"quantity": -1}, "quantity"),
    ({"channel": 3}, "channel"),
    ({"store": {"name": "north"}}, "store"),
    ({"discount": "3"}, "discount"),
    ({"amuont": 5}, "amuont"),
    ({SECRET: 5}, "(a name that is none)"),
    ({"_customer": "x"}, "_customer"),
]


@pytest.mark.parametrize(("changed", "field"), BAD_EVENTS, ids=lambda value: repr(value)[:40])
def test_a_bad_event_is_refused_by_field_with_a_remedy(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(RefusedError) as caught:
        CHECK({**SENT, "item": SECRET, **changed}, UNTIL)
    assert caught.value.field == field
    assert caught.value.remedy
    assert SECRET not in str(caught.value)
    assert "x" * 20 not in str(caught.value)


@pytest.mark.parametrize("sent", [None, 5, "event", [SENT]])
def test_what_is_no_object_is_no_event(sent: Any) -> None:
    with pytest.raises(RefusedError, match="must be an object"):
        CHECK(sent, UNTIL)


def test_near_names_are_named() -> None:
    with pytest.raises(RefusedError, match="For amuont: amount"):
        CHECK({**SENT, "amuont": 5}, UNTIL)


def test_raw_events_may_say_when_they_became_known_and_need_no_id() -> None:
    check = EventCheck({}, required=("kind", "occurred_at"), dated=True)
    sent = {"kind": "order", "occurred_at": 7, "recorded_at": "1970-01-01T00:00:00Z"}
    assert check(sent, UNTIL) == {"kind": "order", "occurred_at": 7, "recorded_at": 0}


texts = st.text(max_size=8) | st.sampled_from(["", " ", "x" * 250, "a\0", "7"])
numbers = st.integers(-(2**65), 2**65) | st.sampled_from([0, 2**63 - 1, -(2**63), 2**63])


@given(
    kind=texts,
    occurred_at=numbers | st.integers(0, UNTIL),
    amount=st.none() | numbers,
    quantity=st.none() | numbers,
    store=st.none() | texts,
)
def test_what_is_taken_is_what_a_file_would_give(**values: Any) -> None:
    try:
        taken = CHECK({**SENT, **values}, UNTIL)
    except RefusedError:
        return
    sent = {**SENT, **values, "recorded_at": UNTIL}
    types = {"amount": pa.int64(), "quantity": pa.int64(), "store": pa.string()}
    batch = pa.table({name: pa.array([v], types.get(name)) for name, v in sent.items()})
    table, findings = validate.events(Batch("sent", batch), SHOP, PROPERTIES)
    assert not findings.bad.any()
    row = {name: value for name, value in table.to_pylist()[0].items() if value is not None}
    expected = {name: row[name] for name in row if name not in ("recorded_at", validate.ROW)}
    assert taken == expected
    assert set(EVENT_COLUMNS) | {"event_id", "customer_id", *PROPERTIES} >= set(taken)


def test_a_customers_state_is_flat_and_of_two_types() -> None:
    sent = {
        "attributes": {"age": "19-24", "visits": 3, "member": True, "income": None, "note": " "},
        "consent": {"email": {"offers": False, "news": None}, "post": {}},
        "timezone": "Asia/Seoul",
    }
    assert customer_of("jane", sent).values == {
        "age": "19-24", "visits": 3.0, "member": 1.0, "income": None, "note": None,
        "consent_email_offers": 0.0, "consent_email_news": None, "timezone": "Asia/Seoul",
    }  # fmt: skip
    assert customer_of("jane", {"timezone": None}).values == {"timezone": None}
    assert customer_of("jane", {}).values == {}


BAD_CUSTOMERS: list[tuple[dict[str, Any], str]] = [
    ({"attributes": []}, "attributes"),
    ({"attributes": {"age": [1]}}, "attributes.age"),
    ({"attributes": {"age": float("inf")}}, "attributes.age"),
    ({"attributes": {"age": 10**400}}, "attributes.age"),
    ({"attributes": {"age": "x" * 201}}, "attributes.age"),
    ({"attributes": {"a b": 1}}, "attributes.(a name that is none)"),
    ({"attributes": {SECRET: 1}}, "attributes.(a name that is none)"),
    ({"attributes": {"known_at": 1}}, "attributes.known_at"),
    ({"attributes": {"consent_email": True}}, "attributes.consent_email"),
    ({"attributes": {"timezone": "UTC"}}, "attributes.timezone"),
    ({"attributes": {f"a{n}": n for n in range(201)}}, "attributes"),
    ({"consent": True}, "consent"),
    ({"consent": {"email": True}}, "consent.email"),
    ({"consent": {"email": {"offers": 1}}}, "consent.email.offers"),
    ({"consent": {"e mail": {"offers": True}}}, "consent.(a name that is none).offers"),
    ({"timezone": "Mars"}, "timezone"),
    ({"timezone": ["UTC"]}, "timezone"),
    ({"age": "19-24"}, "age"),
    ({SECRET: 1}, "(a name that is none)"),
]


@pytest.mark.parametrize(("sent", "field"), BAD_CUSTOMERS, ids=lambda value: repr(value)[:40])
def test_a_bad_state_is_refused_by_field_with_a_remedy(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(RefusedError) as caught:
        customer_of("jane", sent)
    assert caught.value.field == field
    assert caught.value.remedy
    assert SECRET not in str(caught.value)


def test_a_campaign_keeps_its_contract() -> None:
    sent = {"starts_at": "1970-01-01T00:00:00Z", "ends_at": 5, "cost": 50, "type": None}
    patch = campaign_of("spring", sent)
    assert patch.subject == "spring"
    assert patch.values == {"starts_at": 0, "ends_at": 5, "cost": 50, "type": None}
    for bad, field in (
        ({"cost": -1}, "cost"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"campaign_id": "x"}, "campaign_id"),
        ({"price": 5}, "price"),
    ):
        with pytest.raises(RefusedError) as caught:
            campaign_of("spring", bad)
        assert caught.value.field == field
    with pytest.raises(RefusedError, match="must not be blank"):
        campaign_of(" ", sent)
