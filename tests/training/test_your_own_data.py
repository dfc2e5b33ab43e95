"""docs/your-own-data.md, followed to the letter: its files, its TOML, its commands, its calls."""

from __future__ import annotations

import csv
import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from features.__main__ import main as features_main
from features.frame import frame
from features.jit import compiled
from features.log import EventLog
from features.online import OnlineFeatures
from features.shelf import shelf_of
from features.spine import grid
from models.bundle import Bundle
from models.catalog import CATALOG
from models.registry import prepare
from models.score import Scorer
from serving.champions.poller import Poller
from serving.settings import ServingSettings
from serving.starting import make_app, open_ledger, open_store
from tests.own_tables import HEADER, write_leads, write_orders
from training.command import main as training_main
from training.dataset import build, moment
from training.predict import predict

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "your-own-data.md"


def fences(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.S | re.M)
    return [body.replace("\\\n", " ") for body in found]


def commands() -> list[list[str]]:
    lines = [line for body in fences("bash") for line in body.splitlines() if line]
    return [shlex.split(line) for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, machine_code: Path) -> Any:
    """A folder with the page's files, after its commands up to the server."""
    folder = tmp_path_factory.mktemp("own")
    shown = [list(csv.reader(body.splitlines())) for body in fences("text")]
    assert tuple(shown[0][0]) == HEADER
    write_leads(folder / "leads.csv")
    write_orders(folder / "orders.csv")
    write_leads(folder / "new.csv", rows=20, seed=5, first=9_001)
    with (folder / "orders.csv").open() as stream:
        assert next(csv.reader(stream)) == shown[1][0]
    (folder / "company.toml").write_text(fences("toml")[0])
    (folder / ".nextbest").mkdir()
    (folder / ".nextbest" / "numba").symlink_to(machine_code)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("NEXTBEST_HOME", raising=False)
        done = {}
        for words in commands():
            if words[:2] == ["python", "-m"] and words[2] != "serving":
                module = importlib.import_module(f"{words[2]}.__main__")
                done[" ".join(words)] = module.main(words[3:])
        assert done
        assert set(done.values()) == {0}, done
        yield folder


def test_the_page_ingests_what_it_says(folder: Path) -> None:
    log = EventLog.open(folder / ".nextbest")
    assert log.company is not None
    kinds = {each.name: each.kind for each in log.company.attributes}
    assert kinds == {
        "origin": "categorical",
        "visits": "numeric",
        "revenue": "numeric",
        "first_seen": "datetime",
        "zip": "categorical",
    }
    assert log.source.clocks == 2
    assert len(log.spine("lead_score")) == 1_000
    missing = log.stated["visits"].null_count
    assert 50 < missing < 150


def test_the_model_reads_the_table_and_the_orders(folder: Path) -> None:
    names = CATALOG["lead_score"].feature_names
    assert {"origin", "days_since_first_seen", "order_count_90d"} <= set(names)
    assert not {"tags", "converted", "converted_at", "age", "contact_count_90d"} & set(names)
    assert "ctr" not in CATALOG
    assert {"segments", "churn"} <= set(CATALOG)


def test_the_file_of_scores_has_a_row_for_each_row(folder: Path) -> None:
    with (folder / "scores.csv").open(newline="") as stream:
        scores = list(csv.DictReader(stream))
    assert list(scores[0]) == ["key", "probability", "score", "grade", "percentile", "low", "high"]
    assert [row["key"] for row in scores] == [f"L{n}" for n in range(9_001, 9_021)]
    assert all(0 < float(row["probability"]) < 1 for row in scores)
    assert all(0 <= float(row["low"]) < float(row["high"]) <= 1 for row in scores)
    with (folder / "new.csv").open(newline="") as stream:
        origins = [row["origin"] for row in csv.DictReader(stream)]
    chances = [float(row["probability"]) for row in scores]
    of_api = [p for p, origin in zip(chances, origins, strict=True) if origin == "API"]
    others = [p for p, origin in zip(chances, origins, strict=True) if origin != "API"]
    assert min(of_api) > sum(others) / len(others)


