from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.encoder import Column, Encoder
from serving.errors import RequestError, TooSlowError
from serving.tables.arriving import Arriving
from serving.tables.columns import encoded
from tests.serving.fakes import SECRET

BATCH = "/v1/scores/churn/batch"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
CHURN = CATALOG["churn"].features
N_ROWS = 60


def made_table(features: Any = CHURN, seed: int = 0) -> pa.Table:
    """Random values of every feature, some missing, texts that were never seen."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {"customer_id": [f"c{row}" for row in range(N_ROWS)]}
    for feature in features:
        number = rng.integers(0, 50, N_ROWS)
        texts = list(feature.levels) or ["A", "B", "never seen"]
        values: list[Any] = {
            "int": number.tolist(),
            "float": rng.normal(size=N_ROWS).tolist(),
            "bool": (number > 25).tolist(),
        }.get(feature.dtype, [texts[i % len(texts)] for i in number])
        missing = rng.random(N_ROWS) < 0.2
        columns[feature.name] = [None if m else v for m, v in zip(missing, values, strict=True)]
    return pa.table(columns)


def as_arrow(table: pa.Table, rows_a_batch: int = 17) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_a_batch)
    return sink.getvalue()


def as_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=23)
    return sink.getvalue()


def post(client: TestClient, body: Any, kind: str = ARROW, url: str = BATCH) -> Any:
    return client.post(url, content=body, headers={"content-type": kind})


def read(answer: Any) -> pa.Table:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == ARROW
    return pa.ipc.open_stream(answer.content).read_all()


@pytest.mark.parametrize(("write", "kind"), [(as_arrow, ARROW), (as_parquet, PARQUET)])
def test_a_table_is_answered_as_its_rows_are_in_json(
    shared_client: TestClient, write: Any, kind: str
) -> None:
    table = made_table()
    answers = read(post(shared_client, write(table), kind))
    assert answers.schema.metadata == {b"model": b"churn", b"version": b"1"}
    assert answers.column("customer_id").to_pylist() == table.column("customer_id").to_pylist()
    for row, answer in zip(
        table.drop(["customer_id"]).to_pylist(), answers.to_pylist(), strict=True
    ):
        alone = shared_client.post("/v1/scores/churn", json={"features": row}).json()
        for name in ("probability", "margin", "percentile", "grade"):
            assert answer[name] == alone[name]
        for name in ("low", "high"):
            assert answer[name] == alone["interval"].get(name)


@pytest.mark.parametrize("model", [m for m, spec in CATALOG.items() if spec.output != "segment"])
@pytest.mark.parametrize("dictionary", [False, True])
def test_columns_are_encoded_to_the_bits_of_the_row_encoder(model: str, dictionary: bool) -> None:
    features = CATALOG[model].features
    table = made_table(features, seed=1)
    columns = [Column(f.name, f.dtype, f.levels or ("A", "B")) for f in features]
    encoder = Encoder(columns)
    batch = table.combine_chunks().to_batches()[0].slice(3)
    if dictionary:
        batch = pa.record_batch(
            [c.dictionary_encode() if pa.types.is_string(c.type) else c for c in batch.columns],
            names=batch.schema.names,
        )
    rows = table.slice(3).select([f.name for f in features]).to_pylist()
    expected = np.array([encoder.encode(list(row.values())) for row in rows])
    assert encoded(batch, features, encoder).tobytes() == expected.tobytes()


def test_nan_and_columns_left_out_are_missing(shared_client: TestClient) -> None:
    number = next(f.name for f in CHURN if f.dtype == "float")
    whole = next(f.name for f in CHURN if f.dtype == "int")
    answers = read(post(shared_client, as_arrow(pa.table({number: [np.nan], whole: [12.0]}))))
    alone = shared_client.post("/v1/scores/churn", json={"features": {whole: 12}}).json()
    assert answers.to_pylist()[0]["margin"] == alone["margin"]
    assert answers.schema.names[0] == "probability"


def test_another_column_is_passed_through_by_its_name(shared_client: TestClient) -> None:
    whole = next(f.name for f in CHURN if f.dtype == "int")
    table = pa.table({"lead": pa.array([7, None], pa.int32()), whole: [1, 2]})
    answers = read(post(shared_client, as_arrow(table), url=f"{BATCH}?id=lead"))
    assert answers.column("lead").equals(table.column("lead"))


def one(dtype: str, values: Any, kind: Any = None) -> bytes:
    name = next(f.name for f in CHURN if f.dtype == dtype)
    return as_arrow(pa.table({name: pa.array(values, kind)}))


BAD: dict[str, tuple[bytes, int, str, str]] = {
    "a text where a number belongs": (one("int", [SECRET]), 422, "invalid-request", "got string"),
    "a moment": (
        one("int", [1], pa.timestamp("us", SECRET)), 422, "invalid-request", "another type",
    ),
    "half an order": (one("int", [1.0, 2.5]), 422, "invalid-request", "whole number in row 1"),
    "an infinite number": (one("float", [0.5, np.inf]), 422, "invalid-request", "in row 1"),
    "a number beyond 64 bits": (one("float", [1e19]), 422, "invalid-request", "in row 0"),
    "an unknown column": (as_arrow(pa.table({"jane doe": [1]})), 422, "unknown-feature", "?id="),
    "no feature": (
        as_arrow(pa.table({"customer_id": [SECRET]})), 422, "invalid-request", "at least",
    ),
    "a column twice": (
        as_arrow(pa.table([[1], [2]], names=[CHURN[0].name] * 2)), 422, "invalid-request", "once",
    ),
    "no table": (SECRET.encode() * 9, 400, "malformed-table", "pyarrow"),
    "an announced length beyond all limits": (
        b"\xff\xff\xff\xff\xff\xff\xff\x7f", 400, "malformed-table", "announces",
    ),
    "a table that breaks off": (as_arrow(made_table())[:-900], 400, "malformed-table", "pyarrow"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "slug", "word"), BAD.values(), ids=BAD.keys())
def test_a_bad_table_is_a_problem_without_customer_data(
    shared_client: TestClient, body: bytes, status: int, slug: str, word: str
) -> None:
    answer = post(shared_client, body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:nextbest:problem:{slug}")
    assert word in answer.text
    assert SECRET not in answer.text
    assert "jane doe" not in answer.text


def test_a_text_that_the_declared_levels_lack_is_refused() -> None:
    feature = next(f for spec in CATALOG.values() for f in spec.features if f.dtype == "ordinal")
    batch = pa.record_batch({feature.name: pa.array([feature.levels[0], SECRET])})
    encoder = Encoder([Column(feature.name, "ordinal", feature.levels)])
    with pytest.raises(RequestError, match="one of") as told:
        encoded(batch, [feature], encoder)
    assert SECRET not in str(told.value)


def test_a_bad_parquet_file_is_a_problem(shared_client: TestClient) -> None:
    answer = post(shared_client, as_parquet(made_table())[:-9], PARQUET)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_parquet_file_whose_names_are_no_text_is_a_problem(shared_client: TestClient) -> None:
    name = CHURN[0].name.encode()
    body = as_parquet(made_table()).replace(name, b"\xff" * len(name))
    answer = post(shared_client, body, PARQUET)
    assert (answer.status_code, answer.json()["type"]) == (
        400, "urn:nextbest:problem:malformed-table",
    )  # fmt: skip


def test_a_table_that_arrives_in_drops_is_the_same_table(shared_client: TestClient) -> None:
    body = as_arrow(made_table())

    def drops() -> Iterator[bytes]:
        for start in range(0, len(body), 101):
            yield body[start : start + 101]

    assert read(post(shared_client, drops())).equals(read(post(shared_client, body)))


def test_tables_are_taken_at_their_path_only(shared_client: TestClient) -> None:
    body = as_arrow(made_table())
    assert post(shared_client, body, url="/v1/scores/churn").status_code == 415
    assert post(shared_client, body, url="/v1/scores/segments/batch").status_code == 422
    assert post(shared_client, body, url="/v1/scores/nothing/batch").status_code == 404


def test_openapi_names_the_tables_beside_json(shared_client: TestClient) -> None:
    document = shared_client.get("/openapi.json").json()
    operation = document["paths"]["/v1/scores/{model}/batch"]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/json", ARROW, PARQUET}
    assert set(operation["responses"]["200"]["content"]) == {"application/json", ARROW}


def test_a_third_table_at_a_time_is_told_to_come_back(client: TestClient) -> None:
    app: Any = client.app
    turns = app.state.parts.table_turns
    body = as_arrow(made_table())
    with turns, turns:
        answer = post(client, body)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert post(client, b"no table").status_code == 400  # and gives its turn back
    assert [post(client, body).status_code for _ in range(3)] == [200] * 3


def test_texts_whose_places_are_none_never_reach_the_encoder(shared_client: TestClient) -> None:
    feature = next(f for f in CHURN if f.dtype == "ordinal")
    words = pa.array(list(feature.levels))
    beyond = pa.DictionaryArray.from_arrays(pa.array([0, 10_000]), words, safe=False)
    answer = post(shared_client, as_arrow(pa.table({feature.name: beyond})))
    assert (answer.status_code, answer.json()["type"]) == (
        400, "urn:nextbest:problem:malformed-table",
    )  # fmt: skip


def test_a_table_that_stops_arriving_is_refused() -> None:
    async def never() -> Any:
        await anyio.sleep_forever()

    async def read() -> None:
        body = Arriving(never, 100, seconds=0.01)
        with pytest.raises(TooSlowError, match=r"within 0\.01 seconds"):
            await anyio.to_thread.run_sync(body.chunk)

    anyio.run(read)
