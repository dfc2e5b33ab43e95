"""What other protocols ask is in the metrics as what /v1 is asked."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.serving.protocols.rows import VERSION

INFER = "/v2/models/churn/infer"


def test_requests_and_scores_are_counted_as_those_of_v1(served_client: TestClient) -> None:
    def counts() -> dict[str, float]:
        lines = served_client.get("/metrics").text.splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines[1:]
                if line.startswith("nextbest_") and "_created" not in line}  # fmt: skip

    column = {"name": "order_count_90d", "shape": [20], "datatype": "INT64", "data": [4] * 20}
    before = counts()
    served_client.post(INFER, json={"inputs": [column]})
    after = counts()
    score = f'nextbest_scores_total{{model="churn",version="{VERSION}"}}'
    assert after[score] == before.get(score, 0) + 20
    request = 'nextbest_requests_total{method="POST",route="/v2/models/{model}/infer",status="200"}'
    assert after[request] == before.get(request, 0) + 1
