from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from features.ledger import Ledger
from features.served import Served, ServedStore
from models.catalog import CATALOG
from models.score import Scorer
from models.scores import SqlScoreStore
from serving.app import create_app
from serving.champions.cache import announce
from serving.champions.champions import Champions
from serving.received.live_store import Known
from serving.served.replaying import again
from serving.settings import ServingSettings
from serving.shadows.challengers import ALIAS, Challengers
from serving.shadows.metrics import ShadowMetrics
from serving.shadows.shadowing import Shadows
from tests.serving.fakes import NOW, fake_store, make_bundle

CHURN = "/v1/scores/churn"
ASKED = {"customer_id": "1001"}


def challenge(home: Path, version: str = "2", intercept: float = 0.5) -> Path:
    folder = make_bundle(CATALOG["churn"], intercept).save(home / "cache" / "churn" / version)
    announce(home / "cache", "churn", version, ALIAS)
    return folder


def until(holds: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Return what a condition gives once it holds."""
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


class Service:
    """An application with its log; `line` reads a metric."""

    def __init__(self, client: TestClient, served: ServedStore) -> None:
        self.client, self.served = client, served

    def line(self, name: str) -> float:
        lines = self.client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def logged(self, number: int) -> list[Served]:
        return until(lambda: len(rows := list(self.served.since(0))) >= number and rows) or []

    def model(self) -> dict[str, Any]:
        body: dict[str, Any] = self.client.get("/v1/models/churn").json()
        return body


@pytest.fixture
def serve(home: Path) -> Iterator[Callable[..., Service]]:
    with ExitStack() as held:

        def service(**given: Any) -> Service:
            settings = ServingSettings(
                home=home, **{"watch_seconds": 0.05, "log_served": 1.0, "shadows": "churn"} | given
            )
            scores, served = SqlScoreStore("sqlite://"), ServedStore.open(home)
            ledger = Ledger.open(home, clock=lambda latest: max(NOW, latest))
            for each in (scores, served, ledger):
                held.callback(each.close)
            app = create_app(
                settings, Champions(CATALOG, settings.cache), fake_store(), scores, lambda: NOW,
                ledger, served=served,
            )  # fmt: skip
            client = TestClient(app, base_url="http://127.0.0.1")
            return Service(held.enter_context(client), served)

        yield service


def test_a_shadow_scores_the_same_values_and_is_logged_as_one(
    home: Path, serve: Callable[..., Service]
) -> None:
    challenge(home)
    service = serve()
    answer = service.client.post(CHURN, json=ASKED).json()
    assert answer["version"] == "1"
    rows = {row.version: row for row in service.logged(2)}
    served, shadow = rows["1"], rows["2"]
    assert served.score_id == answer["score_id"] == shadow.shadow_of
    assert served.shadow_of == ""
    assert shadow.score_id != served.score_id
    same = ("values", "customer_id", "as_of", "sequence", "has_events", "context", "catalogue")
    assert [getattr(shadow, name) for name in same] == [getattr(served, name) for name in same]
    bundle = replace(make_bundle(CATALOG["churn"], 0.5))
    bundle = replace(bundle, spec=replace(bundle.spec, version="2"))
    expected = Scorer(bundle).score(list(shadow.values.values()), NOW)
    assert shadow.answer["probability"] == expected.probability != answer["probability"]
    assert again(shadow, bundle) == shadow.answer  # it can be replayed as any score
    assert service.served.find(shadow.score_id) == shadow
    difference = shadow.answer["probability"] - answer["probability"]
    summed = until(lambda: service.line("nextbest_shadow_difference_sum"))
    assert summed == pytest.approx(abs(difference))
    assert service.line('nextbest_shadow_scores_total{model="churn",version="2"}') == 1
    assert service.line("nextbest_scores_total") == 1
    assert service.model()["challenger"]["version"] == "2"


def test_without_shadows_a_challenger_is_neither_loaded_nor_shown(
    home: Path, serve: Callable[..., Service]
) -> None:
    challenge(home)
    service = serve(shadows="")
    assert service.client.post(CHURN, json=ASKED).status_code == 200
    assert "challenger" not in service.model()
    assert "shadow" not in service.client.get("/metrics").text


def test_a_model_without_challenger_has_no_shadow(serve: Callable[..., Service]) -> None:
    service = serve(shadows="all")
    assert service.client.post(CHURN, json=ASKED).status_code == 200
    assert [row.version for row in service.logged(1)] == ["1"]


def test_what_is_not_in_the_sample_is_scored_and_not_logged(
    home: Path, serve: Callable[..., Service]
) -> None:
    challenge(home)
    service = serve(log_served=0.0)
    service.client.post(CHURN, json=ASKED)
    assert until(lambda: service.line("nextbest_shadow_scores_total") == 1)
    assert list(service.served.since(0)) == []


def test_a_broken_challenger_is_refused_visibly_and_changes_nothing(
    home: Path, serve: Callable[..., Service]
) -> None:
    (challenge(home) / "golden.json").write_text("{}")
    service = serve()
    answer = service.client.post(CHURN, json=ASKED)
    assert (answer.status_code, answer.json()["version"]) == (200, "1")
    model = service.model()
    assert model["champion"]["version"] == "1"
    assert model["refused_challenger"]["version"] == "2"
    assert "golden.json" in model["refused_challenger"]["reason"]
    assert "challenger" not in model
    assert service.line("nextbest_challenger_refusals_total") == 1
    assert service.client.get("/health/ready").status_code == 200
    challenge(home, "3")  # the next one heals it
    assert until(lambda: service.model().get("challenger", {}).get("version") == "3")
    assert "refused_challenger" not in service.model()


def shadows_of(home: Path, score: Callable[..., Any], most_waiting: int) -> Any:
    """Shadows whose challenger is a function, and the registry that counts them."""
    registry = CollectorRegistry()
    challengers = Challengers({"churn": CATALOG["churn"]}, home / "cache")
    challenge(home)
    challengers.refresh()
    held = challengers._current["churn"]
    scorer: Any = SimpleNamespace(score=score)
    challengers._current["churn"] = replace(held, scorer=scorer)
    return Shadows(challengers, ShadowMetrics(registry), most_waiting=most_waiting), registry


def put(shadows: Shadows, home: Path, number: int) -> None:
    champion = Champions(CATALOG, home / "cache")
    champion.refresh()
    score = champion.get("churn").scorer.score([None] * len(CATALOG["churn"].features), NOW)
    for _ in range(number):
        shadows.put(Known([]), score, SimpleNamespace(), NOW, False)  # type: ignore[arg-type]


def test_a_shadow_that_is_too_slow_drops_and_counts(home: Path) -> None:
    go_on, entered = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        entered.set()
        go_on.wait(10)
        raise ValueError("not to be believed")

    shadows, registry = shadows_of(home, slow, most_waiting=3)
    shadows.start()
    put(shadows, home, 1)
    assert entered.wait(10)
    put(shadows, home, 5)  # three wait, two are dropped
    assert registry.get_sample_value("nextbest_shadow_dropped_total") == 2
    go_on.set()
    shadows.stop()
    label = {"model": "churn", "version": "2"}
    assert registry.get_sample_value("nextbest_shadow_failures_total", label) == 4
    assert registry.get_sample_value("nextbest_shadow_scores_total", label) is None
