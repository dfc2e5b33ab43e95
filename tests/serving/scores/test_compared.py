from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import ScoreRow, SqlScoreStore
from models.trend import Earlier
from serving.champions.champions import Champions
from tests.serving.fakes import NOW, publish

DAY = 86_400_000_000


def stored(
    version: str, as_of: int, probability: float, earlier: Earlier | None = None
) -> ScoreRow:
    return ScoreRow(
        "churn", version, "1001", "1001@then", as_of, as_of, 40, probability=probability,
        margin=0.0, earlier=earlier,
    )  # fmt: skip


def trend_of_churn(client: TestClient, language: str = "en") -> tuple[float, dict[str, Any]]:
    answer = client.get("/v1/customers/1001", params={"language": language}).json()
    (score,) = [score for score in answer["scores"] if score["model"] == "churn"]
    return score["probability"], score["trend"]


def test_a_customer_without_earlier_score_has_no_trend(client: TestClient) -> None:
    _, trend = trend_of_churn(client)
    assert trend == {"status": "not_yet", "why": "There is no earlier score to compare with."}


def test_the_last_batch_is_the_earlier_score(client: TestClient, scores: SqlScoreStore) -> None:
    scores.replace("churn", [stored("1", NOW - 7 * DAY, 0.25)])
    probability, trend = trend_of_churn(client)
    assert trend["change"] == trend["by_customer"] == probability - 0.25
    assert (trend["by_model"], trend["direction"], trend["since"]) == (
        0.0, "up", "2017-12-25T05:00:00Z",
    )  # fmt: skip
    _, korean = trend_of_churn(client, "ko")
    assert korean["why"].startswith("고객의 변화")


def test_the_trend_is_that_of_the_lists_while_nothing_happens(
    client: TestClient, scores: SqlScoreStore
) -> None:
    probability, _ = trend_of_churn(client)
    earlier = Earlier(0.5, "0", NOW - 7 * DAY, 0.375)
    scores.replace("churn", [stored("1", NOW, probability, earlier)])
    _, trend = trend_of_churn(client)
    listed = client.get("/v1/prospects", params={"model": "churn"}).json()["prospects"]
    assert [place["trend"] for place in listed] == [trend]
    assert (trend["by_model"], trend["by_customer"]) == (0.375 - 0.5, probability - 0.375)
    assert (trend["earlier_version"], trend["version"]) == ("0", "1")


def test_after_a_promotion_both_versions_score_the_same_values(
    client: TestClient, scores: SqlScoreStore, champions: Champions, home: Any
) -> None:
    before, _ = trend_of_churn(client)
    scores.replace("churn", [stored("1", NOW - DAY, 0.25)])
    publish(home / "cache", CATALOG["churn"], "2", intercept=0.5)
    champions.refresh()
    probability, trend = trend_of_churn(client)
    assert probability > before
    assert trend["by_model"] == pytest.approx(probability - before, abs=1e-15)
    assert trend["by_customer"] == pytest.approx(before - 0.25, abs=1e-15)
    assert trend["change"] == probability - 0.25
    assert (trend["earlier_version"], trend["version"]) == ("1", "2")


def test_a_version_that_is_not_held_any_more_is_not_guessed_about(
    client: TestClient, scores: SqlScoreStore
) -> None:
    scores.replace("churn", [stored("9", NOW - DAY, 0.25)])
    _, trend = trend_of_churn(client)
    assert set(trend) == {"status", "why"}
    assert "Another version" in trend["why"]


def test_a_stored_score_of_a_later_moment_is_not_compared(
    client: TestClient, scores: SqlScoreStore
) -> None:
    scores.replace("churn", [stored("1", NOW + DAY, 0.25)])
    assert trend_of_churn(client)[1]["status"] == "not_yet"
