"""The Open Inference Protocol gives the answers of /v1, and refuses as it does."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.fakes import SECRET
from tests.serving.protocols.rows import CHURN, VERSION, columns_of, random_rows

INFER = "/v2/models/churn/infer"
NAME = "order_count_90d"
DATATYPES = {"int": "INT64", "float": "FP64", "bool": "BOOL"}
OF_V1 = {"low": "interval.low", "high": "interval.high"}


def tensor(name: str, data: list[Any], datatype: str = "INT64", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data} | more


def asked(rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    datatype = {f.name: DATATYPES.get(f.dtype, "BYTES") for f in CHURN}
    columns = columns_of(rows)
    return {"inputs": [tensor(n, data, datatype[n]) for n, data in columns.items()]} | more


def by_name(answer: Any) -> dict[str, list[Any]]:
    assert answer.status_code == 200, answer.text
    outputs = answer.json()["outputs"]
    assert all(output["shape"] == [len(output["data"])] for output in outputs)
    return {output["name"]: output["data"] for output in outputs}


def of_v1(client: TestClient, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """What /v1 says of the same rows, as columns."""
    answers = [client.post("/v1/scores/churn", json={"features": row}).json() for row in rows]
    flat = [answer | answer["interval"] for answer in answers]
    names = ("probability", "score", "margin", "percentile", "grade", "low", "high")
    return {name: [answer[name] for answer in flat] for name in names}


def test_each_number_is_the_one_of_v1(served_client: TestClient) -> None:
    rows = random_rows(CHURN, 40)
    found = by_name(served_client.post(INFER, json=asked(rows)))
    expected = of_v1(served_client, rows)
    assert len(set(expected["probability"])) == 40
    assert len(set(expected["grade"])) > 2
    assert {name: found[name] for name in expected} == expected
    assert set(found) - set(expected) == {"abstains", "score_id"}


def test_a_model_that_knows_nothing_of_a_row_says_that_it_abstains(
    served_client: TestClient,
) -> None:
    rows = [*random_rows(CHURN, 1), dict.fromkeys(feature.name for feature in CHURN)]
    found = by_name(served_client.post(INFER, json=asked(rows)))
    alone = [served_client.post("/v1/scores/churn", json={"features": r}).json() for r in rows]
    said = [answer["abstention"]["status"] == "abstained" for answer in alone]
    assert found["abstains"] == said == [False, True]


def test_customers_are_scored_by_id_in_their_context(served_client: TestClient) -> None:
    inputs = [tensor("customer_id", ["1001", "1002"], "BYTES"),
              tensor("campaign_id", ["7", "13"], "BYTES")]  # fmt: skip
    answer = served_client.post("/v2/models/lead_score/infer", json={"inputs": inputs})
    for at, (customer, campaign) in enumerate((("1001", "7"), ("1002", "13"))):
        body = {"customer_id": customer, "context": {"campaign_id": campaign}}
        alone = served_client.post("/v1/scores/lead_score", json=body).json()
        assert by_name(answer)["margin"][at] == alone["margin"]


def test_a_segment_model_answers_segments(served_client: TestClient) -> None:
    body = {"inputs": [tensor("customer_id", ["1001", "1002"], "BYTES")]}
    found = by_name(served_client.post("/v2/models/segments/infer", json=body))
    for at, customer in enumerate(("1001", "1002")):
        alone = served_client.post("/v1/scores/segments", json={"customer_id": customer}).json()
        assert found["segment"][at] == alone["segment"]["id"]
        assert found["segment_name"][at] == alone["segment"]["name"]
        assert (found["fit"][at], found["distance"][at]) == (alone["fit"], alone["distance"])


def test_outputs_come_as_they_are_asked_for_and_the_id_comes_back(
    served_client: TestClient,
) -> None:
    rows = random_rows(CHURN, 2)
    wanted = [{"name": "grade"}, {"name": "probability"}]
    body = served_client.post(INFER, json=asked(rows, id="42", outputs=wanted)).json()
    assert [output["name"] for output in body["outputs"]] == ["grade", "probability"]
    assert [output["datatype"] for output in body["outputs"]] == ["BYTES", "FP64"]
    assert (body["id"], body["model_name"], body["model_version"]) == ("42", "churn", VERSION)
    assert "id" not in served_client.post(INFER, json=asked(rows)).json()


@pytest.mark.parametrize(
    "data",
    [
        tensor(NAME, [4, None], shape=[2, 1]),
        tensor(NAME, [[4], [None]], shape=[2, 1]),
        tensor(NAME, [4.0, math.nan], "FP64"),
        tensor(NAME, [4, math.nan], "FP32"),
    ],
)
def test_a_column_may_stand_in_lists_of_one_and_be_missing_in_each_way(
    served_client: TestClient, data: dict[str, Any]
) -> None:
    body = json.dumps({"inputs": [data, tensor("days_since_last_order", [2, 3])]})
    headers = {"content-type": "application/json"}
    found = by_name(served_client.post(INFER, content=body, headers=headers))
    rows = [{NAME: 4, "days_since_last_order": 2}, {NAME: None, "days_since_last_order": 3}]
    assert found["margin"] == of_v1(served_client, rows)["margin"]


def test_a_text_that_is_empty_is_missing(served_client: TestClient) -> None:
    inputs = [tensor("age", ["", "65+"], "BYTES"), tensor(NAME, [1, 1])]
    found = by_name(served_client.post(INFER, json={"inputs": inputs}))
    rows = [{"age": None, NAME: 1}, {"age": "65+", NAME: 1}]
    assert found["margin"] == of_v1(served_client, rows)["margin"]


def test_tensors_may_be_binary_on_both_ways(served_client: TestClient) -> None:
    pieces = [struct.pack("<2q", 4, 7), b"\x03\x00\x00\x0065+\x00\x00\x00\x00"]
    parts = [(NAME, "INT64", pieces[0]), ("age", "BYTES", pieces[1])]
    inputs = [
        {"name": name, "shape": [2], "datatype": kind,
         "parameters": {"binary_data_size": len(piece)}}
        for name, kind, piece in parts
    ]  # fmt: skip
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {
        "content-type": "application/octet-stream",
        "inference-header-content-length": str(len(head)),
    }
    answer = served_client.post(INFER, content=head + b"".join(pieces), headers=headers)
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers["inference-header-content-length"])
    outputs = json.loads(answer.content[:length])["outputs"]
    rest, found = answer.content[length:], {}
    for output in outputs:
        size = output["parameters"]["binary_data_size"]
        assert "data" not in output
        found[output["name"]], rest = rest[:size], rest[size:]
    assert rest == b""
    rows = [{NAME: 4, "age": "65+"}, {NAME: 7, "age": None}]
    expected = of_v1(served_client, rows)
    assert found["margin"] == struct.pack("<2d", *expected["margin"])
    grades = b"".join(struct.pack("<I", 1) + grade.encode() for grade in expected["grade"])
    assert found["grade"] == grades


def test_a_binary_output_may_stand_beside_one_in_json(served_client: TestClient) -> None:
    wanted = [{"name": "margin", "parameters": {"binary_data": True}}, {"name": "grade"}]
    answer = served_client.post(INFER, json=asked(random_rows(CHURN, 3), outputs=wanted))
    length = int(answer.headers["inference-header-content-length"])
    margin, grade = json.loads(answer.content[:length])["outputs"]
    assert (margin["parameters"], len(grade["data"])) == ({"binary_data_size": 24}, 3)
    assert len(answer.content) == length + 24


def test_the_metadata_names_inputs_and_outputs(served_client: TestClient) -> None:
    body = served_client.get("/v2/models/churn").json()
    assert body == served_client.get(f"/v2/models/churn/versions/{VERSION}").json()
    assert [each["name"] for each in body["inputs"]] == [feature.name for feature in CHURN]
    assert body["versions"] == [VERSION]
    answered = served_client.post(INFER, json=asked(random_rows(CHURN, 1))).json()["outputs"]
    declared = [(each["name"], each["datatype"]) for each in body["outputs"]]
    assert declared == [(each["name"], each["datatype"]) for each in answered]
    plain = served_client.get("/v2/models/ctr").json()["outputs"]
    assert {each["name"] for each in body["outputs"]} - {each["name"] for each in plain} == {
        "low", "high",
    }  # fmt: skip


def test_health_is_that_of_the_service_and_of_each_model(served_client: TestClient) -> None:
    paths = ("", "/", "/health/live", "/health/ready", "/models/churn/ready",
             f"/models/churn/versions/{VERSION}/ready")  # fmt: skip
    assert [served_client.get("/v2" + path).status_code for path in paths] == [200] * 6
    assert served_client.get("/v2").json()["extensions"] == ["binary_tensor_data"]


def test_another_version_is_none(served_client: TestClient) -> None:
    body = asked(random_rows(CHURN, 1))
    url = f"/v2/models/churn/versions/{VERSION}/infer"
    assert served_client.post(url, json=body).status_code == 200
    for answer in (
        served_client.post("/v2/models/churn/versions/1/infer", json=body),
        served_client.get("/v2/models/churn/versions/1"),
        served_client.get("/v2/models/churn/versions/1/ready"),
    ):
        told = answer.json()
        assert (answer.status_code, told["type"]) == (404, "urn:nextbest:problem:unknown-version")
        assert f"version {VERSION}" in told["remedy"]
        assert told["error"] == f"{told['detail']} {told['remedy']}"


def one(data: list[Any], datatype: str = "INT64", **more: Any) -> dict[str, Any]:
    return {"inputs": [tensor(NAME, data, datatype, **more)]}


BAD: dict[str, tuple[Any, int, str]] = {
    "no body": (None, 422, "must be an object"),
    "no inputs": ({"inputs": []}, 422, "at least 1 item"),
    "no rows": (one([]), 422, "1 to 10,000 rows"),
    "too many rows": (one([1] * 10_001), 422, "at most 10000 items"),
    "columns of several lengths": (
        {"inputs": [tensor(NAME, [1]), tensor("age", ["65+"] * 2, "BYTES")]}, 422, "different",
    ),
    "a shape of another size": (one([1, 2], shape=[3]), 422, "not as many values"),
    "rows of two values": (one([[1, 2]], shape=[1, 2]), 422, "another shape"),
    "rows of several lengths": (one([[1], [2, 3], []], shape=[3, 1]), 422, "another shape"),
    "three dimensions": (one([1], shape=[1, 1, 1]), 422, "at most 2 items"),
    "a datatype that is none": (one([1], "COMPLEX"), 422, "inputs[0].datatype"),
    "a text in a tensor of numbers": (one([SECRET]), 422, "must hold whole numbers"),
    "half a whole number": (one([1.5]), 422, "must hold whole numbers"),
    "a number where a feature has texts": (
        {"inputs": [tensor("age", [7])]}, 422, "Row 0: features.age must be text",
    ),
    "an unknown level": ({"inputs": [tensor("age", [SECRET], "BYTES")]}, 422, "Row 0"),
    "half an order in one row": (one([1, 2.5], "FP64"), 422, "Row 1"),
    "an infinite number": (one([math.inf], "FP64"), 422, "Row 0"),
    "an unknown feature": ({"inputs": [tensor("order_cuont_90d", [1])]}, 422, "order_count_90d"),
    "a tensor twice": ({"inputs": [tensor(NAME, [1])] * 2}, 422, "more than once"),
    "an output that is none": (one([1]) | {"outputs": [{"name": SECRET}]}, 422, "probability"),
    "an output twice": (one([1]) | {"outputs": [{"name": "grade"}] * 2}, 422, "twice"),
    "an id that is a number": (one([1]) | {"id": 7}, 422, "must be text"),
    "an unknown customer": (
        {"inputs": [tensor("customer_id", ["1001", SECRET + "?"], "BYTES")]}, 404, "Row 1",
    ),
    "customers and features": (
        {"inputs": [tensor("customer_id", ["1001"], "BYTES"), tensor(NAME, [1])]}, 422, "not both",
    ),
    "a customer who is missing": (
        {"inputs": [tensor("customer_id", ["1001", ""], "BYTES")]}, 422, "Row 1: customer_id is",
    ),
    "a customer by number": ({"inputs": [tensor("customer_id", [1001])]}, 422, "customer_id must"),
    "binary data that is not there": (
        one([1], parameters={"binary_data_size": 8}), 422, "no binary data",
    ),
    "a size that is none": (one([1], parameters={"binary_data_size": SECRET}), 422, "no binary"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "word"), BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_a_problem_with_the_error_that_clients_read(
    served_client: TestClient, body: Any, status: int, word: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = served_client.post(INFER, content=json.dumps(body), headers=headers)
    told = answer.json()
    assert answer.status_code == status, told
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["error"] == f"{told['detail']} {told['remedy']}"
    assert word in answer.text
    assert SECRET not in answer.text


IN_BINARY = tensor(NAME, [0], parameters={"binary_data_size": 8}) | {"data": None}
HEAD = json.dumps({"inputs": [IN_BINARY]}).encode()
BROKEN: dict[str, tuple[bytes, str]] = {
    "a length beyond the body": (HEAD, "99999"),
    "a length that is no number": (HEAD, "-1"),
    "bytes that are missing": (HEAD + b"\0" * 7, str(len(HEAD))),
    "bytes that are left": (HEAD + b"\0" * 9, str(len(HEAD))),
    "half of the JSON": (HEAD + b"\0" * 8, "20"),
}


@pytest.mark.parametrize(("body", "length"), BROKEN.values(), ids=BROKEN.keys())
def test_binary_data_that_does_not_fit_is_a_problem(
    served_client: TestClient, body: bytes, length: str
) -> None:
    headers = {
        "content-type": "application/octet-stream",
        "inference-header-content-length": length,
    }
    answer = served_client.post(INFER, content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]


def test_octets_are_taken_by_infer_only(served_client: TestClient) -> None:
    headers = {"content-type": "application/octet-stream"}
    for url in ("/v1/scores/churn", "/v2/models/churn", "/invocations", "/v1/events"):
        assert served_client.post(url, content=b"{}", headers=headers).status_code == 415
    for sent in (headers, {}):
        assert served_client.post(INFER, content=b"{}", headers=sent).status_code == 422
