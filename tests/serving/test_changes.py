from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import ScoreRow, SqlScoreStore
from models.trend import Earlier
from tests.serving.fakes import NOW, SECRET


def row(customer: str, probability: float, version: str = "1", **more: Any) -> ScoreRow:
    return ScoreRow(
        "churn", version, customer, f"{customer}@{version}", NOW, NOW, 41,
        probability=probability, margin=probability, percentile=50.0, grade="B", **more,
    )  # fmt: skip


def asked(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get("/v1/scores", params={"model": "churn"} | query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_crm_takes_all_once_and_then_what_changed(
    client: TestClient, scores: SqlScoreStore
) -> None:
    scores.replace("churn", [row(f"c{n}", n / 16) for n in range(9)])
    held: list[str] = []
    body = asked(client, limit=4)
    since = body["next_changed_since"]
    while True:
        assert body["next_changed_since"] == since
        held += [score["customer_id"] for score in body["scores"]]
        if body["next_cursor"] is None:
            break
        # A batch that is written between two pages belongs to the next question.
        scores.replace("churn", [row(f"c{n}", n / 16 if n else 0.5) for n in range(8)])
        body = asked(client, limit=4, cursor=body["next_cursor"])
    assert sorted({*held, "c0", "c8"}) == [f"c{n}" for n in range(9)]
    assert len(held) == len(set(held))
    body = asked(client, changed_since=since)
    told = {score["customer_id"]: score for score in body["scores"]}
    assert {who: score["removed"] for who, score in told.items()} == {"c0": False, "c8": True}
    assert (told["c0"]["probability"], told["c0"]["score"]) == (0.5, 50.0)
    assert told["c8"]["probability"] is None
    assert body["changed_since"] == since < body["next_changed_since"]
    last = asked(client, changed_since=body["next_changed_since"])
    assert (last["scores"], last["next_cursor"]) == ([], None)
    assert last["next_changed_since"] == body["next_changed_since"]


def test_a_change_carries_what_a_crm_shows(client: TestClient, scores: SqlScoreStore) -> None:
    feature = next(f for f in CATALOG["churn"].features if f.dtype == "int")
    reason = {
        "code": feature.name, "words": "as stored", "value": 3, "direction": "raises",
        "effect": 0.1,
    }  # fmt: skip
    moved = row("c1", 0.5, reasons=[reason], earlier=Earlier(0.25, "0", NOW - 1, 0.25))
    scores.replace("churn", [moved])
    (score,) = asked(client, language="ko")["scores"]
    assert (score["grade"], score["percentile"], score["version"]) == ("B", 50.0, "1")
    assert (score["trend"]["direction"], score["abstained"]) == ("up", "")
    assert "확률을" in score["reasons"][0]["words"]
    assert score["as_of"] == "2018-01-01T05:00:00Z"


def test_segments_are_told_too(client: TestClient, scores: SqlScoreStore) -> None:
    scores.replace("segments", [ScoreRow("segments", "1", "c1", "c1", NOW, NOW, 1, segment="rare")])
    (score,) = asked(client, model="segments")["scores"]
    assert (score["segment"], score["probability"], score["trend"]) == ("rare", None, None)


@pytest.mark.parametrize("moment", ["2999-01-01", "2999-01-01T00:00:00Z", "32472144000000000"])
def test_a_moment_is_written_as_people_or_programs_write_it(
    client: TestClient, scores: SqlScoreStore, moment: str
) -> None:
    scores.replace("churn", [row("c1", 0.5)])
    body = asked(client, changed_since=moment)
    assert body["scores"] == []
    assert body["next_changed_since"] == "2999-01-01T00:00:00Z"


REFUSALS: list[tuple[dict[str, Any], int, str, str]] = [
    ({"changed_since": SECRET}, 422, "invalid-request", "next_changed_since"),
    ({"changed_since": "9" * 40}, 422, "invalid-request", "moment"),
    ({"changed_since": "2001-01-01"}, 409, "forgotten", "Leave changed_since out"),
    ({"cursor": SECRET}, 422, "bad-cursor", "next_cursor"),
    ({"cursor": "W10"}, 422, "bad-cursor", "next_cursor"),
    ({"model": "nothing"}, 404, "unknown-model", "churn"),
    ({"model": "ctr"}, 409, "no-scores", "python -m training score"),
    ({"limit": 1_001}, 422, "invalid-request", "at most 1000"),
    ({"changed": "now"}, 422, "invalid-request", "not a field"),
]


@pytest.mark.parametrize(("query", "status", "slug", "word"), REFUSALS)
def test_a_question_that_has_no_answer_is_refused(
    client: TestClient, scores: SqlScoreStore, query: dict[str, Any], status: int, slug: str,
    word: str,
) -> None:  # fmt: skip
    scores.replace("churn", [row("c1", 0.5)])
    answer = client.get("/v1/scores", params={"model": "churn"} | query)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:nextbest:problem:{slug}")
    assert word in answer.text
    assert SECRET not in answer.text


def test_a_cursor_belongs_to_its_question(client: TestClient, scores: SqlScoreStore) -> None:
    scores.replace("churn", [row(f"c{n}", 0.5) for n in range(3)])
    cursor = asked(client, limit=1)["next_cursor"]
    for other in ({"model": "segments"}, {"changed_since": "2999-01-01"}):
        answer = client.get("/v1/scores", params={"model": "churn", "cursor": cursor} | other)
        assert answer.json()["type"] == "urn:nextbest:problem:bad-cursor"
