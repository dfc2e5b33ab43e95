"""The real online store behind the real routes: what is told is counted in the very next score."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from features.clock import parse_instant
from features.jit import PLAIN
from features.ledger import Ledger
from features.materialise import materialise
from features.online import OnlineFeatures
from features.shelf import shelf_of
from features.tiling import Background
from models.catalog import CATALOG
from models.scores import SqlScoreStore
from serving.app import create_app
from serving.champions.champions import Champions
from serving.received.live_store import LiveStore
from serving.scores.moments import Moments
from serving.settings import ServingSettings
from tests.serving.fakes import NOW
from tests.small_log import SHOP, write_small_log

FROZEN = replace(SHOP, frozen_at=NOW)
EVENT = {"customer_id": "new", "kind": "order", "amount": 2500, "item": "never heard of"}


@pytest.fixture
def client(home: Path, scores: SqlScoreStore) -> Iterator[TestClient]:
    known = [
        {"customer_id": "a", "kind": "order", "occurred_at": NOW - 10**12 * n, "amount": 100}
        for n in (1, 2)
    ]
    log = write_small_log(home, known, source=FROZEN)
    shelf = shelf_of(home, background=Background(home, kernel=lambda _: PLAIN))
    materialise(log, shelf).close()
    store = LiveStore(
        shelf.open, shelf.stamp, lambda held, judged: OnlineFeatures(held, judged, PLAIN), CATALOG
    )
    store.open()
    moments = Moments("auto", store)
    settings = ServingSettings(home=home)
    with closing(Ledger.open(home, clock=moments.commit)) as ledger:
        champions = Champions(CATALOG, settings.cache)
        app = create_app(settings, champions, store, scores, moments.as_of, ledger)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            yield client


def orders(client: TestClient, customer_id: str) -> Any:
    """The number of orders that the segments' model reads of a customer."""
    found = client.get(f"/v1/customers/{customer_id}").json()
    values = {f["name"]: f["value"] for f in found["key_features"]}
    return next(value for name, value in values.items() if name.startswith("order_count"))


def test_each_event_counts_in_the_very_next_score(client: TestClient) -> None:
    assert orders(client, "a") == 2
    for n in range(3):
        event = EVENT | {"customer_id": "a", "event_id": f"e{n}", "occurred_at": NOW - 5}
        answer = client.post("/v1/events", json={"events": [event, event]}).json()
        assert (answer["added"], answer["repeated"]) == (1, 1)
        assert orders(client, "a") == 3 + n
        score = client.post("/v1/scores/churn", json={"customer_id": "a"}).json()
        assert score["sequence"] == answer["sequence"] == n + 1
        assert parse_instant(score["as_of"]) > parse_instant(answer["recorded_at"])


def test_raw_events_score_as_the_same_events_stored(client: TestClient) -> None:
    events = [
        EVENT | {"event_id": f"e{n}", "occurred_at": NOW - 10**11 * (n + 1)} for n in range(4)
    ]
    raw = [{k: v for k, v in event.items() if k != "customer_id"} for event in events]
    stated = {"attributes": {"age": "35-44"}}
    asked = {"explain": 50}
    unknown = client.post("/v1/scores/churn", json=asked | stated | {"events": raw}).json()
    assert client.post("/v1/events", json={"events": events}).status_code == 200
    assert client.put("/v1/customers/new", json=stated).status_code == 200
    stored = client.post("/v1/scores/churn", json=asked | {"customer_id": "new"}).json()
    assert unknown["probability"] == stored["probability"]
    values = [{r["code"]: r["value"] for r in each["reasons"]} for each in (unknown, stored)]
    assert values[0] == values[1]


def test_a_campaign_counts_at_once(client: TestClient) -> None:
    asked = {"customer_id": "a", "context": {"campaign_id": "spring"}}
    assert client.post("/v1/scores/lead_score", json=asked).status_code == 422
    campaign = {"starts_at": NOW - 10, "ends_at": NOW + 10**12, "type": "Type A"}
    assert client.put("/v1/campaigns/spring", json=campaign).status_code == 200
    assert client.post("/v1/scores/lead_score", json=asked).status_code == 200


def test_an_attribute_keeps_the_type_that_a_model_declares(client: TestClient) -> None:
    answer = client.put("/v1/customers/a", json={"attributes": {"age": 35}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "attributes.age"
