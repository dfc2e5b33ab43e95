from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import ScoreRow, SqlScoreStore
from models.trend import Earlier
from tests.serving.fakes import NOW, SECRET, SHOP, fake_store, opened

FORMULA = "=HYPERLINK(1)"


def row(model: str, customer: str, probability: float, **more: Any) -> ScoreRow:
    return ScoreRow(
        model, "1", customer, f"{customer}@{more.get('context')}", NOW, NOW, 41,
        probability=probability, margin=math.log(probability / (1 - probability)),
        percentile=50.0, grade="B", **more,
    )  # fmt: skip


def reason(model: str) -> dict[str, Any]:
    first = next(f for f in CATALOG[model].features if f.dtype == "int")
    return {
        "code": first.name, "words": "as stored", "value": 3, "direction": "raises", "effect": 0.1,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def filled(scores: SqlScoreStore) -> None:
    """Ten leads of campaign 7 and one of campaign 13; churn of three; segments of two."""
    leads = [
        row("lead_score", f"c{n}", n / 20, context={"campaign_id": "7"},
            reasons=[reason("lead_score")])
        for n in range(1, 10)
    ]  # fmt: skip
    leads.append(row("lead_score", FORMULA, 0.9, context={"campaign_id": "7"}))
    leads.append(row("lead_score", "c1", 0.8, context={"campaign_id": "13"}))
    scores.replace("lead_score", leads)
    scores.replace("churn", [row("churn", f"c{n}", n / 10) for n in range(1, 4)])
    segments = [
        ScoreRow("segments", "1", f"c{n}", f"c{n}", NOW, NOW, 41, segment=name)
        for n, name in ((1, "rare"), (2, "loyal"))
    ]
    scores.replace("segments", segments)


def listed(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get("/v1/prospects", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def customers(body: dict[str, Any]) -> list[str]:
    return [place["customer_id"] for place in body["prospects"]]


def test_prospects_are_ranked_by_expected_net_value(client: TestClient) -> None:
    body = listed(client, campaign="7", value=1_000, cost=100)
    assert customers(body) == [FORMULA, *(f"c{n}" for n in range(9, 1, -1)), ]  # fmt: skip
    assert [place["rank"] for place in body["prospects"]] == list(range(1, 10))
    nets = [place["expected_net_value"] for place in body["prospects"]]
    assert nets == [800, 350, 300, 250, 200, 150, 100, 50, 0]
    assert body["left_out"] == {"below_cost": 1}
    assert body["expected_net_value_of_all"] == sum(nets)
    assert (body["model"], body["currency"], body["cost"]) == ("lead_score", "EUR", 100)
    assert "Consent is assumed: the source records none." in body["assumptions"]
    assert body["statements"] == ["Consent is assumed."]
    words = body["prospects"][1]["reasons"][0]["words"]
    assert words.startswith(CATALOG["lead_score"].features[0].words()[:5])


def test_whom_the_model_abstains_from_is_on_no_list(
    client: TestClient, scores: SqlScoreStore
) -> None:
    unknown = row("churn", "c1", 0.9, abstained="nothing_known")
    scores.replace("churn", [unknown, row("churn", "c2", 0.25)])
    body = listed(client, model="churn")
    assert customers(body) == ["c2"]
    assert body["left_out"] == {"abstained": 1}


def test_a_list_says_how_each_score_moved(client: TestClient, scores: SqlScoreStore) -> None:
    earlier = Earlier(0.25, "0", NOW - 10**6, again=0.125)
    moved = row("lead_score", "c1", 0.5, context={"campaign_id": "7"}, earlier=earlier)
    still = row("lead_score", "c2", 0.25, context={"campaign_id": "7"})
    scores.replace("lead_score", [moved, still])
    first, second = listed(client, campaign="7")["prospects"]
    assert (first["trend"]["direction"], first["trend"]["by_customer"]) == ("up", 0.375)
    assert second["trend"]["status"] == "not_yet"
    sheet = client.get("/v1/prospects", params={"campaign": "7", "format": "csv"}).text
    cells = [
        [line[name] for name in ("trend", "change", "change_by_customer", "change_by_model")]
        for line in csv.DictReader(io.StringIO(sheet))
    ]
    assert cells == [["up", "0.25", "0.375", "-0.125"], ["", "", "", ""]]


def test_the_campaigns_own_cost_counts_where_none_is_given(client: TestClient) -> None:
    assert listed(client, campaign="7", value=1_000)["cost"] == 50


def test_without_a_value_the_list_is_ordered_by_probability(client: TestClient) -> None:
    body = listed(client, campaign="7", limit=3)
    assert customers(body) == [FORMULA, "c9", "c8"]
    assert body["prospects"][0]["expected_net_value"] is None
    assert any("ordered by probability" in said for said in body["assumptions"])


def test_a_customer_stands_on_a_list_once_with_the_best_row(client: TestClient) -> None:
    body = listed(client, value=1_000)
    assert body["listed"] == 10
    (first,) = [place for place in body["prospects"] if place["customer_id"] == "c1"]
    assert (first["probability"], first["context"]) == (0.8, {"campaign_id": "13"})


def test_pages_together_are_the_list(client: TestClient) -> None:
    whole = customers(listed(client, campaign="7", value=1_000, cost=0))
    pages: list[str] = []
    query: dict[str, Any] = {"campaign": "7", "value": 1_000, "cost": 0, "limit": 4}
    while True:
        body = listed(client, **query)
        pages += customers(body)
        if body["next_cursor"] is None:
            break
        query["cursor"] = body["next_cursor"]
    assert pages == whole
    assert len(whole) == 10


def test_filters_by_segment_and_probability(client: TestClient) -> None:
    assert customers(listed(client, campaign="7", segment="loyal")) == ["c2"]
    assert customers(listed(client, campaign="7", min_probability=0.44)) == [FORMULA, "c9"]


def test_a_model_of_a_loss_needs_a_save_rate_and_prints_it(client: TestClient) -> None:
    body = listed(client, model="churn", value=1_000, cost=10, save_rate=0.5)
    assert [place["expected_net_value"] for place in body["prospects"]] == [140, 90, 40]
    assert "A save rate of 0.5 is assumed, not measured." in body["assumptions"]


def test_reasons_are_in_the_language_asked_for(client: TestClient) -> None:
    body = listed(client, campaign="7", language="ko")
    assert "확률을" in body["prospects"][1]["reasons"][0]["words"]


@pytest.mark.parametrize("how", [{"accept": "text/csv"}, {}])
def test_a_sheet_has_no_formula_and_says_what_is_assumed(
    client: TestClient, how: dict[str, str]
) -> None:
    query = {"campaign": "7", "value": 1_000, "limit": 2} | ({} if how else {"format": "csv"})
    answer = client.get("/v1/prospects", params=query, headers=how)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["customer_id"] for line in rows] == [f"'{FORMULA}", "c9"]
    assert rows[0]["expected_net_value_EUR"] == "8.5"
    assert {line["consent"] for line in rows} == {"assumed"}
    assert rows[1]["campaign_id"] == "7"
    assert rows[1]["reasons"]
    following = answer.headers["link"].split(">")[0].removeprefix("<")
    rest = list(csv.DictReader(io.StringIO(client.get(following, headers=how).text)))
    assert [line["customer_id"] for line in rest] == ["c8", "c7"]


REFUSALS: list[tuple[dict[str, Any], int, str, str]] = [
    ({"campaign": "9"}, 422, "unknown-campaign", "7, 13"),
    ({"campaign": SECRET}, 422, "unknown-campaign", "7, 13"),
    ({"model": "nothing"}, 404, "unknown-model", "churn"),
    ({"model": "segments"}, 422, "wrong-output", "lead_score"),
    ({"model": "churn", "campaign": "7"}, 422, "invalid-request", "campaign"),
    ({"model": "churn", "value": 100}, 422, "bad-assumptions", "save_rate"),
    ({"value": 100, "save_rate": 0.5}, 422, "bad-assumptions", "save_rate"),
    ({"cost": 100}, 422, "invalid-request", "value="),
    ({"segment": SECRET}, 422, "invalid-request", "loyal"),
    ({"min_probability": 1.5}, 422, "invalid-request", "at most 1"),
    ({"limit": 0}, 422, "invalid-request", "at least 1"),
    ({"limit": SECRET}, 422, "invalid-request", "whole number"),
    ({"min_probabilty": 0.5}, 422, "invalid-request", "not a field"),
    ({"cursor": SECRET}, 422, "bad-cursor", "next_cursor"),
    ({"format": "xlsx"}, 422, "invalid-request", "'json' or 'csv'"),
    ({"model": "ctr"}, 409, "no-scores", "python -m training score"),
]


@pytest.mark.parametrize(("query", "status", "slug", "word"), REFUSALS)
def test_a_list_that_has_no_meaning_is_refused(
    client: TestClient, query: dict[str, Any], status: int, slug: str, word: str
) -> None:
    answer = client.get("/v1/prospects", params=query)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:nextbest:problem:{slug}")
    assert word in answer.text
    assert answer.json()["remedy"]
    assert SECRET not in answer.text


def test_a_cursor_belongs_to_its_question_and_to_its_batch(
    client: TestClient, scores: SqlScoreStore
) -> None:
    cursor = listed(client, campaign="7", limit=2)["next_cursor"]
    other = client.get("/v1/prospects", params={"campaign": "13", "cursor": cursor})
    assert other.json()["type"] == "urn:nextbest:problem:bad-cursor"
    newer = ScoreRow(
        "lead_score", "2", "c1", "c1", NOW, NOW + 1, 42, probability=0.5, margin=0.0,
        context={"campaign_id": "7"},
    )  # fmt: skip
    scores.replace("lead_score", [newer])
    stale = client.get("/v1/prospects", params={"campaign": "7", "limit": 2, "cursor": cursor})
    assert (stale.status_code, stale.json()["title"]) == (409, "The list has changed")
    assert listed(client, campaign="7")["version"] == "2"


def test_a_source_that_records_consent_lists_nobody_until_it_is_read(
    first_versions: Path, scores: SqlScoreStore
) -> None:
    recorded = fake_store(replace(SHOP, consent="recorded"))
    with opened(first_versions, scores, store=recorded) as client:
        body = listed(client, campaign="7")
    assert body["prospects"] == []
    assert body["left_out"] == {"no_consent": 10}
    assert any("nobody is listed" in said for said in body["assumptions"])
