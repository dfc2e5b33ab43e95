"""Applications made of fakes: one that tests share and leave as it is, and one for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from models.catalog import CATALOG
from models.scores import SqlScoreStore
from serving.champions.champions import Champions
from serving.received.live_store import LiveStore
from tests.serving.fakes import fake_store, opened, publish


@pytest.fixture(scope="session")
def first_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose cache holds version 1 of every model of the catalogue."""
    home = tmp_path_factory.mktemp("published")
    for spec in CATALOG.values():
        publish(home / "cache", spec, "1")
    return home


@pytest.fixture(scope="session")
def shared_client(first_versions: Path) -> Iterator[TestClient]:
    """For requests that change nothing."""
    scores = SqlScoreStore("sqlite://")
    with opened(first_versions, scores) as client:
        yield client
    scores.close()


@pytest.fixture
def home(tmp_path: Path, first_versions: Path) -> Path:
    """A home with a cache of its own."""
    shutil.copytree(first_versions, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def champions(home: Path) -> Champions:
    return Champions(CATALOG, home / "cache")


@pytest.fixture
def store() -> LiveStore:
    return fake_store()


@pytest.fixture
def scores() -> Iterator[SqlScoreStore]:
    held = SqlScoreStore("sqlite://")
    yield held
    held.close()


@pytest.fixture
def client(
    home: Path, scores: SqlScoreStore, champions: Champions, store: LiveStore
) -> Iterator[TestClient]:
    with opened(home, scores, champions, store) as client:
        yield client
