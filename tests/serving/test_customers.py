from __future__ import annotations

from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import ScoreRow, SqlScoreStore
from tests.serving.fakes import NOW

LEAD = ScoreRow(
    "lead_score", "1", "1001", "7/1001", NOW, NOW, 41, probability=0.3, margin=-0.8,
    percentile=80.0, grade="B", context={"campaign_id": "7"},
)  # fmt: skip


def test_a_customer_has_scores_a_segment_and_key_features(
    client: TestClient, scores: SqlScoreStore
) -> None:
    scores.replace("lead_score", [LEAD])
    customer = client.get("/v1/customers/1001?explain=1").json()
    needs_nothing_else = [
        name for name, spec in CATALOG.items() if spec.output == "probability" and not spec.context
    ]
    assert [score["model"] for score in customer["scores"]] == needs_nothing_else
    assert len(customer["scores"][0]["reasons"]) == 1
    assert customer["segment"]["segment"]["name"] == "loyal"
    names = [feature["name"] for feature in customer["key_features"]]
    assert names == list(CATALOG["segments"].feature_names)
    (lead,) = customer["in_context"]
    assert (lead["model"], lead["context"], lead["grade"]) == (
        "lead_score", {"campaign_id": "7"}, "B",
    )  # fmt: skip
    assert customer["statements"] == ["Consent is assumed."]


def test_who_left_long_ago_is_told_why_there_is_no_score(client: TestClient) -> None:
    customer = client.get("/v1/customers/gone").json()
    assert customer["scores"] == []
    assert customer["segment"] is None
    assert "'churn' answers for customers" in customer["not_scored"]["churn"]


def test_words_are_in_the_language_asked_for(client: TestClient) -> None:
    customer = client.get("/v1/customers/1001?language=ko").json()
    assert any("주문" in feature["words"] for feature in customer["key_features"])


def test_only_the_best_of_many_contexts_are_shown(
    client: TestClient, scores: SqlScoreStore
) -> None:
    rows = [
        ScoreRow("ctr", "1", "1001", str(n), NOW, NOW, 41, probability=0.1, margin=float(n),
                 context={"category": str(n)})
        for n in range(30)
    ]  # fmt: skip
    scores.replace("ctr", rows)
    shown = client.get("/v1/customers/1001").json()["in_context"]
    assert [row["context"]["category"] for row in shown] == [str(n) for n in range(29, 19, -1)]
