"""Every route without a key, with a wrong key and with a wrong scope: refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import SqlScoreStore
from serving.access.audit import Audit
from serving.access.keys import SCOPES, make
from serving.access.needs import NEEDS, OPEN, scopes_for
from serving.access.opened import Access
from serving.access.rates import Rates
from serving.access.ring import Ring, wall
from serving.access.store import AccessStore
from serving.app import create_app
from serving.champions.champions import Champions
from serving.settings import ServingSettings
from tests.serving.fakes import SECRET, fake_store, opened

DAY = 86_400_000_000
Made = Callable[..., str]


def access_of(store: AccessStore) -> Access:
    return Access(store, Ring(store), Rates(), Audit(store))


def calls_of(app: Any) -> list[tuple[str, str]]:
    """Method and path of whatever an application's own route table answers."""
    found = set()
    for route in app.routes:
        included = getattr(route, "original_router", None)
        for each in [route] if included is None else included.routes:
            path = re.sub(r"\{\w+\}", "churn", each.path)
            found |= {(method, path) for method in each.methods}
    return sorted(found)


def route_table() -> list[tuple[str, str]]:
    """The calls of an application that nobody starts."""
    nothing: Any = None
    champions = Champions(CATALOG, Path())
    app = create_app(ServingSettings(), champions, fake_store(), nothing, wall, nothing)
    calls = calls_of(app)
    documented = {
        (method.upper(), path.replace("{model}", "churn"))
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    assert {re.sub(r"\{\w+\}", "churn", path) for _, path in documented} <= {p for _, p in calls}
    return calls


CALLS = route_table()
CLOSED = [call for call in CALLS if scopes_for(*call) is not None]


@pytest.fixture(scope="module")
def access() -> Iterator[Access]:
    store = AccessStore("sqlite://")
    yield access_of(store)
    store.close()


@pytest.fixture(scope="module")
def token_of(access: Access) -> Made:
    """Makes keys that the service knows at once."""

    def made(*scopes: str, now: int | None = None, **given: Any) -> str:
        key, token = make("a caller", scopes, wall() if now is None else now, **given)
        access.store.create(key, "test")
        access.ring.refresh()
        return token

    return made


@pytest.fixture(scope="module")
def keyed(
    first_versions: Path,
    tmp_path_factory: pytest.TempPathFactory,
    access: Access,
    token_of: Made,
) -> Iterator[TestClient]:
    """A service with a key, in a home of its own: what is let in may change it."""
    token_of("admin")
    home = tmp_path_factory.mktemp("keyed")
    shutil.copytree(first_versions, home, dirs_exist_ok=True)
    scores = SqlScoreStore("sqlite://")
    with opened(home, scores, access=access) as client:
        yield client
    scores.close()


def call(client: TestClient, method: str, path: str, token: str | None = None, **more: Any) -> Any:
    headers = {"content-type": "application/json"} | more.pop("headers", {})
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    content = more.pop("content", b"{}" if method in ("POST", "PUT") else None)
    return client.request(method, path, headers=headers, content=content)


def test_the_table_of_routes_is_whole_and_each_of_v1_is_closed() -> None:
    assert ("POST", "/v1/scores/churn/batch") in CLOSED
    assert {path for _, path in CALLS if path.startswith("/v1")} == {
        path for _, path in CLOSED if path.startswith("/v1")
    }
    assert {path for _, path in CALLS} - {path for _, path in CLOSED} == OPEN


def test_each_route_that_a_key_opens_is_named_by_the_table_of_scopes() -> None:
    roots = {(method, "/".join(path.split("/")[:3])) for method, path in CLOSED}
    assert {(m, root) for m, root in roots if m != "HEAD"} - {("GET", "/metrics")} == set(NEEDS)


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_route_without_a_key_is_refused(keyed: TestClient, method: str, path: str) -> None:
    answer = call(keyed, method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="nextbest"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:nextbest:problem:missing-key"
    assert "python -m serving keys create" in answer.json()["remedy"]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_route_with_a_wrong_key_is_refused(
    keyed: TestClient, token_of: Made, method: str, path: str
) -> None:
    right = token_of(*SCOPES)
    another = token_of(*SCOPES)
    mixed = right[: len("nextbest_") + 12] + another[len("nextbest_") + 12 :]
    for wrong in ("hunter2", right[:-1], right + "x", right.upper(), mixed, "", "é" * 60):
        sent = {"authorization": b"Bearer " + wrong.encode("latin-1")}
        answer = call(keyed, method, path, headers=sent)
        assert answer.status_code == 401, wrong
        assert answer.json()["type"] == "urn:nextbest:problem:unknown-key"
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert wrong == "" or wrong not in answer.text


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_route_with_a_wrong_scope_is_refused(
    keyed: TestClient, token_of: Made, method: str, path: str
) -> None:
    needed = scopes_for(method, path) or set()
    answer = call(keyed, method, path, token_of(*(SCOPES.keys() - needed)))
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:nextbest:problem:missing-scope"
    assert f'scope="{" ".join(sorted(needed))}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_a_route_with_the_right_scope_is_answered(
    keyed: TestClient, token_of: Made, method: str, path: str
) -> None:
    for scope in scopes_for(method, path) or ():
        assert call(keyed, method, path, token_of(scope)).status_code not in (401, 403, 429)


@pytest.mark.parametrize("path", sorted(OPEN))
def test_what_says_nothing_of_anybody_needs_no_key(keyed: TestClient, path: str) -> None:
    assert call(keyed, "GET", path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/customers/1001"),
        ("GET", "/v1/unheard"),
        ("GET", "/v2/health"),
        ("GET", "/health/"),
        ("GET", "/invocations"),
        ("POST", "/invocations/churn"),
        ("GET", "//v1/models"),
        ("GET", "/docs/"),
    ],
)
def test_what_no_table_names_needs_admin(keyed: TestClient, method: str, path: str) -> None:
    assert call(keyed, method, path).status_code == 401


