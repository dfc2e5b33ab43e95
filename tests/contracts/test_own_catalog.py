"""A company's own package adds features and models: all that follows from the catalogues does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from features.catalog import CATALOG, Catalog
from features.declare import events
from features.errors import DeclarationError
from features.extension import CatalogError, Extended
from features.feature import Feature
from features.frame import frame
from features.jit import PLAIN
from features.spine import grid
from models.catalog import CATALOG as MODELS
from models.spec import ModelSpec
from tests.small_log import write_small_log

NOW = 1_512_363_600_000_000
DAY = 86_400_000_000
orders = events("order")

SERVED = """
import json
from features.catalog import CATALOG
from features.jit import PLAIN
from features.ledger import Ledger
from features.log import EventLog
from features.materialise import materialise
from features.online import OnlineFeatures
from features.shelf import shelf_of
from features.tiling import Background
from models.catalog import CATALOG as MODELS, spec
from serving.starting import make_app
from serving.received.live_store import LiveStore
from serving.settings import ServingSettings
from starlette.testclient import TestClient
from tests.serving.fakes import publish

settings = ServingSettings()
shelf = shelf_of(settings.home, background=Background(settings.home, CATALOG, lambda home: PLAIN))
materialise(EventLog.open(settings.home), shelf)
publish(settings.cache, spec("reorder"), "1")
rows = lambda opened, features: OnlineFeatures(opened, features, PLAIN)
store = LiveStore(shelf.open, shelf.stamp, rows, MODELS)
store.open()
app = make_app(settings, store, Ledger.open(settings.home))
with TestClient(app, base_url="http://127.0.0.1") as client:
    print(json.dumps({
        "columns": store.store.columns,
        "kinds": store.store.dictionaries["kind"].levels,
        "models": [model["model"] for model in client.get("/v1/models").json()["models"]],
        "names": list(client.get("/openapi.json").json()["paths"]["/v1/scores/{model}"]["post"]
            ["requestBody"]["content"]["application/json"]["examples"]),
        "score": client.post("/v1/scores/reorder", json={"customer_id": "jane"}).status_code,
        "known": store.row(spec("reorder"), "jane", NOW, {}).values,
    }))
""".replace("NOW", str(1_512_363_600_000_000))


def visit(number: int, channel: str, **more: Any) -> dict[str, Any]:
    at = NOW - (number + 1) * DAY
    return {
        "event_id": f"e{number}", "customer_id": "jane", "kind": "visit", "occurred_at": at,
        "channel": channel, **more,
    }  # fmt: skip


@pytest.fixture
def acme(root: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a company whose log lies in a temporary home."""
    events = [visit(0, "app"), visit(1, "web"), visit(2, "app"), visit(3, "web", kind="order")]
    customers = [{"customer_id": "jane", "known_at": NOW - 9 * DAY, "plan": "plus"}]
    write_small_log(tmp_path, events, customers)
    path = os.pathsep.join([str(root / "tests" / "examples"), str(root)])
    own = {"NEXTBEST_CATALOG": "acme.nextbest", "NEXTBEST_HOME": str(tmp_path), "PYTHONPATH": path}
    # The orders are from 2017, and the model is for those who ordered lately.
    return {**os.environ, **own, "NEXTBEST_CLOCK": "data"}


