from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from models.bundle import Bundle
from models.catalog import CATALOG, UnknownModelError
from models.quick_trees import QuickTreesError
from serving.champions.cache import announce
from serving.champions.champions import Champions, load_champion
from serving.errors import NoChampionError
from tests.serving.fakes import publish

CHURN = CATALOG["churn"]


def test_what_was_announced_is_loaded_once(champions: Champions) -> None:
    assert {(change.model, change.version) for change in champions.refresh()} == {
        (name, "1") for name in CATALOG
    }
    assert champions.refresh() == []
    assert champions.get("churn").version == "1"
    assert champions.get("churn").bundle.spec.version == "1"


def test_a_new_version_takes_the_place_of_the_old_one_which_is_kept(
    champions: Champions, home: Path
) -> None:
    champions.refresh()
    held = champions.get("churn")
    publish(home / "cache", CHURN, "2", intercept=1.0)
    assert [change.version for change in champions.refresh()] == ["2"]
    assert champions.get("churn").version == "2"
    assert champions.previous("churn") is held
    assert held.version == "1"


def test_going_back_swaps_to_the_bundle_that_was_kept(champions: Champions, home: Path) -> None:
    champions.refresh()
    first = champions.get("churn")
    publish(home / "cache", CHURN, "2")
    champions.refresh()
    announce(home / "cache", "churn", "1")
    champions.refresh()
    assert champions.get("churn") is first


def test_another_engine_is_taken_or_refused_with_a_warning_while_its_own_answers(
    home: Path,
) -> None:
    folder = home / "cache" / "churn" / "1"
    plain = load_champion(CHURN, "1", folder)

    def refuse(bundle: Bundle) -> Bundle:
        raise QuickTreesError("It gives golden row 3 another margin.", remedy="Unset it.")

    def take(bundle: Bundle) -> Bundle:
        return replace(bundle, card_markdown="by another engine")

    with capture_logs() as logged:
        refused = load_champion(CHURN, "1", folder, quicken=refuse)
    values = plain.bundle.golden.rows[0]
    expected = plain.scorer.score(values, 0).margin  # type: ignore[union-attr]
    assert refused.scorer.score(values, 0).margin == expected  # type: ignore[union-attr]
    assert [(each["log_level"], each["event"]) for each in logged] == [
        ("warning", "engine refused")
    ]
    assert "golden row 3" in logged[0]["reason"]
    taken = load_champion(CHURN, "1", folder, quicken=take)
    assert taken.scorer.bundle is taken.bundle
    assert taken.bundle.card_markdown == "by another engine"


@pytest.mark.parametrize("file", ["golden.json", "linear.json", "card.md", "manifest.json"])
def test_a_bundle_that_was_changed_is_refused_and_the_running_one_stays(
    champions: Champions, home: Path, file: str
) -> None:
    champions.refresh()
    running = champions.get("churn")
    folder = publish(home / "cache", CHURN, "2")
    (folder / file).write_bytes((folder / file).read_bytes() + b"}")
    (change,) = champions.refresh()
    refusal = champions.refusal("churn")
    assert change.reason
    assert champions.get("churn") is running
    assert refusal is not None
    assert (refusal.version, refusal.reason) == ("2", change.reason)
    assert champions.refresh() == []  # it is not tried again and again


def test_a_version_whose_folder_is_gone_is_refused(champions: Champions, home: Path) -> None:
    champions.refresh()
    announce(home / "cache", "churn", "9")
    (change,) = champions.refresh()
    assert change.reason is not None
    assert champions.get("churn").version == "1"


def test_a_refusal_is_forgotten_when_the_registry_goes_back(
    champions: Champions, home: Path
) -> None:
    champions.refresh()
    announce(home / "cache", "churn", "9")
    champions.refresh()
    announce(home / "cache", "churn", "1")
    assert champions.refresh() == []
    assert champions.refusal("churn") is None


def test_a_version_that_could_not_be_loaded_is_tried_again_after_another_one(
    champions: Champions, home: Path
) -> None:
    champions.refresh()
    announce(home / "cache", "churn", "2")
    champions.refresh()
    announce(home / "cache", "churn", "1")
    champions.refresh()
    publish(home / "cache", CHURN, "2")
    assert [change.reason for change in champions.refresh()] == [None]


def test_a_model_without_a_champion_says_how_to_get_one(tmp_path: Path) -> None:
    champions = Champions(CATALOG, tmp_path)
    assert champions.refresh() == []
    with pytest.raises(NoChampionError, match="python -m training churn --promote"):
        champions.get("churn")
    with pytest.raises(UnknownModelError, match="churn"):
        champions.get("nothing")
