from __future__ import annotations

from starlette.testclient import TestClient


def test_a_customer_is_scored_with_reasons(client: TestClient) -> None:
    answer = client.post("/v1/scores/churn", json={"customer_id": "1001", "explain": 2})
    print(answer.json())
    assert answer.status_code == 200