def test_the_server_answers_the_pages_calls(folder: Path) -> None:
    settings = ServingSettings()
    Poller(lambda: prepare(settings.home, None), CATALOG, settings.cache).poll()
    store = open_store(settings)
    ledger = open_ledger(settings, store)
    app = make_app(settings, store, ledger)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        calls = [words for words in commands() if words[0] == "curl"]
        assert len(calls) == 2
        for words in calls:
            path = words[2].removeprefix("http://127.0.0.1:8000")
            body = json.loads(words[words.index("-d") + 1])
            answer = client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            assert 0 < answer.json()["probability"] < 1
        wrong = client.post(
            "/v1/scores/lead_score", json={"attributes": {"first_seen": "some day"}}
        )
        assert wrong.status_code == 422
        assert "date" in wrong.json()["detail"]
        listed = {each["model"]: each for each in client.get("/v1/models").json()["models"]}
        assert set(listed) == {"segments", "lead_score", "churn"}
    ledger.close()
    store.close()


def test_a_file_that_lacks_columns_is_refused_with_their_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "short.csv").write_text("lead_id,origin\nL1,API\n")
    assert training_main(["predict", "lead_score", "short.csv", "--out", "no.csv"]) == 2
    said = capsys.readouterr().err
    assert "lacks 4 columns" in said
    assert "'visits', 'revenue', 'first_seen', 'zip'" in said
    assert not (folder / "no.csv").exists()


def test_a_value_that_is_no_number_is_refused_with_its_row(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (folder / "new.csv").read_text().splitlines()
    fields = rows[3].split(",")
    fields[3] = "many"
    rows[3] = ",".join(fields)
    (folder / "wrong.csv").write_text("\n".join(rows))
    assert training_main(["predict", "lead_score", "wrong.csv", "--out", "no.csv"]) == 2
    assert "wrong.csv, row 3, column 'visits': 'many' is no number" in capsys.readouterr().err


def test_a_file_and_the_log_say_the_same_of_the_same_row(folder: Path) -> None:
    log = EventLog.open(folder / ".nextbest")
    spec = CATALOG["lead_score"]
    now = moment(log, None)
    X = build(spec, log, now)
    registry = prepare(folder / ".nextbest", None)
    version = registry.champion("lead_score")
    champion = Bundle.load(registry.download("lead_score", version, folder / "champion"), version)
    expected = Scorer(champion).answers(champion.encoder.transform(X.X)).probability
    found = predict(spec, champion, log, folder / "leads.csv", now)
    chance = {row[0]: row[1] for row in found.rows}
    got = [chance[customer] for customer in X.rows["customer_id"]]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_too_few_answers_say_how_many_are_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = folder / "few"
    few.mkdir()
    (few / "leads.csv").write_text((folder / "leads.csv").read_text().replace(",yes,", ",no,"))
    write_orders(few / "orders.csv", customers=3)
    (few / "company.toml").write_text(fences("toml")[0])
    (few / "home").mkdir()
    (few / "home" / "numba").symlink_to((folder / ".nextbest" / "numba").resolve())
    monkeypatch.setenv("NEXTBEST_HOME", str(few / "home"))
    assert features_main(["ingest", str(few / "company.toml")]) == 0
    assert training_main(["lead_score"]) == 2
    said = capsys.readouterr().err
    assert "0 positives" in said
    assert "40" in said


def test_the_store_a_request_and_the_log_give_the_same_features(folder: Path) -> None:
    home = folder / ".nextbest"
    log = EventLog.open(home)
    spec, now = CATALOG["lead_score"], moment(log, None)
    stated = {row.pop("customer_id"): row for row in log.stated.to_pylist()}
    some = sorted(stated)[:50]
    offline = frame(log, grid(some, [now]), spec.features)
    store = shelf_of(home, "embedded").open()
    online = OnlineFeatures(store, spec.features, compiled(home / "numba"))
    own = len(spec.features) - 5
    for row, customer in enumerate(some):
        expected = [
            None if isinstance(value, float) and np.isnan(value) else value
            for value in offline.iloc[row].tolist()
        ]
        assert online.row(customer, now, {}) == expected
        told = {name: value for name, value in stated[customer].items() if value is not None}
        assert online.row_of(told, [], now, {})[own:] == expected[own:]
    store.close()
