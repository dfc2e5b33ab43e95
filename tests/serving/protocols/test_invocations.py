"""MLflow's scoring protocol gives the answers of /v1, for one of many models."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.fakes import SECRET
from tests.serving.protocols.rows import CHURN, VERSION, columns_of, random_rows

CHURN_URL = "/invocations?model=churn"
JSON = {"content-type": "application/json"}
CSV = {"content-type": "text/csv"}
NAME = "order_count_90d"


def of_v1(client: TestClient, rows: list[dict[str, Any]], field: str = "probability") -> list[Any]:
    return [client.post("/v1/scores/churn", json={"features": r}).json()[field] for r in rows]


def predictions(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["predictions"]
    return found


def forms(rows: list[dict[str, Any]]) -> dict[str, Any]:
    names = list(rows[0])
    split = {"columns": names, "index": [9, 8], "data": [list(row.values()) for row in rows]}
    return {
        "dataframe_split": split,
        "dataframe_records": rows,
        "instances": rows,
        "inputs": columns_of(rows),
    }


@pytest.mark.parametrize("form", forms([{}]))
def test_each_form_of_json_is_answered_by_the_probabilities_of_v1(
    served_client: TestClient, form: str
) -> None:
    rows = random_rows(CHURN, 20)
    answer = served_client.post(CHURN_URL, json={form: forms(rows)[form]})
    assert predictions(answer) == of_v1(served_client, rows)
    assert (answer.json()["model"], answer.json()["version"]) == ("churn", VERSION)


def test_a_list_of_records_may_be_the_inputs_and_leave_values_out(
    served_client: TestClient,
) -> None:
    rows = [{NAME: 4}, {"days_since_last_order": 3, NAME: 2}]
    assert predictions(served_client.post(CHURN_URL, json={"inputs": rows})) == of_v1(
        served_client, rows
    )


def test_nan_is_missing(served_client: TestClient) -> None:
    body = json.dumps({"inputs": {NAME: [4, float("nan")], "age": [float("nan"), "65+"]}})
    found = predictions(served_client.post(CHURN_URL, content=body, headers=JSON))
    assert found == of_v1(served_client, [{NAME: 4}, {"age": "65+"}])


def test_csv_is_read_by_the_declared_types(served_client: TestClient) -> None:
    rows = random_rows(CHURN, 30)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)  # None is empty
    found = predictions(served_client.post(CHURN_URL, content=text.getvalue(), headers=CSV))
    assert found == of_v1(served_client, rows)


def test_csv_of_pandas_with_its_index_and_its_nan(served_client: TestClient) -> None:
    text = f'\ufeff,{NAME},age\n0,4.0,\n1,NaN,"65+"\n\n'
    found = predictions(served_client.post(CHURN_URL, content=text.encode(), headers=CSV))
    assert found == of_v1(served_client, [{NAME: 4, "age": None}, {NAME: None, "age": "65+"}])


def test_customers_may_be_given_by_id(served_client: TestClient) -> None:
    rows = [
        {"customer_id": "1001", "campaign_id": "7"},
        {"customer_id": "1002", "campaign_id": "13"},
    ]
    url = "/invocations?model=lead_score"
    text = "customer_id,campaign_id\n1001,7\n1002,13\n"
    expected = [
        served_client.post(
            "/v1/scores/lead_score",
            json={
                "customer_id": row["customer_id"],
                "context": {"campaign_id": row["campaign_id"]},
            },
        ).json()["probability"]
        for row in rows
    ]
    assert predictions(served_client.post(url, json={"instances": rows})) == expected
    assert predictions(served_client.post(url, content=text, headers=CSV)) == expected


def test_a_segment_is_predicted_by_its_id(served_client: TestClient) -> None:
    body = {"instances": [{"customer_id": "1001"}], "params": {"model": "segments"}}
    alone = served_client.post("/v1/scores/segments", json={"customer_id": "1001"}).json()
    assert predictions(served_client.post("/invocations", json=body)) == [alone["segment"]["id"]]


def test_outputs_may_be_asked_for_by_name(served_client: TestClient) -> None:
    rows = random_rows(CHURN, 3)
    params = {"model": "churn", "outputs": ["grade", "margin"]}
    found = predictions(served_client.post("/invocations", json={"inputs": rows, "params": params}))
    grades, margins = (of_v1(served_client, rows, field) for field in ("grade", "margin"))
    assert found == [{"grade": g, "margin": m} for g, m in zip(grades, margins, strict=True)]


def test_the_model_is_named_in_any_of_three_ways_and_in_one(served_client: TestClient) -> None:
    rows = {"instances": [{NAME: 4}]}
    named = rows | {"params": {"model": "churn"}}
    expected = of_v1(served_client, rows["instances"])
    header = {"x-nextbest-model": "churn"}
    assert predictions(served_client.post("/invocations", json=named)) == expected
    assert predictions(served_client.post("/invocations", json=rows, headers=header)) == expected
    assert predictions(served_client.post(CHURN_URL, json=named, headers=header)) == expected
    answer = served_client.post("/invocations?model=ctr", json=named)
    assert (answer.status_code, "Several models" in answer.text) == (422, True)
    answer = served_client.post("/invocations", json=rows)
    assert (answer.status_code, "4 are served" in answer.text) == (422, True)
    assert served_client.post("/invocations?model=chrun", json=rows).status_code == 404


def test_ping_health_and_version_are_there(served_client: TestClient) -> None:
    import mlflow

    assert [served_client.get(path).status_code for path in ("/ping", "/health")] == [200, 200]
    assert served_client.get("/version").text == mlflow.__version__


BAD: dict[str, tuple[Any, str]] = {
    "no rows": ({}, "0 of the fields"),
    "two forms": ({"inputs": {NAME: [1]}, "instances": [{NAME: 1}]}, "2 of the fields"),
    "an empty form": ({"instances": []}, "1 to 10,000 rows"),
    "a list": ([{NAME: 1}], "must be an object"),
    "a split without names": ({"dataframe_split": {"data": [[1]]}}, "dataframe_split.columns"),
    "a name that is a number": ({"dataframe_split": {"columns": [0], "data": [[1]]}}, "text"),
    "a name twice": (
        {"dataframe_split": {"columns": [NAME] * 2, "data": [[1, 2]]}}, "more than once",
    ),
    "a row that is too short": (
        {"dataframe_split": {"columns": [NAME, "age"], "data": [[1, None], [2]]}}, "Row 1 has 1",
    ),
    "arrays without names": ({"inputs": [[1, 2], [3, 4]]}, "without names"),
    "a column that is a number": ({"inputs": {NAME: 1}}, "each a list"),
    "columns of several lengths": ({"inputs": {NAME: [1], "age": []}}, "different numbers"),
    "a text for a number": ({"instances": [{NAME: 1}, {NAME: SECRET}]}, "Row 1"),
    "an unknown feature": ({"instances": [{"order_cuont_90d": 1}]}, "order_count_90d"),
    "an unknown name": ({"instances": [{SECRET: 1}]}, "near none"),
    "an output that is none": (
        {"instances": [{NAME: 1}], "params": {"outputs": [SECRET]}}, "is no output",
    ),
    "too many rows": ({"instances": [{NAME: 1}] * 10_001}, "at most 10000 items"),
    "too many names": (
        {"instances": [{f"n{row}": None} for row in range(1_001)]}, "more than 1,000 names",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "word"), BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_a_problem_without_customer_data(
    served_client: TestClient, body: Any, word: str
) -> None:
    answer = served_client.post(CHURN_URL, content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.text
    assert SECRET not in answer.text


BAD_CSV: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"\n", 422, "empty"),
    "names only": (f"{NAME}\n".encode(), 422, "1 to 10,000 rows"),
    "too many rows": (f"{NAME}\n".encode() + b"1\n" * 10_001, 422, "1 to 10,000 rows"),
    "a row that is too long": (f"{NAME}\n1,2\n".encode(), 422, "Row 0 has 2"),
    "a name twice": (f"{NAME},{NAME}\n1,2\n".encode(), 422, "more than once"),
    "a text for a number": (f"{NAME}\n{SECRET}\n".encode(), 422, "Row 0"),
    "a number of Python's own": (f"{NAME}\n1_000\n".encode(), 422, "Row 0"),
    "half an order": (f"{NAME}\n1.5\n".encode(), 422, "Row 0"),
    "not UTF-8": (b"\xff\xfe\n1\n", 400, "cannot be read"),
    "an open quote": (f'{NAME}\n"1'.encode(), 400, "cannot be read"),
}


@pytest.mark.parametrize(("body", "status", "word"), BAD_CSV.values(), ids=BAD_CSV.keys())
def test_a_bad_csv_is_a_problem_without_customer_data(
    served_client: TestClient, body: bytes, status: int, word: str
) -> None:
    answer = served_client.post(CHURN_URL, content=body, headers=CSV)
    assert answer.status_code == status, answer.text
    assert word in answer.text
    assert SECRET not in answer.text


def test_csv_is_taken_by_invocations_only(served_client: TestClient) -> None:
    for url in ("/v1/scores/churn", "/v2/models/churn/infer", "/v1/events"):
        assert served_client.post(url, content=b"a\n1\n", headers=CSV).status_code == 415
