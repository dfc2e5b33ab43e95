from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.memory import is_same, remember, state
from demo.steps import StepFailedError
from tests.small_log import write_small_log

ORDER = {"customer_id": "a", "kind": "order", "occurred_at": "2024-01-01T10:00:00Z"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of code."""
    for package in ("features", "models", "training"):
        (tmp_path / "code" / package).mkdir(parents=True)
        (tmp_path / "code" / package / "part.py").write_text("x = 1\n")
    return tmp_path / "code"


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "NEXTBEST_HOME": str(home)}


def test_the_state_changes_with_the_data_and_with_the_code(tmp_path: Path, root: Path) -> None:
    home = tmp_path / "home"
    write_small_log(home, [ORDER])
    first = state(environment(home), root)
    assert state(environment(home), root) == first
    write_small_log(home, [ORDER | {"event_id": "e2", "customer_id": "b"}])
    second = state(environment(home), root)
    (root / "models" / "part.py").write_text("x = 2\n")
    third = state(environment(home), root)
    assert len({first, second, third}) == 3


def test_what_was_trained_is_remembered_while_its_registry_is_there(tmp_path: Path) -> None:
    remember(tmp_path, "now")
    assert not is_same(tmp_path, "now")
    (tmp_path / "mlflow.db").touch()
    assert is_same(tmp_path, "now")
    assert not is_same(tmp_path, "later")


def test_a_home_without_a_log_is_an_error(tmp_path: Path, root: Path) -> None:
    with pytest.raises(StepFailedError, match="no event log"):
        state(environment(tmp_path), root)
