"""An application made of fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import SqlScoreStore
from serving.app import create_app
from serving.champions import Champions
from serving.live_store import LiveStore
from serving.settings import ServingSettings
from tests.serving.fakes import NOW, SECRET, FakeRows, FakeStore, publish


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose cache holds version 1 of every model of the catalogue."""
    for spec in CATALOG.values():
        publish(tmp_path / "cache", spec, "1")
    return tmp_path


@pytest.fixture
def settings(home: Path) -> ServingSettings:
    return ServingSettings(home=home, watch_seconds=0.05, max_body_bytes=20_000)


@pytest.fixture
def store() -> LiveStore:
    fake = FakeStore({"1001": 12, "1002": 3, "gone": 0, SECRET: 5})
    return LiveStore(lambda: fake, lambda: "first", FakeRows, CATALOG)  # type: ignore[arg-type]


@pytest.fixture
def scores() -> Iterator[SqlScoreStore]:
    held = SqlScoreStore("sqlite://")
    yield held
    held.close()


@pytest.fixture
def client(
    settings: ServingSettings, store: LiveStore, scores: SqlScoreStore
) -> Iterator[TestClient]:
    champions = Champions(CATALOG, settings.cache)
    app = create_app(settings, champions, store, scores, lambda: NOW)
    with TestClient(app, base_url="http://127.0.0.1") as opened:
        yield opened
