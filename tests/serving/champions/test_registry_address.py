from __future__ import annotations

import socket

import pytest

from serving.champions.registry_address import is_reachable


@pytest.mark.parametrize("scheme", ["http", "https", "postgresql+psycopg"])
def test_it_is_reachable_where_somebody_listens(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as registry:
        uri = f"{scheme}://127.0.0.1:{registry.getsockname()[1]}/path"
        assert is_reachable(uri)
    assert not is_reachable(uri)


def test_a_file_is_always_reachable() -> None:
    assert is_reachable("sqlite:///mlflow.db")
    assert is_reachable("mlruns")
