"""A bundle folder as an MLflow logged model: a pyfunc ("models from code") around plain files."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

ARTIFACT = "bundle"
IMPORTED = ("mlflow", "numpy", "lightgbm")  # by models/pyfunc.py, which is all that runs there

# MLflow wishes for type hints of its own kinds, even in its own modules while they are imported;
# the columns of a model are no Python type.
WISHES = ".*type hint"


def log_bundle(client: Any, name: str, bundle: Path, run_id: str) -> tuple[str, str]:
    """Log a bundle folder as a model of a run; return where it lies and its logged model's id.

    Only the client is used, never MLflow's global tracking address, so that a job may hold
    several registries.

    Parameters
    ----------
    client : mlflow.MlflowClient
    name : str
        The model's name in the run.
    bundle : Path
        The folder.
    run_id : str
        The run that trained it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", WISHES, UserWarning)
        return _log_bundle(client, name, bundle, run_id)


def _log_bundle(client: Any, name: str, bundle: Path, run_id: str) -> tuple[str, str]:
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    run = client.get_run(run_id)
    logged = client.create_logged_model(run.info.experiment_id, name=name, source_run_id=run_id)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        save_model(
            folder,
            python_model=str(Path(__file__).with_name("pyfunc.py")),
            artifacts={ARTIFACT: str(bundle)},
            # What is here, not what MLflow would guess from loaded modules.
            pip_requirements=[f"{package}=={version(package)}" for package in IMPORTED],
            mlflow_model=Model(run_id=run_id, model_id=logged.model_id),
        )
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return str(logged.artifact_location), str(logged.model_id)


def fetch_bundle(source: str, destination: Path, tracking_uri: str) -> None:
    """Copy the bundle folder of a logged model to `destination`, whole or not at all."""
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model

    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent) as scratch:
        own = Path(scratch)
        folder = Path(download_artifacts(source, dst_path=scratch, tracking_uri=tracking_uri))
        flavor = Model.load(str(folder)).flavors["python_function"]
        # A copy: MLflow may hand out its own files where they lie on this machine.
        shutil.copytree(folder / flavor["artifacts"][ARTIFACT]["path"], own / ARTIFACT)
        try:
            (own / ARTIFACT).rename(destination)
        except OSError:  # another process brought the same version first
            if not destination.exists():
                raise
