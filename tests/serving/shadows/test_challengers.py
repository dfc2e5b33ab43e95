from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.catalog import CATALOG
from serving.champions import cache
from serving.champions.poller import Poller
from serving.errors import CannotServeError
from serving.shadows.challengers import ALIAS, Challengers, shadowed
from tests.serving.fakes import make_bundle

CHURN = {"churn": CATALOG["churn"]}


def challenge(folder: Path, version: str, intercept: float = 0.5) -> None:
    """What the poller does of a challenger."""
    make_bundle(CATALOG["churn"], intercept).save(folder / "churn" / version)
    cache.announce(folder, "churn", version, ALIAS)


def test_a_challenger_is_held_until_it_is_none(tmp_path: Path) -> None:
    held = Challengers(CHURN, tmp_path)
    assert held.refresh() == []
    challenge(tmp_path, "2")
    held.refresh()
    assert held.current()["churn"].version == "2"
    assert held.holds("churn", other_than="1")
    assert not held.holds("churn", other_than="2")  # it was promoted just now
    assert not held.holds("ctr", other_than="1")
    cache.announce(tmp_path, "churn", None, ALIAS)
    held.refresh()
    assert held.current() == {}


def test_a_challenger_that_cannot_be_verified_is_refused(tmp_path: Path) -> None:
    challenge(tmp_path, "2")
    (tmp_path / "churn" / "2" / "golden.json").write_text("{}")
    held = Challengers(CHURN, tmp_path)
    (change,) = held.refresh()
    assert change.reason is not None
    assert held.current() == {}
    refusal = held.refusal("churn")
    assert refusal is not None
    assert refusal.version == "2"
    assert held.refresh() == []  # it is refused once
    cache.announce(tmp_path, "churn", None, ALIAS)
    held.refresh()
    assert held.refusal("churn") is None


@pytest.mark.parametrize("shadows", ["nothing", "churn,nothing"])
def test_a_shadow_of_no_model_is_refused_at_the_start(shadows: str) -> None:
    with pytest.raises(CannotServeError, match=r"NEXTBEST_SHADOWS names nothing.*Name some of"):
        shadowed(shadows, CATALOG)
    assert shadowed(" ", CATALOG) == ()


class FakeRegistry:
    """Aliases in a dictionary; version 9 cannot be downloaded."""

    def __init__(self) -> None:
        self.aliases = {"champion": "1", ALIAS: "2"}
        self.asked: list[str] = []

    def resolve(self, model: str, alias: str = "champion", /) -> str | None:
        self.asked.append(alias)
        return self.aliases.get(alias)

    def download(self, model: str, version: str, destination: Path) -> Path:
        if version == "9":
            raise OSError("jane.example.com has no such file")
        return make_bundle(CATALOG[model]).save(destination)


def test_the_poller_brings_challengers_only_of_models_with_a_shadow(tmp_path: Path) -> None:
    registry = FakeRegistry()
    assert Poller(lambda: registry, ["churn"], tmp_path).poll()
    assert registry.asked == ["champion"]
    polls = Poller(lambda: registry, ["churn"], tmp_path, shadowed=["churn"])
    assert polls.poll()
    assert cache.announced(tmp_path, "churn", ALIAS) == "2"
    assert cache.announced(tmp_path, "churn") == "1"
    registry.aliases = {"champion": "2"}  # promoted
    assert polls.poll()
    assert cache.announced(tmp_path, "churn", ALIAS) is None
    assert cache.announced(tmp_path, "churn") == "2"


def test_a_challenger_that_cannot_be_had_holds_up_no_champion(tmp_path: Path) -> None:
    registry = FakeRegistry()
    polls = Poller(lambda: registry, ["churn"], tmp_path, shadowed=["churn"])
    polls.poll()
    registry.aliases = {"champion": "3", ALIAS: "9"}
    assert polls.poll()
    assert polls.poll()
    assert cache.announced(tmp_path, "churn") == "3"
    assert cache.announced(tmp_path, "churn", ALIAS) == "2"
    assert cache.told(tmp_path)["failure"] is None
    shutil.rmtree(tmp_path / "churn")
