"""POST /v1/events and the PUTs: durable, counted in the very next score, refused by field."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from features.ledger import Ledger
from models.scores import SqlScoreStore
from serving import handlers
from serving.errors import BusyError
from serving.parts import Parts
from tests.serving.fakes import NOW, SECRET, fake_store, opened

Sent = dict[str, Any]


def event(event_id: str, **more: Any) -> Sent:
    return {
        "event_id": event_id, "customer_id": "1001", "kind": "order", "occurred_at": NOW - 5,
    } | more  # fmt: skip


def post(client: TestClient, *events: Any) -> Any:
    return client.post("/v1/events", json={"events": list(events)})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", lambda latest: max(NOW, latest))
    yield opened
    opened.close()


@pytest.fixture
def client(home: Path, scores: SqlScoreStore, ledger: Ledger) -> Iterator[TestClient]:
    with opened(home, scores, store=fake_store(), ledger=ledger) as client:
        yield client


def test_events_are_durable_and_counted_in_the_next_score(
    client: TestClient, ledger: Ledger
) -> None:
    before = client.post("/v1/scores/churn", json={"customer_id": "1001"}).json()
    answer = post(client, event("e1", store="north"), event("e2", amount=5, discount=1))
    assert answer.status_code == 200
    assert answer.json() == {
        "added": 2,
        "repeated": 0,
        "refused": [],
        "sequence": 2,
        "recorded_at": "2018-01-01T05:00:00Z",
    }
    assert [line.content["event_id"] for line in ledger.since(0)] == ["e1", "e2"]
    after = client.post("/v1/scores/churn", json={"customer_id": "1001"}).json()
    assert after["probability"] > before["probability"]


def test_somebody_never_heard_of_is_known_from_the_first_event_on(client: TestClient) -> None:
    asked = {"customer_id": "new"}
    assert client.post("/v1/scores/churn", json=asked).status_code == 404
    assert post(client, event("e1", customer_id="new")).status_code == 200
    assert client.post("/v1/scores/churn", json=asked).status_code == 200


def test_the_same_again_adds_nothing(client: TestClient) -> None:
    post(client, event("e1"))
    again = post(client, event("e1"), event("e2"), event("e2"))
    assert again.status_code == 200
    assert (again.json()["added"], again.json()["repeated"]) == (1, 2)
    assert post(client, event("e1")).json()["sequence"] == 2


def test_the_good_ones_of_a_batch_are_taken_and_the_others_named(
    client: TestClient, ledger: Ledger
) -> None:
    post(client, event("e1", amount=5))
    answer = post(
        client,
        event("e2", amount="12.50"),
        event("e3"),
        event("e1", amount=6),
        SECRET,
        event("e4", **{SECRET: 1}),
        event("e1", amount=5),
    )
    assert answer.status_code == 207
    body = answer.json()
    assert (body["added"], body["repeated"]) == (1, 1)
    assert [(each["index"], each["field"]) for each in body["refused"]] == [
        (0, "amount"), (2, "amount"), (3, "event"), (4, "(a name that is none)"),
    ]  # fmt: skip
    assert all(each["detail"] and each["remedy"] for each in body["refused"])
    assert SECRET not in answer.text
    assert "12.50" not in answer.text
    assert [line.content["event_id"] for line in ledger.since(0)] == ["e1", "e3"]


@pytest.mark.parametrize(
    ("events", "field"),
    [
        ([event("e1", amount=6)], "events[0].amount"),
        ([event("e9", kind=SECRET * 20), event("e1", kind="visit")], "events[0].kind"),
    ],
)
def test_a_batch_of_which_nothing_is_taken_is_a_problem(
    client: TestClient, ledger: Ledger, events: list[Sent], field: str
) -> None:
    post(client, event("e1", amount=5))
    answer = post(client, *events)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:nextbest:problem:nothing-taken"
    assert answer.json()["errors"][0]["field"] == field
    assert len(answer.json()["errors"]) == len(events)
    assert all(error["remedy"] for error in answer.json()["errors"])
    assert SECRET not in answer.text
    assert ledger.last == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 5_000, 400),
        (b'{"events": [1e999]}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"events": []}', 422),
        (b'{"events": {}}', 422),
        (b'{"events": [{}], "more": 1}', 422),
        (b'{"events": [' + b"1," * 1_000 + b"1]}", 422),
        (b'{"events": [' + b" " * 20_000 + b"]}", 413),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(
    client: TestClient, ledger: Ledger, body: bytes, status: int
) -> None:
    sent = client.post("/v1/events", content=body, headers={"content-type": "application/json"})
    assert sent.status_code == status
    assert sent.headers["content-type"] == "application/problem+json"
    assert sent.json()["remedy"]
    assert ledger.last == 0


def test_an_event_may_be_late_but_not_more_than_a_day_ahead(client: TestClient) -> None:
    assert post(client, event("late", occurred_at="1990-01-01T00:00:00Z")).status_code == 200
    assert post(client, event("ahead", occurred_at=8 * 10**15)).status_code == 422


def test_what_is_told_of_a_customer_counts_from_then_on(client: TestClient, ledger: Ledger) -> None:
    state = {"attributes": {"age": "19-24"}, "consent": {"email": {"offers": True}}}
    answer = client.put("/v1/customers/new", json=state)
    assert answer.status_code == 200
    assert answer.json() == {
        "changed": True, "sequence": 1, "known_at": "2018-01-01T05:00:00Z",
    }  # fmt: skip
    assert client.put("/v1/customers/new", json=state).json()["changed"] is False
    assert client.put("/v1/customers/1002", json={"timezone": "Asia/Seoul"}).json()["changed"]
    assert [line.content["attributes"] for line in ledger.since(0)] == [
        {"age": "19-24", "consent_email_offers": 1.0},
        {"age": "65+", "timezone": "Asia/Seoul"},
    ]


def test_what_is_told_of_a_campaign_counts_from_then_on(client: TestClient) -> None:
    asked = {"customer_id": "1001", "context": {"campaign_id": "spring"}}
    assert client.post("/v1/scores/lead_score", json=asked).status_code == 422
    campaign = {"starts_at": "2017-12-01T00:00:00Z", "ends_at": "2018-02-01T00:00:00Z"}
    assert client.put("/v1/campaigns/spring", json=campaign).json()["changed"]
    assert client.post("/v1/scores/lead_score", json=asked).status_code == 200
    assert client.put("/v1/campaigns/spring", json={"cost": 50}).json()["changed"]
    assert client.put("/v1/campaigns/7", json={"cost": 50}).json()["changed"] is False


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("customers/1001", {"attributes": {"age": 5}}, "attributes.age"),
        ("customers/1001", {"attributes": {"note": [SECRET]}}, "attributes.note"),
        ("customers/1001", {"attributes": {SECRET: 1}}, "attributes.(a name that is none)"),
        ("customers/1001", {"consent": {"email": SECRET}}, "consent.email"),
        ("customers/1001", {"timezone": SECRET}, "timezone"),
        ("customers/1001", {"name": SECRET}, "name"),
        ("customers/%20", {}, "customer_id"),
        ("customers/" + "x" * 201, {}, "customer_id"),
        ("customers/1001", [SECRET], "body"),
        ("campaigns/spring", {"starts_at": 5}, "ends_at"),
        ("campaigns/spring", {"starts_at": 5, "ends_at": 5}, "ends_at"),
        ("campaigns/7", {"ends_at": 5}, "ends_at"),
        ("campaigns/7", {"cost": -1}, "cost"),
        ("campaigns/7", {"offer": [SECRET]}, "offer"),
        ("campaigns/7", {"price": SECRET}, "price"),
    ],
)
def test_a_bad_change_is_refused_and_names_its_field(
    client: TestClient, ledger: Ledger, path: str, body: Any, field: str
) -> None:
    answer = client.put(f"/v1/{path}", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["remedy"]
    assert SECRET not in answer.text
    assert ledger.last == 0


def test_a_full_line_says_when_to_come_back(client: TestClient) -> None:
    parts: Parts = client.app.state.parts  # type: ignore[attr-defined]
    parts.commits.stop()
    answer = post(client, event("e1"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "urn:nextbest:problem:busy"
    assert handlers.problems.kind_of(BusyError("", remedy="")).status == 503
    parts.commits.start()
    assert post(client, event("e1")).status_code == 200


def test_many_callers_at_once_lose_nothing(client: TestClient, ledger: Ledger) -> None:
    statuses: list[int] = []

    def call(caller: int) -> None:
        for n in range(10):
            answer = post(client, *(event(f"{caller}-{n}-{k}") for k in range(5)), event("shared"))
            statuses.append(answer.status_code)

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert statuses == [200] * 40
    ids = [line.content["event_id"] for line in ledger.since(0)]
    assert len(ids) == len(set(ids)) == 201
    text = client.get("/metrics").text
    assert "nextbest_ledger_lines_total 201.0" in text


def test_what_another_process_wrote_is_counted_soon(client: TestClient, ledger: Ledger) -> None:
    from features.ledger_entry import Event

    ledger.append([Event("e1", "other", {"kind": "order", "occurred_at": 7})])
    parts: Parts = client.app.state.parts  # type: ignore[attr-defined]
    parts.watch.look()
    assert client.post("/v1/scores/churn", json={"customer_id": "other"}).status_code == 200
