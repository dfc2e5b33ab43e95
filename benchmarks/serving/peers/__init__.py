"""Servers of others, each started by its own command; they answer about the same rows."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@dataclass(frozen=True)
class Peer:
    """How another server is started and asked.

    Attributes
    ----------
    command : tuple of str
    path : str
    body : dict
    environment : dict of str to str
    """

    command: tuple[str, ...]
    path: str
    body: dict[str, Any]
    environment: dict[str, str]

    def started(self, port: int) -> tuple[str, ...]:
        """Return the command, which knows its port already."""
        return self.command


def peer(name: str, home: Path, port: int, features: dict[str, Any], python: Path) -> Peer:
    """Return how a peer serves the model of a home.

    Parameters
    ----------
    name : {"mlflow", "bentoml", "litserve"}
    home : Path
        Where `benchmarks.serving.model.publish` wrote.
    port : int
    features : dict
        The row that is asked about.
    python : Path
        Of the peers' environment; MLflow is in the product's own.
    """
    environment = os.environ | {
        "MODEL": str(home / "cache" / "churn" / "1"),
        "PYTHONPATH": str(ROOT),
    }
    if name == "mlflow":
        model = mlflow_model(home, list(features))
        command = (
            *(sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model)),
            *("--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), "-w", "1"),
        )
        split = {"columns": list(features), "data": [[float(v) for v in features.values()]]}
        return Peer(command, "/invocations", {"dataframe_split": split}, environment)
    body = {"features": features}
    if name == "bentoml":
        command = (
            *(str(python.parent / "bentoml"), "serve", "bento_service:Churn"),
            *("--host", "127.0.0.1", "--port", str(port), "--working-dir", str(HERE)),
        )
        quiet = {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(home / "bentoml")}
        return Peer(command, "/score", body, environment | quiet)
    command = (str(python), str(HERE / "lit_server.py"), str(port))
    return Peer(command, "/predict", body, environment)


def mlflow_model(home: Path, names: list[str]) -> Path:
    """Save the model as MLflow's own LightGBM flavour, with a signature; return its folder."""
    import joblib
    import mlflow.lightgbm
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    from benchmarks.serving.model import PICKLED

    folder = home / "mlflow"
    signature = ModelSignature(Schema([ColSpec("double", name) for name in names]))
    mlflow.lightgbm.save_model(
        joblib.load(home / "cache" / PICKLED).booster_, folder, signature=signature
    )
    return folder
