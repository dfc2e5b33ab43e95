from __future__ import annotations

from dataclasses import replace

import pytest

from models import catalog
from models.bundle import Bundle
from models.registry import CHAMPION, NoChampionError, prepare
from models.score import Scorer
from models.scores import ScoreRow, SqlScoreStore, database_url
from training.command import main
from training.job import train
from training.segment_memory import note_ids, remembered
from training.segment_names import SegmentNameError, rename
from training.settings import TrainingSettings
from training.track import run


@pytest.fixture(scope="module")
def settings(home, tmp_path_factory):
    """A registry of its own beside the company's log."""
    folder = tmp_path_factory.mktemp("named")
    for part in home.iterdir():
        if not part.name.startswith("mlflow") and part.name not in ("mlartifacts", "nextbest.db"):
            (folder / part.name).symlink_to(part)
    return TrainingSettings(home=folder, threads=1)


@pytest.fixture(scope="module")
def registry(settings):
    return prepare(settings.home)


@pytest.fixture(scope="module")
def first(log, registry, settings, quick):
    return train(quick("segments"), log, registry, settings, promote=True)


def champion(registry, tmp_path) -> Bundle:
    version = registry.champion("segments")
    return Bundle.load(registry.download("segments", version, tmp_path / version), version)


def test_before_anything_is_published_there_is_nothing_to_name(registry):
    with pytest.raises(NoChampionError, match="no champion"):
        rename("other_segments", registry, 0, "Sunday families")


def test_a_name_serves_at_once_and_survives_retraining(
    first, registry, settings, log, quick, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("NEXTBEST_HOME", str(settings.home))
    segment = first.bundle.spec.segments[1]
    store = SqlScoreStore(database_url(settings.home))
    store.replace("segments", [ScoreRow("segments", "1", "a", "a", 0, 0, 1, segment=segment.name)])
    assert main(["name", "segments", str(segment.id), "  Sunday   families "]) == 0
    assert "is now 'Sunday families'" in capsys.readouterr().out

    named = champion(registry, tmp_path)
    named.verify()
    assert named.spec.version != first.version
    assert named.spec.segments[1].name == "Sunday families"
    assert named.spec.segments[1].description == segment.description
    assert named.spec.segments[0] == first.bundle.spec.segments[0]
    assert "Sunday families" in named.card_markdown
    assert "Sunday families" in named.card_html
    assert store.get("a")[0].segment == "Sunday families"
    assert store.versions() == {"segments": named.spec.version}
    store.close()
    row = next(
        row
        for row, answer in zip(named.golden.rows, named.golden.answers["segment"], strict=True)
        if answer == 1
    )
    served = Scorer(named).score(row, 0).segment
    assert (served.id, served.name) == (segment.id, "Sunday families")

    again = train(quick("segments"), log, registry, settings, promote=True, random_state=3)
    kept = {each.id: each for each in again.bundle.spec.segments}[segment.id]
    assert (kept.name, kept.named) == ("Sunday families", True)
    assert kept.description.startswith("On average: ")
    assert registry.resolve("segments", CHAMPION) == named.spec.version
    files = {f.path for f in registry.client.list_artifacts(again.run_id)}
    assert {"migration.csv", "migration.txt", "plots"} <= files
    assert "Who moved since last time" in again.bundle.card_markdown
    assert again.decision["numbers"]["kept_since_last_time"] >= 0.9

    # The version before the name serves again; the next training still knows the name.
    registry.rollback("segments")
    assert "Sunday families" in remembered("segments", registry).names_of([segment.id])


def test_names_that_cannot_be_given_say_why(first, registry):
    taken = first.bundle.spec.segments[0].name
    with pytest.raises(SegmentNameError, match=r"no segment 99.*Choose one of: 0 \("):
        rename("segments", registry, 99, "Sunday families")
    with pytest.raises(SegmentNameError, match="is called"):
        rename("segments", registry, 1, taken)
    for name in ("  ", "x" * 81):
        with pytest.raises(SegmentNameError, match="of 1 to 80 characters"):
            rename("segments", registry, 1, name)


def test_ids_of_versions_that_never_served_are_not_used_again(first, registry, tmp_path):
    before = remembered("segments", registry)
    assert before.next_id == len(first.bundle.spec.segments)
    note_ids("segments", registry, [7])
    note_ids("segments", registry, [3])
    assert remembered("segments", registry).next_id == 8


def test_a_damaged_champion_is_no_champion_but_its_ids_stay_used(first, registry, tmp_path, quick):
    bundle = replace(first.bundle, golden=replace(first.bundle.golden, answers={}))
    with run(registry, "segments", {}) as written:
        version = registry.publish("segments", bundle.save(tmp_path / "bad"), written.run_id)
    registry.promote("segments", version)
    found = remembered("segments", registry)
    assert found.bundle is None
    assert found.next_id >= len(first.bundle.spec.segments)
    assert catalog.spec("segments").name == "segments"
