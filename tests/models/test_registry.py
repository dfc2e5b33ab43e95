import multiprocessing
from types import SimpleNamespace

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from models.bundle import Bundle
from models.logged_bundle import fetch_bundle
from models.registry import NoChampionError, Registry, RegistryError, prepare, tracking_uri


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def prepare_there(home):
    prepare(home).experiment("together")


@pytest.fixture(scope="module")
def other_job(home):
    """Another process that prepares the same new home at the same time."""
    job = multiprocessing.get_context("spawn").Process(target=prepare_there, args=(home,))
    job.start()
    yield job
    job.join()


@pytest.fixture(scope="module")
def registry(home, other_job):
    return prepare(home)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, made):
    return made.bundle.save(tmp_path_factory.mktemp("bundle") / "any name")


def publish(registry, model, folder, times=1):
    experiment = registry.experiment(model)
    return [
        registry.publish(model, folder, registry.client.create_run(experiment).info.run_id, "why")
        for _ in range(times)
    ]


def test_a_bundle_comes_back_from_the_registry_byte_for_byte(registry, folder, tmp_path, made):
    (version,) = publish(registry, "returned", folder)
    found = registry.download("returned", version, tmp_path / "cache" / version)
    assert {p.name: p.read_bytes() for p in found.iterdir()} == {
        p.name: p.read_bytes() for p in folder.iterdir()
    }
    assert Bundle.load(found).spec == made.bundle.spec
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [version]
    (found / "spec.json").unlink()
    assert registry.download("returned", version, found) == found
    assert not (found / "spec.json").exists()  # what is there is left as it is


def test_aliases_move_from_challenger_to_champion_to_previous_and_back(registry, folder):
    one, two, three = publish(registry, "moved", folder, times=3)
    assert registry.aliases("moved") == {"challenger": three}
    registry.promote("moved", one)
    assert registry.champion("moved") == one
    registry.promote("moved", three)
    assert registry.aliases("moved") == {"champion": three, "previous": one}
    registry.promote("moved", three)
    assert registry.aliases("moved") == {"champion": three, "previous": one}
    assert registry.rolled_back("moved", three) is None
    assert registry.rollback("moved", "2026-01-02: complaints") == one
    assert registry.aliases("moved") == {"champion": one, "previous": three}
    said = f"Rolled back to version {one}. 2026-01-02: complaints"
    assert registry.rolled_back("moved", three) == said
    registry.set_alias("moved", "challenger", two)
    assert registry.resolve("moved", "challenger") == two
    assert [v.version for v in registry.versions("moved")] == [three, two, one]
    newest = registry.versions("moved")[0]
    assert newest.aliases == ("previous",)
    assert newest.description == f"why {said}"


def test_what_is_not_there_is_said_with_a_remedy(registry, folder, tmp_path):
    with pytest.raises(NoChampionError, match="python -m training never --promote"):
        registry.champion("never")
    assert registry.aliases("never") == {}
    assert registry.versions("never") == []
    with pytest.raises(RegistryError, match="no previous champion"):
        registry.rollback("never")
    with pytest.raises(RegistryError, match="Train one: python -m training never"):
        registry.promote("never", "1")
    publish(registry, "once", folder)
    with pytest.raises(RegistryError, match=r"no version '9'.*Choose one of: 1\."):
        registry.download("once", "9", tmp_path / "9")
    with pytest.raises(RegistryError, match="no version '9'"):
        registry.set_alias("once", "champion", "9")


def test_mlflows_own_way_in_gives_the_bundles_answers(registry, folder, made):
    import mlflow

    (version,) = publish(registry, "pyfunc", folder)
    source = registry.client.get_model_version_download_uri("pyfunc", version)
    loaded = mlflow.pyfunc.load_model(source)
    frame = pd.DataFrame(made.columns)
    margins = made.bundle.engine.margins(made.bundle.encoder.transform(frame))
    assert loaded.predict(frame) == pytest.approx(made.bundle.calibrator.probability(margins))


def test_a_run_knows_the_model_it_made(registry, folder):
    experiment = registry.experiment("known")
    run = registry.client.create_run(experiment)
    version = registry.publish("known", folder, run.info.run_id)
    found = registry.client.get_run(run.info.run_id)
    made = registry.client.get_model_version("known", version)
    (output,) = found.outputs.model_outputs
    logged = registry.client.get_logged_model(output.model_id)
    assert (made.run_id, made.source) == (run.info.run_id, logged.artifact_location)
    assert found.info.experiment_id == experiment == registry.experiment("known")


def test_nothing_is_written_outside_home(home, registry, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    publish(registry, "inside", folder)
    assert list(tmp_path.iterdir()) == []
    assert {"mlflow.db", "mlartifacts"} <= {p.name for p in home.iterdir()}


def test_jobs_may_prepare_a_new_registry_together(registry, other_job):
    other_job.join()
    assert other_job.exitcode == 0
    assert registry.client.get_experiment_by_name("together") is not None


def test_a_given_tracking_address_is_kept(tmp_path):
    assert tracking_uri(tmp_path, "postgresql://db/mlflow") == "postgresql://db/mlflow"
    assert tracking_uri(tmp_path).startswith("sqlite:////")


class LateClient:
    """A client to whom another job's experiment and model appear only after it has tried."""

    def __init__(self, appears):
        self.appears, self.tried = appears, False

    def get_experiment_by_name(self, name):
        return SimpleNamespace(experiment_id="5") if self.tried and self.appears else None

    def search_registered_models(self, *_, **__):
        return [SimpleNamespace(aliases={})] if self.tried and self.appears else []

    def create_experiment(self, *_):
        self.tried = True
        raise MlflowException("taken")

    create_registered_model = create_experiment


def test_another_job_that_was_first_is_no_failure(tmp_path):
    assert Registry(LateClient(True), "", tmp_path).experiment("x") == "5"
    Registry(LateClient(True), "", tmp_path)._register("x")


def test_any_other_failure_of_mlflow_is_not_hidden(tmp_path):
    for ask in (Registry.experiment, Registry._register):
        with pytest.raises(MlflowException, match="taken"):
            ask(Registry(LateClient(False), "", tmp_path), "x")


def test_a_version_that_another_process_brought_is_left_as_it_is(registry, folder, tmp_path):
    (version,) = publish(registry, "raced", folder)
    source = registry.client.get_model_version_download_uri("raced", version)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").touch()
    fetch_bundle(source, taken, registry.uri)  # another process was first
    assert [p.name for p in taken.iterdir()] == ["file"]
