"""What those who run the service see: health, metrics, the first page, OpenAPI, failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import SqlScoreStore
from serving.champions import cache
from serving.champions.champions import Champions
from serving.parts import Parts
from serving.received.live_store import LiveStore
from tests.serving.fakes import SECRET, fake_store, make_bundle, opened, publish


def refresh(client: TestClient) -> None:
    """What the watch does by itself every half second."""
    parts: Parts = client.app.state.parts  # type: ignore[attr-defined]
    parts.watch.look()


def test_the_first_page_tells_where_to_look(shared_client: TestClient) -> None:
    page = shared_client.get("/").json()
    assert "POST /v1/scores/churn" in page["score"]
    for path in ("models", "documentation", "openapi", "metrics"):
        assert shared_client.get(page[path]).status_code == 200


def test_live_and_ready_once_a_champion_and_the_store_are_there(
    shared_client: TestClient,
) -> None:
    assert shared_client.get("/health/live").json() == {"status": "live"}
    ready = shared_client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["champions"] == dict.fromkeys(CATALOG, "1")


def test_not_ready_without_a_champion(tmp_path: Path, scores: SqlScoreStore) -> None:
    with opened(tmp_path, scores) as client:
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert "python -m training all --promote" in answer.json()["remedy"]
        assert client.get("/health/live").status_code == 200
        score = client.post("/v1/scores/churn", json={"customer_id": "1001"})
        assert (score.status_code, score.json()["title"]) == (503, "The model has no champion")
        publish(tmp_path / "cache", CATALOG["churn"], "1")
        refresh(client)
        assert client.get("/health/ready").status_code == 200
        assert client.post("/v1/scores/churn", json={"customer_id": "1001"}).status_code == 200


def test_not_ready_without_a_store(home: Path, scores: SqlScoreStore) -> None:
    def nothing() -> Any:
        raise FileNotFoundError

    store = LiveStore(nothing, lambda: None, fake_store()._make_rows, CATALOG)
    with opened(home, scores, store=store) as client:
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert "python -m features build" in answer.json()["remedy"]


def test_a_refused_bundle_is_shown_and_counted_and_the_old_one_answers(
    client: TestClient, home: Path
) -> None:
    folder = make_bundle(CATALOG["churn"]).save(home / "cache" / "churn" / "2")
    golden = json.loads((folder / "golden.json").read_text())
    golden["answers"]["margin"][0] += 1e-6
    (folder / "golden.json").write_text(json.dumps(golden))
    cache.announce(home / "cache", "churn", "2")
    refresh(client)
    model = client.get("/v1/models/churn").json()
    assert model["champion"]["version"] == "1"
    assert model["refused"]["version"] == "2"
    assert "golden.json" in model["refused"]["reason"]
    assert 'nextbest_champion_refusals_total{model="churn"} 1.0' in client.get("/metrics").text
    score = client.post("/v1/scores/churn", json={"customer_id": "1001"}).json()
    assert score["version"] == "1"


def test_metrics_count_scores_and_requests_by_version_and_route(client: TestClient) -> None:
    client.post("/v1/scores/churn", json={"customer_id": SECRET})
    client.get(f"/v1/customers/{SECRET}")
    client.get("/nowhere")
    text = client.get("/metrics").text
    assert 'nextbest_scores_total{model="churn",version="1"} 2.0' in text
    assert 'route="/v1/customers/{customer_id}",status="200"' in text
    assert 'route="none",status="404"' in text
    assert SECRET not in text


def test_a_failure_nobody_foresaw_is_a_problem_and_its_message_goes_nowhere(
    home: Path, champions: Champions, scores: SqlScoreStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(home, scores, champions) as client:
        scorer: Any = champions.get("churn").scorer

        def fail(*args: Any, **kwargs: Any) -> None:
            raise ZeroDivisionError(SECRET)

        scorer.score = fail
        answer = client.post("/v1/scores/churn", json={"customer_id": "1001"})
        problem = answer.json()
    assert (answer.status_code, problem["type"]) == (500, "urn:nextbest:problem:internal-error")
    said = "".join(capsys.readouterr())
    assert problem["instance"] in said
    assert "ZeroDivisionError" in said
    assert SECRET not in said + answer.text


def test_the_registrys_state_is_shown(home: Path, scores: SqlScoreStore) -> None:
    with opened(home, scores) as client:
        assert client.get("/v1/models").json()["registry"] == {
            "answers": False, "answered_at": None,
        }  # fmt: skip
        cache.tell(home / "cache", 1_514_782_800_000_000, None)
        refresh(client)
        registry = client.get("/v1/models").json()["registry"]
        assert registry == {"answers": False, "answered_at": "2018-01-01T05:00:00Z"}
        cache.tell(home / "cache", 4_000_000_000_000_000, None)
        refresh(client)
        assert client.get("/v1/models").json()["registry"]["answers"]
        assert client.get("/health/ready").json()["registry"] == "answers"


def test_models_say_what_they_take_and_how_good_they_are(shared_client: TestClient) -> None:
    listed = shared_client.get("/v1/models").json()["models"]
    assert [model["model"] for model in listed] == list(CATALOG)
    lead = shared_client.get("/v1/models/lead_score").json()
    assert lead["context"] == {"campaign_id": "text"}
    assert lead["champion"]["metrics"]["auc"]["value"] == 0.7
    assert lead["champion"]["statements"] == ["Consent is assumed."]
    names = [feature["name"] for feature in lead["features"]]
    assert names == list(CATALOG["lead_score"].feature_names)


def test_a_card_is_html_or_markdown_and_runs_nothing(shared_client: TestClient) -> None:
    page = shared_client.get("/v1/models/churn/card")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for asked in (
        shared_client.get("/v1/models/churn/card?format=md"),
        shared_client.get("/v1/models/churn/card", headers={"accept": "text/markdown"}),
    ):
        assert asked.text == "# Card"
        assert asked.headers["content-type"] == "text/markdown; charset=utf-8"


def test_openapi_has_examples_for_every_model_and_no_dangling_reference(
    shared_client: TestClient,
) -> None:
    text = shared_client.get("/openapi.json").text
    document = json.loads(text)
    score = document["paths"]["/v1/scores/{model}"]["post"]
    examples = score["requestBody"]["content"]["application/json"]["examples"]
    assert list(examples) == list(CATALOG)
    assert examples["lead_score"]["value"]["context"] == {"campaign_id": "18"}
    assert "application/problem+json" in score["responses"]["422"]["content"]
    assert "HTTPValidationError" not in text
    known = document["components"]["schemas"]
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= set(known)
    assert {"Score", "SegmentScore", "ProspectsAnswer", "CustomerAnswer"} <= used
