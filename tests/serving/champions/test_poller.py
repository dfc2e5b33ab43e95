from __future__ import annotations

import threading
from pathlib import Path

from models.catalog import CATALOG
from serving.champions import cache
from serving.champions.poller import Poller, is_whole
from tests.serving.fakes import make_bundle


class FakeRegistry:
    """Aliases in a dictionary; a download writes one file."""

    def __init__(self, champions: dict[str, str]) -> None:
        self.champions = champions
        self.downloads: list[tuple[str, str]] = []
        self.is_dead = False

    def resolve(self, model: str) -> str | None:
        if self.is_dead:
            raise ConnectionError("the registry at jane.example.com is gone")
        return self.champions.get(model)

    def download(self, model: str, version: str, destination: Path) -> Path:
        self.downloads.append((model, version))
        destination.mkdir()
        (destination / "spec.json").write_text("{}")
        return destination


def poller(registry: FakeRegistry, folder: Path, now: float = 7.0) -> Poller:
    return Poller(lambda: registry, ["churn", "ctr"], folder, wall=lambda: now)


def test_a_champion_is_downloaded_before_it_is_announced(tmp_path: Path) -> None:
    registry = FakeRegistry({"churn": "3"})
    assert poller(registry, tmp_path).poll()
    assert (tmp_path / "churn" / "3" / "spec.json").exists()
    assert cache.announced(tmp_path, "churn") == "3"
    assert cache.announced(tmp_path, "ctr") is None


def test_what_is_in_the_cache_is_not_downloaded_again(tmp_path: Path) -> None:
    registry = FakeRegistry({"churn": "3"})
    polls = poller(registry, tmp_path)
    for version in ("3", "3", "4", "3"):
        registry.champions["churn"] = version
        polls.poll()
    assert registry.downloads == [("churn", "3"), ("churn", "4")]
    assert cache.announced(tmp_path, "churn") == "3"


def test_a_bundle_that_was_damaged_in_the_cache_is_downloaded_again(tmp_path: Path) -> None:
    folder = make_bundle(CATALOG["churn"]).save(tmp_path / "churn" / "3")
    assert is_whole(folder)
    registry = FakeRegistry({"churn": "3"})
    Poller(lambda: registry, ["churn"], tmp_path, is_whole).poll()
    assert registry.downloads == []
    (folder / "encoder.json").write_text("{}")
    polls = Poller(lambda: registry, ["churn"], tmp_path, is_whole)
    polls.poll()
    polls.poll()
    assert registry.downloads == [("churn", "3")]


def test_a_dead_registry_changes_nothing_and_is_asked_again(tmp_path: Path) -> None:
    registry = FakeRegistry({"churn": "3"})
    polls = poller(registry, tmp_path)
    polls.poll()
    registry.is_dead = True
    assert not polls.poll()
    assert cache.announced(tmp_path, "churn") == "3"
    assert cache.told(tmp_path)["failure"] == "ConnectionError"
    assert cache.told(tmp_path)["answered_at"] == 7_000_000
    registry.is_dead = False
    registry.champions["churn"] = "4"
    assert polls.poll()
    assert cache.announced(tmp_path, "churn") == "4"
    assert cache.told(tmp_path)["failure"] is None


def test_a_registry_that_cannot_be_reached_at_first_is_tried_again(tmp_path: Path) -> None:
    answers = [OSError("no such file"), FakeRegistry({"churn": "3"})]

    def connect() -> FakeRegistry:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    polls = Poller(connect, ["churn"], tmp_path)
    assert [polls.poll(), polls.poll()] == [False, True]
    assert cache.announced(tmp_path, "churn") == "3"


def test_it_stops_when_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    running = threading.Thread(
        target=poller(FakeRegistry({"churn": "3"}), tmp_path).run, args=(stop, 0.01)
    )
    running.start()
    stop.set()
    running.join(5)
    assert not running.is_alive()
