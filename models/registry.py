"""Published models in MLflow: versions of plain-file bundles, and the aliases that serve them.

MLflow is imported when a registry is used, never before: it weighs seconds and hundreds of MiB.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import NextbestError
from models.logged_bundle import fetch_bundle, log_bundle

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ROLLED_BACK = "rolled_back"
LOCK_SECONDS = 300


class RegistryError(NextbestError):
    """The registry does not hold what was asked for."""


class NoChampionError(RegistryError):
    """A model that has not been promoted yet."""


@dataclass(frozen=True)
class Version:
    """One published version; `aliases` as they stood when it was asked for."""

    model: str
    version: str
    run_id: str
    aliases: tuple[str, ...]
    description: str


def tracking_uri(home: Path, uri: str | None = None) -> str:
    """Return the URI that was set (``MLFLOW_TRACKING_URI``), else SQLite under home.

    Examples
    --------
    >>> tracking_uri(Path("/srv/nextbest"))
    'sqlite:////srv/nextbest/mlflow.db'
    """
    return f"sqlite:///{(home.resolve() / 'mlflow.db').as_posix()}" if uri is None else uri


def prepare(home: Path, uri: str | None = None) -> Registry:
    """Return the registry, its schema created once even if several jobs start together."""
    home.mkdir(parents=True, exist_ok=True)
    _hush()
    from mlflow import MlflowClient

    with _only_one(home / "mlflow.lock"):
        client = MlflowClient(tracking_uri(home, uri))
        client.search_experiments(max_results=1)  # the first question creates the schema
        client.search_registered_models(max_results=1)
    return Registry(client, tracking_uri(home, uri), home.resolve() / "mlartifacts")


def _hush() -> None:
    """Keep MLflow's own chatter out of a job's output: it says nothing a user could act on."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("mlflow.store.db.utils", "mlflow.models.signature", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Wait until no other process is inside.

    An exclusive SQLite transaction is a lock that works on every system and file system Python's
    standard library works on, and that ends with its process.
    """
    with closing(sqlite3.connect(lock, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@dataclass(frozen=True)
class Registry:
    """Versions and aliases of the models; make it with :func:`prepare`.

    Parameters
    ----------
    client : mlflow.MlflowClient
    uri : str
        Where MLflow keeps runs and versions.
    artifacts : Path
        Where new experiments keep their files.
    """

    client: Any
    uri: str
    artifacts: Path

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, created if there is none."""
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        from mlflow.exceptions import MlflowException

        try:
            return str(
                self.client.create_experiment(name, (self.artifacts / name).resolve().as_uri())
            )
        except MlflowException:  # another job was first
            found = self.client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)

    def publish(self, model: str, bundle: Path, run_id: str, description: str = "") -> str:
        """Register a bundle folder as a new version of a model; return its number.

        The version is an MLflow pyfunc ("models from code") around the bundle's plain files, so
        `mlflow models serve` and `mlflow.pyfunc.load_model` work too. It becomes `challenger`.

        Parameters
        ----------
        model : str
            The spec's name.
        bundle : Path
            Folder that :mod:`models.bundle` wrote.
        run_id : str
            The run that trained it.
        description : str
            A sentence for people who look at the version in MLflow.
        """
        source, model_id = log_bundle(self.client, model, bundle, run_id)
        self._register(model)
        made = self.client.create_model_version(
            model, source, run_id, description=description, model_id=model_id
        )
        version = str(made.version)
        self.client.set_registered_model_alias(model, CHALLENGER, version)
        return version

    def promote(self, model: str, version: str) -> None:
        """Make a version the champion; the one that was becomes `previous`.

        Raises
        ------
        RegistryError
            If there is no such version.
        """
        self._check(model, version)
        champion = self.resolve(model, CHAMPION)
        if champion == version:
            return
        if champion is not None:
            self.client.set_registered_model_alias(model, PREVIOUS, champion)
        self.client.set_registered_model_alias(model, CHAMPION, version)
        if self.resolve(model, CHALLENGER) == version:
            self.client.delete_registered_model_alias(model, CHALLENGER)

    def rollback(self, model: str, why: str = "") -> str:
        """Make the previous champion the champion again, and the present one `previous`.

        The decision is written down with the version that is left: as the tag `rolled_back` and
        behind its description.

        Parameters
        ----------
        why : str
            When and for what reason.

        Returns
        -------
        str
            The version that serves from now on.

        Raises
        ------
        RegistryError
            If there is no previous champion.
        """
        previous = self.resolve(model, PREVIOUS)
        if previous is None:
            raise RegistryError(
                f"{model!r} has no previous champion to go back to.",
                remedy=f"Choose a version: python -m training promote {model} --version N",
            )
        left = self.resolve(model, CHAMPION)
        self.promote(model, previous)
        if left is not None:
            said = f"Rolled back to version {previous}. {why}".strip()
            before = self.client.get_model_version(model, left).description or ""
            self.client.set_model_version_tag(model, left, ROLLED_BACK, said)
            self.client.update_model_version(model, left, f"{before} {said}".strip())
        return previous

    def rolled_back(self, model: str, version: str) -> str | None:
        """Return what was written down when a version was left for an earlier one, if it was."""
        found = self.client.get_model_version(model, version).tags.get(ROLLED_BACK)
        return None if found is None else str(found)

    def set_alias(self, model: str, alias: str, version: str) -> None:
        """Point an alias at a version.

        Raises
        ------
        RegistryError
            If there is no such version.
        """
        self._check(model, version)
        self.client.set_registered_model_alias(model, alias, version)

    def resolve(self, model: str, alias: str = CHAMPION) -> str | None:
        """Return the version an alias points at, or None where there is none."""
        return self.aliases(model).get(alias)

    def champion(self, model: str) -> str:
        """Return the version that serves.

        Raises
        ------
        NoChampionError
            If none was promoted.
        """
        version = self.resolve(model)
        if version is None:
            raise NoChampionError(
                f"{model!r} has no champion.",
                remedy=f"Train and promote one: python -m training {model} --promote",
            )
        return version

    def aliases(self, model: str) -> dict[str, str]:
        """Return alias -> version of a model; empty if nothing was published."""
        registered = self._registered(model)
        found = {} if registered is None else registered.aliases
        return {str(alias): str(version) for alias, version in found.items()}

    def versions(self, model: str) -> list[Version]:
        """Return all versions of a model, newest first."""
        by_version: dict[str, list[str]] = {}
        for alias, version in self.aliases(model).items():
            by_version.setdefault(version, []).append(alias)
        found = self.client.search_model_versions(f"name = '{model}'")
        return [
            Version(
                model,
                str(made.version),
                str(made.run_id),
                tuple(sorted(by_version.get(str(made.version), []))),
                made.description or "",
            )
            for made in sorted(found, key=lambda made: -int(made.version))
        ]

    def download(self, model: str, version: str, destination: Path) -> Path:
        """Copy a version's bundle folder to `destination` and return it.

        The folder appears whole or not at all; one that is there already is left as it is.

        Raises
        ------
        RegistryError
            If there is no such version.
        """
        if not destination.exists():
            self._check(model, version)
            source = self.client.get_model_version_download_uri(model, version)
            fetch_bundle(source, destination, self.uri)
        return destination

    def _registered(self, model: str) -> Any:
        found = self.client.search_registered_models(f"name = '{model}'", max_results=1)
        return found[0] if found else None

    def _register(self, model: str) -> None:
        from mlflow.exceptions import MlflowException

        if self._registered(model) is not None:
            return
        try:
            self.client.create_registered_model(model)
        except MlflowException:  # another job was first
            if self._registered(model) is None:
                raise

    def _check(self, model: str, version: str) -> None:
        known = [made.version for made in self.versions(model)]
        if version not in known:
            raise RegistryError(
                f"{model!r} has no version {version!r}.",
                remedy=f"Choose one of: {', '.join(known)}."
                if known
                else f"Train one: python -m training {model}",
            )
