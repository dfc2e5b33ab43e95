"""What the API served is kept, and computing it again offline gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from features.__main__ import main
from features.embedded_shelf import EmbeddedShelf
from features.jit import PLAIN
from features.ledger import Ledger
from features.log import EventLog
from features.materialise import materialise
from features.online import OnlineFeatures
from features.served import ServedStore
from features.tiling import Background
from models.catalog import CATALOG, spec
from models.scores import SqlScoreStore
from serving.app import create_app
from serving.champions.champions import Champions
from serving.received.live_store import LiveStore
from serving.settings import ServingSettings
from tests.serving.fakes import publish
from tests.small_log import write_small_log

START = 1_700_000_000_000_000
DAY = 86_400_000_000


def order(number: int, day: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number}", "customer_id": "jane", "kind": "order",
        "occurred_at": START + day * DAY, "amount": 100 * number, "quantity": 2, "store": "s1",
    }  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    monkeypatch.setattr("features.frame.compiled", lambda cache: PLAIN)
    write_small_log(tmp_path, [order(number, number) for number in range(9)])
    publish(tmp_path / "cache", spec("churn"), "1")
    return tmp_path


def serve(home: Path, share: float) -> tuple[list[int], str]:
    """Score a customer while her orders arrive; return the answers' codes and the metrics."""
    settings = ServingSettings(home=home, log_served=share)
    ledger, moments = Ledger.open(home, clock=lambda latest: latest), iter(range(10, 30))
    shelf = EmbeddedShelf(Background(home, kernel=lambda home: PLAIN))
    materialise(EventLog.open(home), shelf, ledger).close()
    store = LiveStore(shelf.open, shelf.stamp, lambda s, f: OnlineFeatures(s, f, PLAIN), CATALOG)
    store.open()
    scores, served = SqlScoreStore("sqlite://"), ServedStore.open(home)

    def clock() -> int:
        return START + next(moments) * DAY

    app = create_app(
        settings, Champions(CATALOG, settings.cache), store, scores, clock, ledger, served=served
    )
    with TestClient(app, base_url="http://127.0.0.1") as client:
        codes = []
        for number in range(3):
            codes.append(client.post("/v1/scores/churn", json={"customer_id": "jane"}).status_code)
            event = {**order(20 + number, 9), "amount": 5 * number}
            codes.append(client.post("/v1/events", json={"events": [event]}).status_code)
        rows = [{"customer_id": "jane"}, {"features": {"order_count_90d": 3}}]
        codes.append(client.post("/v1/scores/churn/batch", json={"rows": rows}).status_code)
        metrics = client.get("/metrics").text
    for held in (store, scores, served, ledger):
        held.close()
    return codes, metrics


def test_what_was_served_is_what_is_computed_again(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes, metrics = serve(shop, 1.0)
    assert max(codes) < 300
    assert "nextbest_served_dropped_total 0.0" in metrics
    store = ServedStore.open(shop)
    rows = list(store.since(0))
    store.close()
    assert [row.values["order_count_90d"] for row in rows] == [9, 10, 11, 12, 3]
    assert [row.sequence for row in rows] == [0, 1, 2, 3, None]
    assert main(["consistency"]) == 0
    assert f"0 of {4 * len(spec('churn').features)} values" in capsys.readouterr().out


def test_a_share_of_nothing_keeps_nothing(shop: Path) -> None:
    serve(shop, 0.0)
    store = ServedStore.open(shop)
    assert list(store.since(0)) == []
    store.close()
