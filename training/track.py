"""The run in MLflow: parameters, metrics with their intervals, plots, decision and card."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from models.bootstrap import Estimate
from models.registry import Registry

MOST_CHARACTERS = 6_000
"""MLflow's limit for the value of a parameter."""


class Run:
    """One run, written through MLflow's client.

    Parameters
    ----------
    registry : Registry
    run_id : str
    """

    def __init__(self, registry: Registry, run_id: str) -> None:
        self._client = registry.client
        self.run_id = run_id
        self._metrics: dict[str, float] = {}

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Write parameters; long ones are cut, and are whole in the artifacts."""
        from mlflow.entities import Param

        params = [Param(name, str(value)[:MOST_CHARACTERS]) for name, value in values.items()]
        self._client.log_batch(self.run_id, params=params)

    def metrics(self, values: Mapping[str, Estimate], prefix: str = "") -> None:
        """Write each metric with its interval as `name`, `name_low`, `name_high`."""
        found = {}
        for name, estimate in values.items():
            parts = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
            for part, value in parts.items():
                if value is not None:
                    found[f"{prefix}{name}{part}"] = float(value)
        self.numbers(found)

    def numbers(self, values: Mapping[str, float], step: int = 0) -> None:
        """Write metrics without intervals; `step` counts the origins of a backtest."""
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, float(value), now, step) for name, value in values.items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def files(self, contents: Mapping[str, bytes | str | Mapping[str, Any]]) -> None:
        """Write artifacts by path: bytes and text as they are, mappings as JSON."""
        with tempfile.TemporaryDirectory() as scratch:
            for name, content in contents.items():
                file = Path(scratch) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, bytes):
                    file.write_bytes(content)
                else:
                    text = content if isinstance(content, str) else json.dumps(content, indent=2)
                    file.write_text(text, encoding="utf-8")
            self._client.log_artifacts(self.run_id, scratch)


@contextmanager
def run(registry: Registry, model: str, tags: Mapping[str, str]) -> Iterator[Run]:
    """Open a run in the model's experiment; it ends as finished, or as failed on an error."""
    experiment = registry.experiment(model)
    made = registry.client.create_run(experiment, run_name=model, tags=dict(tags))
    run_id = str(made.info.run_id)
    try:
        yield Run(registry, run_id)
    except BaseException:
        registry.client.set_terminated(run_id, "FAILED")
        raise
    registry.client.set_terminated(run_id, "FINISHED")


def slug(name: str) -> str:
    """Return a name as MLflow takes it in a metric's name.

    Examples
    --------
    >>> slug("days since the last order")
    'days_since_the_last_order'
    """
    return re.sub(r"[^0-9A-Za-z_.-]+", "_", name)


def code_version() -> str:
    """Return the commit the code stands at, marked if files differ; else the package's version."""
    folder = Path(__file__).parent
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        try:
            return version("nextbest")
        except PackageNotFoundError:
            return "unknown"
    return f"{commit} with changes" if changed else commit


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
