"""A request is answered alike, byte for byte, by the short cut and by FastAPI's route."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from features.ledger import Ledger
from features.score_id import ScoreIds
from models.catalog import CATALOG
from models.score import Scorer
from models.scores import SqlScoreStore
from models.spec import ModelSpec
from serving.app import create_app
from serving.champions.champions import Champion, Champions, load_champion
from serving.scores.hot_route import PREFIX, HotRoute
from serving.settings import ServingSettings
from tests.serving.fakes import CAMPAIGNS, NOW, SECRET, fake_store, publish

JSON = {"content-type": "application/json"}


class OneId(ScoreIds):
    def next(self) -> str:
        return "5" * 26


def at_one_moment(spec: ModelSpec, version: str, folder: Path) -> Champion:
    champion = load_champion(spec, version, folder)
    return replace(champion, scorer=Scorer(champion.bundle, now=lambda: NOW + 5))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, TestClient]]:
    """Two applications that differ in nothing but the short cut."""
    home = tmp_path_factory.mktemp("home")
    for spec in CATALOG.values():
        publish(home / "cache", spec, "1")
    settings = ServingSettings(home=home, max_body_bytes=20_000)
    with ExitStack() as held:
        ledger = Ledger.open(home, clock=lambda latest: max(NOW, latest))
        held.callback(ledger.close)
        scores = SqlScoreStore("sqlite://")
        held.callback(scores.close)

        def client(hot: bool) -> TestClient:
            champions = Champions(CATALOG, settings.cache, at_one_moment)
            app = create_app(
                settings, champions, fake_store(), scores, lambda: NOW, ledger, hot=hot,
                score_ids=OneId(),
            )  # fmt: skip
            return held.enter_context(TestClient(app, base_url="http://127.0.0.1"))

        yield client(True), client(False)


def value_of(feature: Any, rng: random.Random) -> Any:
    numbers = [0, 3, -1, 2.5, 1e-7, 2**53 + 1, 10**30, 2**62, 2**63, -0.0, None, True, "7", 3.0]
    if rng.random() < 0.01:
        return rng.choice([*numbers, "", "x" * 201, [], {}, SECRET])
    if feature.dtype in ("int", "float"):
        return rng.choice([1, 12, 7, 4, None] if feature.dtype == "int" else [0.5, 3, -2.25, None])
    if feature.dtype == "bool":
        return rng.choice([True, False, None])
    return rng.choice([*feature.levels, None] if feature.levels else ["A", "never seen", None])


def request_for(spec: ModelSpec, rng: random.Random) -> dict[str, Any]:
    """Mostly what can be answered, now and then with something wrong."""
    asked: dict[str, Any] = {}
    if rng.random() < 0.6:
        most = rng.choice([0, 1, len(spec.features), len(spec.features)])
        chosen = rng.sample(spec.features, most)
        asked["features"] = {feature.name: value_of(feature, rng) for feature in chosen}
    else:
        asked["customer_id"] = rng.choice(["1001", "1002", "gone", "nobody", SECRET, "", 7, None])
        if spec.context:
            asked["context"] = {
                name: rng.choice([*CAMPAIGNS, "A"]) if kind == "text" else 2.0
                for name, kind in spec.context.items()
            }
    odd = {
        "explain": [0, 3, 50, 51, -1, True, 2.0, "3", None],
        "language": ["en", "ko", "jp", None],
        "context": [{}, {"x": 1}, None, []],
        "customer_id": ["1001"],
        "attributes": [None, {"age": "65+"}],
        "events": [None, []],
        "other": [1],
    }
    for name, values in odd.items():
        if rng.random() < 0.05:
            asked[name] = rng.choice(values)
    return asked


def mutated(body: bytes, rng: random.Random) -> bytes:
    """Return a body with a few bytes cut out, doubled or replaced."""
    changed = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(changed) + 1)
        kind = rng.randrange(3)
        if kind == 0:
            del changed[at : at + rng.randint(1, 4)]
        elif kind == 1:
            changed[at:at] = rng.choice([b"0", b"1e9", b"-", b"\\ud800", b"\xff", b" ", b"NaN"])
        else:
            changed[at : at + 1] = bytes([rng.randrange(256)])
    return bytes(changed)


@pytest.mark.parametrize("model", CATALOG)
def test_both_ways_answer_alike(both: tuple[TestClient, TestClient], model: str) -> None:
    rng = random.Random(model)
    statuses = []
    for number in range(120):
        body = json.dumps(request_for(CATALOG[model], rng)).encode()
        if number % 4 == 3:
            body = mutated(body, rng)
        answers = [client.post(PREFIX + model, content=body, headers=JSON) for client in both]
        hot, plain = ((a.status_code, list(a.headers.items()), a.content) for a in answers)
        assert hot == plain, body
        statuses.append(answers[0].status_code)
    assert statuses.count(200) > 20
    assert len(set(statuses)) > 2


def test_both_ways_count_alike(both: tuple[TestClient, TestClient]) -> None:
    def counted(client: TestClient) -> list[str]:
        lines = client.get("/metrics").text.splitlines()
        wanted = ("nextbest_scores", "nextbest_requests_total", "nextbest_probability_bucket")
        return [line for line in lines if line.startswith(wanted) and "_created" not in line]

    for client in both:
        client.post(f"{PREFIX}churn", json={"customer_id": "1001"})
    assert counted(both[0]) == counted(both[1])
    assert any('route="/v1/scores/{model}",status="200"' in line for line in counted(both[0]))


@pytest.mark.parametrize(
    ("body", "handed_on"),
    [
        (b'{"customer_id": "1001", "explain": 2}', False),
        (b'{"features": {"order_count_90d": 3}}', False),
        (b'{"features": {"order_count_90d": null}}', True),
        (b'{"customer_id": "nobody"}', True),
        (b'{"events": []}', True),
        (b"[", True),
    ],
)
def test_what_is_perfect_is_not_handed_on_and_the_rest_is_as_it_came(
    both: tuple[TestClient, TestClient], body: bytes, handed_on: bool
) -> None:
    seen: list[Any] = []
    sent: list[Any] = []

    async def route(scope: Any, receive: Any, send: Any) -> None:
        seen.append(await receive())

    message = {"type": "http.request", "body": body}

    async def receive() -> Any:
        return message

    async def send(told: Any) -> None:
        sent.append(told)

    app: Any = both[0].app
    hot = HotRoute(route, lambda: app.state.parts)
    scope = {"type": "http", "method": "POST", "path": f"{PREFIX}churn"}
    asyncio.run(hot(scope, receive, send))
    assert seen == ([message] if handed_on else [])
    assert len(sent) == (0 if handed_on else 2)
    assert SimpleNamespace(**scope).path == f"{PREFIX}churn"
