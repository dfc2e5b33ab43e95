from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.log import EventLog
from models import catalog
from models.spec import Estimator, Minimum, ModelSpec
from models.trees import boosted_trees
from tests.models.conftest import (
    any_bundle,
    blend_bundle,
    linear_bundle,
    made,
    segment_bundle,
)
from tests.small_company import write_company

__all__ = ["any_bundle", "blend_bundle", "linear_bundle", "made", "segment_bundle"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, machine_code: Path) -> Path:
    """A folder with the log of a small company, and nothing else."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "numba").symlink_to(machine_code)
    write_company(folder)
    return folder


@pytest.fixture(scope="session")
def log(home: Path) -> EventLog:
    return EventLog.open(home)


def few_trees(random_state: int, num_threads: int = 1) -> Estimator:
    return boosted_trees(random_state, num_threads, n_estimators=40, learning_rate=0.1)


@pytest.fixture(scope="session")
def quick() -> Callable[..., ModelSpec]:
    """A model of the catalogue with a coarse grid and few trees."""

    def of(name: str, **changes: Any) -> ModelSpec:
        spec = catalog.spec(name)
        few: dict[str, Any] = {"backtests": 1, "step": "28d"}
        if spec.output == "probability":
            few |= {"estimator": few_trees, "minimum": Minimum(rows=200, positives=20)}
        else:
            few |= {"clusters": (2, 3)}
        return replace(spec, **(few | changes))

    return of
