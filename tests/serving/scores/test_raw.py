"""Scores of somebody who is not stored, by the attributes and events that a request carries."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.fakes import NOW, SECRET

CHURN = "/v1/scores/churn"
ORDER = {"kind": "order", "occurred_at": NOW - 5, "amount": 1999, "store": "north"}


def test_events_of_a_request_score_as_those_of_a_customer_do(shared_client: TestClient) -> None:
    stored = shared_client.post(CHURN, json={"customer_id": "1002"}).json()
    raw = shared_client.post(CHURN, json={"events": [ORDER] * 3, "attributes": {"age": "35-44"}})
    assert raw.status_code == 200
    assert raw.json()["probability"] == stored["probability"]
    assert raw.json()["sequence"] is None


def test_somebody_without_events_is_scored_by_a_model_for_everybody(
    shared_client: TestClient,
) -> None:
    asked = {"attributes": {"age": "35-44", "note": None}, "context": {"campaign_id": "7"}}
    answer = shared_client.post("/v1/scores/lead_score", json=asked)
    assert answer.status_code == 200
    assert (
        shared_client.post(CHURN, json={"events": []})
        .json()["type"]
        .endswith(":outside-population")
    )


def test_rows_of_a_batch_may_carry_events(shared_client: TestClient) -> None:
    rows = [{"events": [ORDER]}, {"customer_id": "1001"}, {"events": [{"kind": "order"}]}]
    results = shared_client.post(f"{CHURN}/batch", json={"rows": rows}).json()["results"]
    assert ["score" in result for result in results] == [True, True, False]
    assert results[2]["problem"]["errors"][0]["field"] == "events[0].occurred_at"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"customer_id": "1001", "events": [ORDER]}, None),
        ({"features": {"order_count_90d": 1}, "attributes": {}}, None),
        ({"events": [ORDER, {**ORDER, "amount": SECRET}]}, "events[1].amount"),
        ({"events": [{**ORDER, "occurred_at": SECRET}]}, "events[0].occurred_at"),
        ({"events": [{**ORDER, "customer_id": SECRET}]}, "events[0].customer_id"),
        ({"events": [{**ORDER, "recorded_at": SECRET}]}, "events[0].recorded_at"),
        ({"events": [{**ORDER, SECRET: 1}]}, "events[0].(a name that is none)"),
        ({"events": [SECRET]}, "events[0]"),
        ({"events": {}}, "events"),
        ({"events": [ORDER] * 1_001}, None),
        ({"attributes": {"age": SECRET}}, "attributes.age"),
        ({"attributes": {"age": 5}}, "attributes.age"),
        ({"attributes": {"timezone": SECRET}}, "attributes.timezone"),
        ({"attributes": {SECRET: 1}}, "attributes.(a name that is none)"),
        ({"attributes": {"note": [SECRET]}}, "attributes.note"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_what_cannot_be_read_is_refused_by_field(
    shared_client: TestClient, sent: dict[str, Any], field: str | None
) -> None:
    answer = shared_client.post(CHURN, json=sent)
    assert answer.status_code in (413, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]
    assert SECRET not in answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field
