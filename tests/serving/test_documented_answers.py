"""Answers, right and wrong, are of the status, type and schema that OpenAPI names."""

from __future__ import annotations

import random
import re
from typing import Any

import jsonschema
from starlette.testclient import TestClient

from benchmarks.fuzz.calls import Call, encoded, right_calls
from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.service import fill_scores
from models.catalog import CATALOG
from models.scores import SqlScoreStore
from tests.serving.fakes import NOW

BROKEN = 300


def undocumented(client: TestClient, document: dict[str, Any], call: Call) -> str | None:
    """What of the answer to a call OpenAPI does not say; None for a path that it does not name."""
    headers = {"content-type": "application/json", **call.headers}
    answer = client.request(
        call.method, call.path, content=encoded(call.body), follow_redirects=False,
        headers={name: value.encode("latin-1", "replace") for name, value in headers.items()},
    )  # fmt: skip
    path, status = call.path.partition("?")[0], str(answer.status_code)
    declared = [
        each[call.method.lower()]["responses"]
        for name, each in document["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), path) and call.method.lower() in each
    ]
    # A body that nobody asked for may be of a type that is not taken.
    if not declared or (status == "415" and call.method == "GET"):
        return None
    kind = answer.headers.get("content-type", "").partition(";")[0]
    contents = declared[0].get(status, {}).get("content", {})
    if kind not in contents:
        return f"{status} of type {kind}"
    if "json" not in kind:
        return None
    schema = {**contents[kind]["schema"], "components": document["components"]}
    found = jsonschema.Draft202012Validator(schema).iter_errors(answer.json())
    return next((f"{status}: {error.json_path} {error.message[:200]}" for error in found), None)


def test_each_answer_is_as_openapi_says(client: TestClient, scores: SqlScoreStore) -> None:
    fill_scores(scores, ["1001", "1002"], NOW)
    document = client.get("/openapi.json").json()
    rng = random.Random(7)
    calls = right_calls(CATALOG, ["1001", "1002"])
    broken = [mutated(rng.choice(calls), rng) for _ in range(BROKEN)]
    found = [(call.label, undocumented(client, document, call)) for call in [*calls, *broken]]
    assert [(label, why) for label, why in found if why is not None] == []
