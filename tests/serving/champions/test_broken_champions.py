"""A broken bundle never answers, whatever is broken; its refusal is shown and counted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from benchmarks.serving.broken import BROKEN
from models.catalog import CATALOG
from serving.champions.cache import announce
from tests.serving.fakes import make_bundle, publish

CHURN = CATALOG["churn"]
SCORE = "/v1/scores/churn"


def version(client: TestClient) -> str:
    answer = client.post(SCORE, json={"customer_id": "1001"})
    assert answer.status_code == 200
    return str(answer.json()["version"])


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_refused_and_the_next_sound_version_answers(
    client: TestClient, home: Path, what: str
) -> None:
    BROKEN[what](make_bundle, CHURN, home / "cache" / "churn" / "2")
    announce(home / "cache", "churn", "2")
    answered = set()
    for _ in range(500):
        answered.add(version(client))
        refused = client.get("/v1/models/churn").json()["refused"]
        if refused is not None:
            break
        time.sleep(0.01)
    assert refused["version"] == "2"
    assert refused["reason"]
    assert client.get("/v1/models/churn").json()["champion"]["version"] == "1"
    assert 'nextbest_champion_refusals_total{model="churn"} 1.0' in client.get("/metrics").text
    publish(home / "cache", CHURN, "3", intercept=1.0)
    for _ in range(500):
        answered.add(version(client))
        if "3" in answered:
            break
        time.sleep(0.01)
    assert answered == {"1", "3"}
    assert client.get("/v1/models/churn").json()["refused"] is None
