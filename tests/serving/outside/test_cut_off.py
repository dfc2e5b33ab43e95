"""PostgreSQL and Redis cut off and restored under load; `python -m benchmarks.chaos` has it all."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from benchmarks.chaos.callers import Call, Caller, Load
from benchmarks.chaos.figures import Cut, Figures, figures
from benchmarks.chaos.proxy import Mode, Proxy
from features.errors import UnknownCustomerError
from features.feature import Feature
from features.ledger import Ledger
from features.online import OnlineStore, Reading
from features.redis_shelf import RedisShelf
from models.catalog import CATALOG
from models.scores import SqlScoreStore
from serving.app import create_app
from serving.champions.champions import Champions
from serving.received.live_store import LiveStore
from serving.settings import ServingSettings
from tests.databases import postgres
from tests.features.shelves import empty_store, shelf_in
from tests.serving.fakes import NOW

pytestmark = pytest.mark.services

PATIENCE = 1.0
RECOVERS_WITHIN = 10.0
SCORE = "/v1/scores/churn"
VALUES = {f.name: 3 for f in CATALOG["churn"].features if f.dtype == "int"}


class FarRows:
    """The same values for everybody who is in the store, which is asked each time."""

    def __init__(self, store: OnlineStore, features: Sequence[Feature]) -> None:
        self.store = store
        of_type: dict[str, Any] = {"int": 3, "float": 3.0, "bool": True}
        self.values = [of_type.get(feature.dtype) for feature in features]

    def read(self, customer_id: str, as_of: int, context: Mapping[str, Any]) -> Reading:
        with self.store.history(customer_id) as held:
            if held is None:
                raise UnknownCustomerError("Nothing of them.", remedy="Check the id.")
            return Reading(list(self.values), True, held.sequence)

    def row_of(self, *_: Any) -> list[Any]:
        raise AssertionError


@contextmanager
def listening(app: Any) -> Iterator[int]:
    """An application on a port of its own, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, loop="uvloop", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def proxies() -> Iterator[dict[str, Proxy]]:
    with Proxy(5432) as database, Proxy(6379) as redis:
        yield {"database": database, "redis": redis}


@pytest.fixture(scope="module")
def port(
    tmp_path_factory: pytest.TempPathFactory, first_versions: Path, proxies: dict[str, Proxy]
) -> Iterator[int]:
    """A service with both behind their proxies, and "jane" in its store."""
    with ExitStack() as held:
        url, prefix = held.enter_context(postgres())
        shelf = held.enter_context(shelf_in("redis", tmp_path_factory.mktemp("far")))
        assert isinstance(shelf, RedisShelf)
        empty_store(shelf)
        name = shelf._prefix.decode().rstrip(":")
        at = f"redis://127.0.0.1:{proxies['redis'].port}/9"
        far = RedisShelf(shelf.background, at, name, PATIENCE)
        url = url.replace(":5432", f":{proxies['database'].port}")
        ledger = held.enter_context(closing(Ledger(url, lambda latest: NOW, prefix, PATIENCE)))
        scores = held.enter_context(closing(SqlScoreStore(url, prefix, PATIENCE)))
        store = LiveStore(far.open, far.stamp, FarRows, CATALOG)
        store.open()
        settings = ServingSettings(home=first_versions, watch_seconds=0.2)
        champions = Champions(CATALOG, settings.cache)
        app = create_app(settings, champions, store, scores, lambda: NOW, ledger)
        with listening(app) as port:
            asked(port, "/v1/events", {"events": [event(-1)]})
            yield port
        store.close()


def event(number: int) -> dict[str, Any]:
    return {"event_id": f"e{number}", "customer_id": "jane", "kind": "order", "occurred_at": 5}


def asked(port: int, path: str, body: Any = None) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        headers = {"content-type": "application/json"}
        sent = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, sent, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def cut_off(port: int, proxy: Proxy, mode: Mode, seconds: float) -> dict[str, Figures]:
    """What requests of each kind go through, until nothing has failed for half a second."""
    run = time.time_ns()
    callers = [
        Caller("inline", 50.0, lambda n: Call(SCORE, {"features": VALUES})),
        Caller("by_id", 20.0, lambda n: Call(SCORE, {"customer_id": "jane"})),
        Caller("events", 20.0, lambda n: Call("/v1/events", {"events": [event(run + n)]})),
        Caller("customers", 10.0, lambda n: Call("/v1/customers/jane")),
    ]
    with Load(port, callers):
        time.sleep(0.3)
        began = time.monotonic()
        proxy.become(mode)
        time.sleep(seconds)
        batch = {"rows": [{"customer_id": "jane"}, {"features": VALUES}]}
        status, told = asked(port, f"{SCORE}/batch", batch)
        proxy.become("pass")
        ended = time.monotonic()
        assert status == 200
        assert told["results"][1]["score"]["probability"] > 0
        cut = Cut("it", mode, began, ended)
        while time.monotonic() < ended + RECOVERS_WITHIN + 1.0:
            found = {c.name: figures(c.seen, cut, 0.0, time.monotonic()) for c in callers}
            if time.monotonic() - ended > 0.5 + max(each.recovered for each in found.values()):
                break
            time.sleep(0.05)
    found = {c.name: figures(c.seen, cut, 0.0, time.monotonic()) for c in callers}
    assert found["inline"].failed == 0
    assert found["inline"].answers.keys() == {"200"}
    # A loop that waited for a socket would keep all of them waiting for as long as it does.
    during = [each.seconds for each in callers[0].seen if began <= each.sent < ended]
    assert sorted(during)[len(during) // 2] < PATIENCE / 2
    assert [name for name, each in found.items() if each.silent] == []
    assert max(each.recovered for each in found.values()) < RECOVERS_WITHIN
    return found


@pytest.mark.parametrize(("mode", "seconds"), [("hang", 1.2), ("reset", 0.5)])
def test_without_redis_scores_by_id_are_told_to_come_back_and_the_others_are_given(
    port: int, proxies: dict[str, Proxy], mode: Mode, seconds: float
) -> None:
    found = cut_off(port, proxies["redis"], mode, seconds)
    for name in ("by_id", "customers"):
        assert found[name].answers["503 no-store"] > 0
    assert set(found["events"].answers) <= {"200", "503 not-counted"}
    assert asked(port, SCORE, {"customer_id": "jane"})[0] == 200


@pytest.mark.parametrize(("mode", "seconds"), [("hang", 2.2), ("refuse", 0.5)])
def test_without_the_database_nothing_is_taken_and_customers_lack_what_only_it_has(
    port: int, proxies: dict[str, Proxy], mode: Mode, seconds: float
) -> None:
    found = cut_off(port, proxies["database"], mode, seconds)
    for name in ("by_id", "customers"):
        assert found[name].answers["200"] > found[name].answers.total() / 2
    assert found["events"].answers["503 no-database"] > 0
    assert set(found["events"].answers) <= {"200", "503 no-database", "503 not-written"}
    proxies["database"].become("refuse")
    status, told = asked(port, "/v1/customers/jane")
    proxies["database"].become("pass")
    assert status == 200
    assert {"churn", "lead_score", "ctr"} >= told["not_scored"].keys() >= {"lead_score", "ctr"}
    assert "does not answer" in told["not_scored"]["ctr"]
