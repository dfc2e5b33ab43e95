"""Broken requests over every route fail nowhere and are told nowhere: `make fuzz`, small."""

from __future__ import annotations

import random
from typing import Any

import pytest
from starlette.testclient import TestClient

from benchmarks.fuzz.calls import Call, right_calls
from benchmarks.fuzz.canaries import traces_in
from benchmarks.fuzz.judge import Judge, listening
from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.service import fill_scores
from models.catalog import CATALOG
from models.scores import SqlScoreStore
from tests.serving.fakes import NOW

SEED = 5
BROKEN = 700


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return right_calls(CATALOG, ["1001", "1002"])


def test_broken_calls_of_every_route_fail_nowhere_and_are_told_nowhere(
    client: TestClient, scores: SqlScoreStore, calls: list[Call]
) -> None:
    fill_scores(scores, ["1001", "1002"], NOW)
    rng = random.Random(SEED)
    with listening() as heard:
        judge = Judge(client)
        for call in calls:
            judge.send(call)
        for _ in range(BROKEN):
            judge.send(mutated(rng.choice(calls), rng))
    assert [str(found) for found in judge.findings] == []
    assert [line for line in heard.getvalue().splitlines() if traces_in(line)] == []
    assert {200, 400, 404, 405, 413, 415, 422} <= judge.statuses.keys()


def test_right_calls_reach_every_documented_route(client: TestClient, calls: list[Call]) -> None:
    app: Any = client.app
    documented = {
        (method.upper(), path) for path, each in app.openapi()["paths"].items() for method in each
    }
    counts = client.get("/metrics").text
    assert counts
    judge = Judge(client)
    for call in calls:
        assert judge.send(call) != 0
    after = client.get("/metrics").text
    reached = {(m, p) for m, p in documented if f'method="{m}",route="{p}"' in after}
    assert documented - reached == set()
