"""MLflow's own server of the registered champion, and MLflow's own client: the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.deployments import PredictionsResponse
from mlflow.pyfunc import scoring_server
from mlflow.utils.proto_json_utils import dump_input_data
from starlette.testclient import TestClient

from models.registry import prepare, tracking_uri
from tests.serving.protocols.rows import CHURN, churn_bundle, random_rows

JSON = {"content-type": "application/json"}
CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def mlflow_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """What `mlflow models serve -m models:/churn@champion` runs, without its process."""
    home = tmp_path_factory.mktemp("registry")
    registry = prepare(home)
    folder = churn_bundle().save(home / "bundle")
    run = registry.client.create_run(registry.experiment("churn"))
    version = registry.publish("churn", folder, run.info.run_id, "why")
    registry.promote("churn", version)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tracking_uri(home))
    try:
        model = scoring_server.load_model("models:/churn@champion")
    finally:
        mlflow.set_tracking_uri(before)
    with TestClient(scoring_server.init(model)) as client:
        yield client


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Numbers with gaps become floats, texts keep None: what pandas makes of rows."""
    return pd.DataFrame(random_rows(CHURN, 50, seed=4))


def posted(client: TestClient, url: str, body: Any, headers: dict[str, str]) -> PredictionsResponse:
    answer = client.post(url, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return PredictionsResponse.from_json(answer.text)


def test_mlflow_models_serve_gives_the_same_answers(
    served_client: TestClient, mlflow_client: TestClient, frame: pd.DataFrame
) -> None:
    body = dump_input_data(frame)
    ours = posted(served_client, "/invocations?model=churn", body, JSON)
    theirs = posted(mlflow_client, "/invocations", body, JSON)
    assert len(set(theirs["predictions"])) == len(frame)
    assert ours["predictions"] == theirs["predictions"]


def test_csv_of_a_frame_gives_the_same_answers(
    served_client: TestClient, mlflow_client: TestClient, frame: pd.DataFrame
) -> None:
    ours, theirs = (
        posted(client, url, frame.to_csv(), CSV)["predictions"]
        for client, url in (
            (served_client, "/invocations?model=churn"), (mlflow_client, "/invocations"),
        )
    )  # fmt: skip
    assert ours == theirs


def test_what_mlflow_s_client_sends_and_reads_works(
    served_client: TestClient, frame: pd.DataFrame
) -> None:
    params = {"model": "churn", "outputs": ["probability", "grade"]}
    records = posted(served_client, "/invocations", dump_input_data(frame, params=params), JSON)
    table = records.get_predictions()
    assert list(table) == ["probability", "grade"]
    plain = dump_input_data(frame, params={"model": "churn"})
    numbers = posted(served_client, "/invocations", plain, JSON).get_predictions("ndarray")
    np.testing.assert_array_equal(numbers, table["probability"])