def test_both_ways_to_a_score_need_the_key(keyed: TestClient, token_of: Made) -> None:
    perfect, other = b'{"customer_id": "1001"}', b'{"customer_id": "1001", "events": null}'
    for content in (perfect, other):
        path = "/v1/scores/churn"
        assert call(keyed, "POST", path, content=content).status_code == 401
        assert call(keyed, "POST", path, token_of("lists"), content=content).status_code == 403
        assert call(keyed, "POST", path, token_of("score"), content=content).status_code == 200


def test_a_key_that_expired_or_was_revoked_opens_nothing(
    keyed: TestClient, access: Access, token_of: Made
) -> None:
    old = token_of("score", now=wall() - DAY, lifetime=DAY // 2)
    answer = call(keyed, "GET", "/v1/models", old)
    assert (answer.status_code, answer.json()["detail"]) == (401, "The key has expired.")
    token = token_of("score")
    assert call(keyed, "GET", "/v1/models", token).status_code == 200
    access.store.revoke(token.split("_")[1], "test", wall())
    assert call(keyed, "GET", "/v1/models", token).status_code == 200  # not read again yet
    access.ring.refresh()
    answer = call(keyed, "GET", "/v1/models", token)
    assert (answer.status_code, answer.json()["detail"]) == (401, "The key was revoked.")


def test_a_service_without_keys_asks_for_none(first_versions: Path, scores: SqlScoreStore) -> None:
    store = AccessStore("sqlite://")
    access = access_of(store)
    with opened(first_versions, scores, access=access) as client:
        assert client.get("/v1/models").status_code == 200
        key, _ = make("first", ["score"], wall())
        store.create(key, "test")
        access.ring.refresh()
        assert client.get("/v1/models").status_code == 401
        store.revoke(key.id, "test", wall())
        access.ring.refresh()
        assert client.get("/v1/models").status_code == 401
    store.close()


def test_a_rate_that_is_used_up_says_when_to_come_back(keyed: TestClient, token_of: Made) -> None:
    token = token_of("score", rate="2/hour")
    answers = [call(keyed, "GET", "/v1/models", token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 3600
    assert answers[2].headers["content-type"] == "application/problem+json"
    assert answers[2].json()["type"] == "urn:nextbest:problem:too-many-requests"
    assert call(keyed, "GET", "/v1/models", token_of("score")).status_code == 200


def test_refusals_are_counted_by_reason_and_name_nobody(keyed: TestClient, token_of: Made) -> None:
    token = token_of("admin")
    before = call(keyed, "GET", "/metrics", token).text
    call(keyed, "GET", f"/v1/customers/{SECRET}")
    call(keyed, "GET", f"/v1/customers/{SECRET}", token)
    after = call(keyed, "GET", "/metrics", token).text
    for reason in ("missing", "scope"):
        line = re.compile(rf'nextbest_key_refusals_total{{reason="{reason}"}} (\d+)')
        counts = [int(found) for text in (before, after) for found in line.findall(text)]
        assert counts[1] == counts[0] + 1
    assert SECRET not in after
    assert token not in after


def test_openapi_declares_the_key_and_the_scopes_of_each_operation(keyed: TestClient) -> None:
    document = json.loads(call(keyed, "GET", "/openapi.json").text)
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            needed = scopes_for(method.upper(), path)
            if needed is None:
                assert "security" not in operation
                continue
            assert [one["key"] for one in operation["security"]] == [[s] for s in sorted(needed)]
            assert {"401", "403", "429"} <= operation["responses"].keys()
