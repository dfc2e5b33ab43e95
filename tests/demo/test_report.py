from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from demo import report

CHAMPION = {
    "version": "3",
    "engine": "LightGBM, 20 trees",
    "metrics": {
        "log_loss": {"value": 0.3, "low": 0.28, "high": 0.32},
        "auc": {"value": 0.8, "low": 0.7, "high": 0.9},
        "brier": {"value": None, "low": None, "high": None},
    },
    "baselines": {
        "constant rate": {"log_loss": {"value": 0.5}},
        "a rule": {"log_loss": {"value": 0.4}, "auc": {"value": 0.6}},
    },
    "decision": {"verdict": "It beats its best baseline, a rule."},
    "segments": [],
}
SEGMENTS = {
    **CHAMPION,
    "engine": "k-means, 1 segments",
    "metrics": {"silhouette": {"value": 0.2, "low": 0.1, "high": 0.3}},
    "baselines": {},
    "decision": {},
    "segments": [{"name": "Loyal [bold]", "share": 0.25, "description": "On average: much."}],
}
MODELS = {
    "models": [
        {"model": "churn", "champion": CHAMPION},
        {"model": "segments", "champion": SEGMENTS},
        {"model": "ctr", "champion": None},
    ]
}
PROSPECTS = {
    "model": "lead_score",
    "campaign": "7",
    "currency": "EUR",
    "value": 500,
    "cost": 50,
    "listed": 2,
    "left_out": {"below_cost": 3, "over_budget": 1},
    "assumptions": ["Consent is assumed."],
    "statements": ["It is made up."],
    "prospects": [
        {
            "rank": 1,
            "customer_id": "[red]1",
            "context": {"campaign_id": "7"},
            "probability": 0.5,
            "expected_net_value": 200,
            "reasons": [{"words": "first"}, {"words": "second"}, {"words": "third"}],
        }
    ],
}


class FakeApi:
    """Answers what it was given, and keeps what it was asked."""

    url = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def get(self, path: str, **query: object) -> Any:
        self.asked.append((path, query))
        return MODELS if path == "/v1/models" else PROSPECTS

    def post(self, path: str, body: object) -> Any:
        self.asked.append((path, body))
        return {"score": 50.0}


def shown() -> tuple[str, FakeApi]:
    """What is printed of the fake's answers, and the fake."""
    api, out = FakeApi(), io.StringIO()
    report.ask_and_show(Console(file=out, width=110), api, ".nextbest")  # type: ignore[arg-type]
    return out.getvalue(), api


def test_each_model_has_its_metrics_intervals_and_best_baseline() -> None:
    lines = shown()[0].splitlines()
    log_loss = next(line for line in lines if "log loss" in line)
    assert log_loss.split() == [
        "churn", "3:", "LightGBM,", "20", "trees", "log", "loss", "0.300", "[0.280,", "0.320]",
        "0.400", "a", "rule",
    ]  # fmt: skip
    assert any("AUC" in line and line.rstrip().endswith("0.600 a rule") for line in lines)
    assert any("silhouette 0.200 [0.100, 0.300]" in line for line in lines)
    assert any(line.split() == ["ctr", "no", "champion"] for line in lines)
    assert "churn: It beats its best baseline, a rule." in lines


def test_the_list_says_why_and_what_is_assumed() -> None:
    text = shown()[0]
    row = next(line for line in text.splitlines() if "50.0%" in line)
    assert row.split() == ["1", "[red]1", "50.0%", "2.00", "first"]
    assert "second" in text
    assert "third" not in text
    assert "2 are worth a contact, 4 are left out" in text
    assert "worth 5.00 EUR" in text
    assert "Consent is assumed." in text
    assert "- It is made up." in text


def test_the_call_is_about_the_best_prospect_and_can_be_pasted() -> None:
    text, api = shown()
    body = {"customer_id": "[red]1", "context": {"campaign_id": "7"}, "explain": 2}
    assert ("/v1/scores/lead_score", body) in api.asked
    assert ("/v1/prospects", {"campaign": "7", "value": 500, "cost": 50, "limit": 10}) in api.asked
    assert "$ curl -s http://127.0.0.1:1/v1/scores/lead_score \\\n" in text
    assert '"score": 50.0' in text


def test_five_parts_are_numbered_and_segments_are_in_words() -> None:
    text = shown()[0]
    assert [f"\n{n}. " in text for n in range(1, 6)] == [True] * 5
    assert " 25%  Loyal [bold]\n       On average: much. " in text
