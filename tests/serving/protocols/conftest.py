"""One service for all tests of the protocols, which change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.serving.protocols.rows import churn_bundle, served


@pytest.fixture(scope="session")
def served_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("served"), churn_bundle()) as client:
        yield client
