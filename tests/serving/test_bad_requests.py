"""Whatever is wrong with a request, the answer is a problem with a remedy and no customer data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.scores import SqlScoreStore
from tests.serving.fakes import SECRET, opened

JSON = {"content-type": "application/json"}
CHURN = "/v1/scores/churn"
LEAD = "/v1/scores/lead_score"


def post(path: str, **body: Any) -> dict[str, Any]:
    return {"method": "POST", "url": path, "json": body}


def raw(content: bytes, **headers: str) -> dict[str, Any]:
    return {"method": "POST", "url": CHURN, "content": content, "headers": {**JSON, **headers}}


# What is asked, the status, the kind of problem, and a word that its remedy or fields must hold.
BAD: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "unknown customer": (post(CHURN, customer_id=f"not {SECRET}"), 404, "unknown-customer", "id"),
    "unknown model": (post("/v1/scores/chrun", customer_id="1"), 404, "unknown-model", "churn"),
    "unknown path": ({"method": "GET", "url": f"/v2/{SECRET}"}, 404, "unknown-path", "GET /"),
    "wrong method": ({"method": "GET", "url": CHURN}, 405, "method-not-allowed", "POST"),
    "neither customer nor features": (post(CHURN), 422, "invalid-request", "customer_id"),
    "customer and features": (
        post(CHURN, customer_id="1001", features={"order_count_90d": 1}),
        422, "invalid-request", "not both",
    ),
    "customer_id is a number": (post(CHURN, customer_id=1001), 422, "invalid-request", "text"),
    "customer_id is empty": (post(CHURN, customer_id=""), 422, "invalid-request", "customer_id"),
    "customer_id is too long": (
        post(CHURN, customer_id=SECRET * 20), 422, "invalid-request", "200 characters",
    ),
    "explain is text": (
        post(CHURN, customer_id="1001", explain=SECRET), 422, "invalid-request", "whole number",
    ),
    "explain is negative": (
        post(CHURN, customer_id="1001", explain=-1), 422, "invalid-request", "at least 0",
    ),
    "language has no words": (
        post(CHURN, customer_id="1001", language=SECRET), 422, "invalid-request", "'en' or 'ko'",
    ),
    "unknown field": (
        post(CHURN, customer_id="1001", **{SECRET: 1}), 422, "invalid-request", "not a field",
    ),
    "missing context": (post(LEAD, customer_id="1001"), 422, "missing-context", "campaign_id"),
    "null in the context": (
        post(LEAD, customer_id="1001", context={"campaign_id": None}),
        422, "missing-context", "campaign_id",
    ),
    "context is a list": (
        post(LEAD, customer_id="1001", context=[SECRET]), 422, "invalid-request", "an object",
    ),
    "context has the wrong type": (
        post(LEAD, customer_id="1001", context={"campaign_id": 7}),
        422, "invalid-request", "context.campaign_id",
    ),
    "context the model does not take": (
        post(CHURN, customer_id="1001", context={"campaign_id": "7"}),
        422, "invalid-request", "context.campaign_id",
    ),
    "unknown campaign": (
        post(LEAD, customer_id="1001", context={"campaign_id": SECRET}),
        422, "unknown-campaign", "7, 13",
    ),
    "unknown feature": (
        post(CHURN, features={"order_cuont_90d": 3}), 422, "unknown-feature", "order_count_90d",
    ),
    "no features": (post(CHURN, features={}), 422, "invalid-request", "at least one"),
    "a feature is text": (
        post(CHURN, features={"order_count_90d": SECRET}),
        422, "invalid-request", "features.order_count_90d",
    ),
    "a feature is a list": (
        post(CHURN, features={"order_count_90d": [SECRET]}),
        422, "invalid-request", "a whole number",
    ),
    "a count is true": (
        post(CHURN, features={"order_count_90d": True}), 422, "invalid-request", "a whole number",
    ),
    "a count has a fraction": (
        post(CHURN, features={"order_count_90d": 1.5}), 422, "invalid-request", "a whole number",
    ),
    "a count does not fit 64 bits": (
        post(CHURN, features={"order_count_90d": 10**30}), 422, "invalid-request", "whole number",
    ),
    "an ordinal has no such level": (
        post(CHURN, features={"age": SECRET}), 422, "invalid-request", "19-24",
    ),
    "a customer the model is not for": (
        post(CHURN, customer_id="gone"), 422, "outside-population", "features",
    ),
    "malformed JSON": (raw(b'{"customer_id": "%s",}' % SECRET.encode()), 400, "malformed-json", ""),
    "JSON that ends too early": (raw(b'{"customer_id"'), 400, "malformed-json", "JSON object"),
    "not UTF-8": (raw(b'{"customer_id": "\xff\xfe"}'), 400, "malformed-json", "UTF-8"),
    "events that are not UTF-8": (
        {"method": "POST", "url": "/v1/events", "content": b'{"events": "\x80"}', "headers": JSON},
        400, "malformed-json", "UTF-8",
    ),
    "nested too deeply": (raw(b"[" * 9_000 + b"]" * 9_000), 400, "malformed-json", "nested"),
    "a context nested too deeply": (
        raw(b'{"customer_id": "1", "context": {"x": %s}}' % (b"[" * 9_000 + b"]" * 9_000)),
        400, "malformed-json", "nested",
    ),
    "a number with too many digits": (raw(b'{"explain": %s}' % (b"9" * 5_000)), 400,
                                      "malformed-json", "JSON object"),
    "an infinite feature": (
        raw(b'{"features": {"order_count_90d": 1e999}}'), 422, "invalid-request", "whole number",
    ),
    "a feature that is no number": (
        raw(b'{"features": {"order_count_90d": NaN}}'), 422, "invalid-request", "whole number",
    ),
    "no body": ({"method": "POST", "url": CHURN, "headers": JSON}, 422, "invalid-request", "body"),
    "a list as body": (raw(b'["%s"]' % SECRET.encode()), 422, "invalid-request", "an object"),
    "a form": (
        {"method": "POST", "url": CHURN, "data": {"customer_id": SECRET}},
        415, "unsupported-media-type", "application/json",
    ),
    "no content type": (
        {"method": "POST", "url": CHURN, "content": b"{}"}, 415, "unsupported-media-type", "JSON",
    ),
    "a compressed body": (
        raw(b"\x1f\x8b", **{"content-encoding": "gzip"}),
        415, "unsupported-media-type", "Content-Encoding",
    ),
    "a body that is too large": (raw(b" " * 20_001), 413, "body-too-large", "fewer rows"),
    "another host": (
        {"method": "GET", "url": "/", "headers": {"host": "evil.example"}},
        400, "unknown-host", "localhost",
    ),
    "batch without rows": (
        post(f"{CHURN}/batch", rows=[]), 422, "invalid-request", "at least 1 item",
    ),
    "batch with a row of the wrong form": (
        post(f"{CHURN}/batch", rows=[{"customer_id": "1001"}, {"id": SECRET}]),
        422, "invalid-request", "rows[1].id",
    ),
    "customer of the wrong id": (
        {"method": "GET", "url": f"/v1/customers/no-{SECRET}"}, 404, "unknown-customer", "id",
    ),
    "card of an unknown model": (
        {"method": "GET", "url": "/v1/models/nothing/card"}, 404, "unknown-model", "churn",
    ),
    "card in an unknown format": (
        {"method": "GET", "url": "/v1/models/churn/card?format=pdf"},
        422, "invalid-request", "'html' or 'md'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "status", "slug", "word"), BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_a_problem_with_a_remedy_and_without_customer_data(
    shared_client: TestClient, asked: dict[str, Any], status: int, slug: str, word: str
) -> None:
    answer = shared_client.request(**asked)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:nextbest:problem:{slug}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["remedy"]
    assert word in answer.text
    assert SECRET not in answer.text


def test_a_body_that_is_streamed_is_counted_too(shared_client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 1_000

    answer = shared_client.post(CHURN, content=chunks(), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:nextbest:problem:body-too-large"
    assert answer.headers["connection"] == "close"


def test_a_batch_takes_10_000_rows_and_not_one_more(
    first_versions: Path, scores: SqlScoreStore
) -> None:
    with opened(first_versions, scores, max_body_bytes=100_000) as client:
        whole = client.post(f"{CHURN}/batch", json={"rows": [{}] * 10_000})
        more = client.post(f"{CHURN}/batch", json={"rows": [{}] * 10_001})
    assert (whole.status_code, whole.json()["refused"]) == (200, 10_000)
    assert (more.status_code, "10000 items" in more.text) == (422, True)


def test_a_bad_row_of_a_batch_does_not_keep_the_others_from_their_scores(
    shared_client: TestClient,
) -> None:
    rows = [{"customer_id": "1001"}, {"customer_id": f"not {SECRET}"}, {"customer_id": "1002"}]
    answer = shared_client.post(f"{CHURN}/batch", json={"rows": rows})
    body = answer.json()
    assert (answer.status_code, body["scored"], body["refused"]) == (200, 2, 1)
    assert [result["row"] for result in body["results"]] == [0, 1, 2]
    assert body["results"][1]["problem"]["type"] == "urn:nextbest:problem:unknown-customer"
    assert SECRET not in answer.text