def run(environment: dict[str, str], root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=root, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_the_command_line_of_training_lists_an_own_model(acme: dict[str, str], root: Path) -> None:
    listed = run(acme, root, "-m", "training", "--help").stdout
    assert all(name in listed for name in (*MODELS, "reorder"))


def test_an_own_model_has_its_training_rows(acme: dict[str, str], root: Path) -> None:
    # The log is too short for them, which only somebody who knows the model can say.
    done = run(acme, root, "-m", "training", "dataset", "reorder", "--out", "rows.csv")
    assert done.returncode == 2
    assert "'reorder' is no model" not in done.stderr
    assert done.stderr.startswith("error: ")


def test_own_features_and_models_are_stored_listed_and_served(
    acme: dict[str, str], root: Path
) -> None:
    done = run(acme, root, "-c", SERVED)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert "channel" in told["columns"]
    assert "visit" in told["kinds"]
    assert told["models"] == told["names"] == [*MODELS, "reorder"]
    assert told["score"] == 200
    assert told["known"][:5] == [3, 2, 2 / 3, "plus", 1]


def test_own_features_come_after_those_declared_here(monkeypatch: pytest.MonkeyPatch) -> None:
    visits = events("visit").count(last="30d")
    module = SimpleNamespace(FEATURES=(visits,))
    monkeypatch.setitem(sys.modules, "acme_own", module)  # type: ignore[arg-type]
    monkeypatch.setattr("features.extension.find_spec", lambda name: name)
    monkeypatch.setenv("NEXTBEST_CATALOG", "acme_own")
    catalog = Catalog(list(CATALOG))
    assert list(catalog) == [*CATALOG, visits]
    assert (catalog[-1], catalog.own, len(catalog)) == (visits, (visits,), len(CATALOG) + 1)


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ({"FEATURES": (orders,)}, "acme_own.FEATURES holds Events"),
        ({"FEATURES": orders.count()}, "acme_own.FEATURES holds no tuple"),
        ({"FEATURES": "all"}, "acme_own.FEATURES holds str"),
        ({"FEATURES": (CATALOG[0],)}, f"'{CATALOG[0].name}', which there is already"),
        ({"FEATURES": (orders.count(last="1d"),) * 2}, "which there is already"),
        ({"FEATURES": (orders.count(next="1d"),)}, "which looks ahead"),
        ({"MODELS": (orders.count(),)}, "acme_own.MODELS holds Aggregate"),
        ({"MODELS": (MODELS["churn"],)}, "'churn', which there is already"),
    ],
)
def test_what_a_package_lists_wrongly_is_named(
    listed: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "acme_own", SimpleNamespace(**listed))  # type: ignore[arg-type]
    monkeypatch.setattr("features.extension.find_spec", lambda name: name)
    monkeypatch.setenv("NEXTBEST_CATALOG", "acme_own")
    features, models = Catalog(list(CATALOG)), type(MODELS)(list(MODELS.values()))
    with pytest.raises(CatalogError, match=said):
        print(*features, *models)


def test_a_model_may_only_read_features_that_are_listed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(root / "tests" / "examples"))
    monkeypatch.setenv("NEXTBEST_CATALOG", "acme.nextbest")
    with pytest.raises(CatalogError, match=r"'reorder', which reads visit_count_30d.*List them"):
        list(type(MODELS)(list(MODELS.values())))


@pytest.mark.parametrize("name", ["acme_nowhere", "acme_nowhere.deeper", "..wrong"])
def test_a_package_that_is_not_there_says_where_it_was_looked_for(name: str) -> None:
    none = Extended[ModelSpec]((), "MODELS", ModelSpec, package=lambda: name)
    with pytest.raises(CatalogError, match=r"NEXTBEST_CATALOG names .* PYTHONPATH"):
        none.by_name()


def test_a_mistake_in_the_package_is_one_sentence_on_the_command_line(
    acme: dict[str, str], root: Path
) -> None:
    done = run({**acme, "NEXTBEST_CATALOG": "acme.nowhere"}, root, "-m", "training", "--help")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: NEXTBEST_CATALOG names 'acme.nowhere'")


def test_an_own_feature_that_the_log_cannot_give_is_named(tmp_path: Path) -> None:
    log = write_small_log(tmp_path, [visit(0, "app")])
    own: Feature = events("visit").count(last="30d", colour="red")
    with pytest.raises(DeclarationError, match="reads the column 'colour', which the log does"):
        frame(log, grid(["jane"], [NOW]), [own], engine=PLAIN)
