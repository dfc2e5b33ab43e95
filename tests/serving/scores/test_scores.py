from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG

CONTEXTS = {
    "campaign_id": "7", "category": "SOFT DRINKS", "placement": "A", "store": "1",
}  # fmt: skip


@pytest.mark.parametrize("model", CATALOG)
def test_every_model_of_the_catalogue_scores_a_customer(
    shared_client: TestClient, model: str
) -> None:
    context = {name: CONTEXTS[name] for name in CATALOG[model].context}
    answer = shared_client.post(
        f"/v1/scores/{model}", json={"customer_id": "1001", "context": context, "explain": 2}
    )
    score = answer.json()
    assert answer.status_code == 200
    assert (score["model"], score["version"], score["sequence"]) == (model, "1", 41)
    assert score["as_of"] == "2018-01-01T05:00:00Z"


def test_a_probability_carries_the_whole_contract(shared_client: TestClient) -> None:
    score = shared_client.post(
        "/v1/scores/churn", json={"customer_id": "1001", "explain": 2}
    ).json()
    # The fake's margin is -1.0 + 0.5 x 12 / 10.
    assert score["probability"] == pytest.approx(1 / (1 + 2.718281828459045**0.4))
    assert score["score"] == round(100 * score["probability"], 1)
    assert score["interval"]["status"] == score["trend"]["status"] == "not_yet"
    assert score["horizon"] == "28d"
    (reason,) = score["reasons"]
    assert reason["value"] == 12
    assert reason["direction"] == "raises"


def test_an_answer_to_hardly_anything_says_that_it_is_none(shared_client: TestClient) -> None:
    little = {"features": {CATALOG["churn"].feature_names[0]: 4}}
    score = shared_client.post("/v1/scores/churn", json=little).json()
    assert score["abstention"]["status"] == "abstained"
    assert score["abstention"]["rule"] == "outside_training"
    assert score["probability"] > 0
    known = shared_client.post("/v1/scores/churn", json={"customer_id": "1001"}).json()
    assert known["abstention"] == {"status": "answered"}


def test_a_segment_is_named_and_has_no_probability(shared_client: TestClient) -> None:
    score = shared_client.post("/v1/scores/segments", json={"customer_id": "1001"}).json()
    assert score["segment"]["name"] == "loyal"
    assert "probability" not in score


def test_reasons_speak_korean(shared_client: TestClient) -> None:
    body = {"customer_id": "1001", "explain": 1, "language": "ko"}
    (reason,) = shared_client.post("/v1/scores/churn", json=body).json()["reasons"]
    assert "확률을" in reason["words"]


def test_inline_features_equal_the_customer_who_has_them(shared_client: TestClient) -> None:
    first = next(f for f in CATALOG["churn"].features if f.dtype in ("int", "float"))
    given = shared_client.post("/v1/scores/churn", json={"features": {first.name: 12}}).json()
    stored = shared_client.post("/v1/scores/churn", json={"customer_id": "1001"}).json()
    assert given["probability"] == stored["probability"]
    assert given["sequence"] is None
    assert given["data_sufficiency"]["status"] == "partial"


def test_a_batch_answers_each_row_as_it_would_be_answered_alone(
    shared_client: TestClient,
) -> None:
    customers = ["1001", "1002"] * 20
    batch = shared_client.post(
        "/v1/scores/churn/batch",
        json={"rows": [{"customer_id": customer} for customer in customers], "explain": 1},
    ).json()
    alone = {
        customer: shared_client.post(
            "/v1/scores/churn", json={"customer_id": customer, "explain": 1}
        ).json()
        for customer in set(customers)
    }
    assert (batch["model"], batch["version"], batch["scored"]) == ("churn", "1", 40)
    for customer, result in zip(customers, batch["results"], strict=True):
        other = {"scored_at": "", "score_id": ""}
        assert result["score"] | other == alone[customer] | other
