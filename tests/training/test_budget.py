"""``--budget`` on a company's own table: found settings are used, and a seed finds them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from features.__main__ import main as features_main
from features.log import EventLog
from models.registry import Registry, prepare
from tests.own_tables import write_leads
from training import search as searching
from training.candidates import TREES
from training.command import main
from training.job import train
from training.settings import TrainingSettings

FILE = """
name = "acme"
currency = "EUR"
consent = "assumed"
[customers]
path = "leads.csv"
key = "lead_id"
known_at = "created_at"
exclude = ["tags", "converted_at"]
na_values = ["", "Select"]
[labels.lead_score]
column = "converted"
positive = ["yes"]
decided_at = "converted_at"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, machine_code: Path) -> Any:
    folder = tmp_path_factory.mktemp("budget")
    write_leads(folder / "leads.csv", rows=900)
    (folder / "company.toml").write_text(FILE)
    (folder / "home").mkdir()
    (folder / "home" / "numba").symlink_to(machine_code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEXTBEST_HOME", str(folder / "home"))
        assert features_main(["ingest", str(folder / "company.toml")]) == 0
        yield folder / "home"


@pytest.fixture(scope="module")
def registry(home: Path) -> Registry:
    return prepare(home)


def test_a_command_with_a_budget_searches_trains_and_registers(home, registry, tmp_path):
    report = tmp_path / "out.json"
    words = ["lead_score", "--budget", "3s", "--seed", "3", "--promote", "--report", str(report)]
    assert main(words) == 0
    found = json.loads(report.read_text())
    assert found["mode"] == "full"
    assert found["auc"]["value"] > 0.7
    version = registry.client.get_model_version("lead_score", registry.champion("lead_score"))
    noted = registry.client.get_run(version.run_id).data.params
    assert "trials" in noted["search"]
    assert noted["random_state"] == "3"


def test_a_seed_finds_the_same_again_and_another_seed_does_not(home, registry, quick, monkeypatch):
    asked = []
    # A machine that is busy ends a search by the clock; the number of trials never depends on it.
    monkeypatch.setattr(searching, "trials_for", lambda budget, *_: asked.append(budget) or 5)
    log, settings = EventLog.open(home), TrainingSettings(home=home, threads=1)
    first, again, other = (
        train(quick("lead_score"), log, registry, settings, budget=600.0, random_state=seed).report
        for seed in (3, 3, 4)
    )
    assert asked == [searching.SHARE * 600.0] * 3
    for key in ("auc", "log_loss", "rivals", "baselines", "backtest", "grades"):
        assert first[key] == again[key]
    assert trees_of(first) != trees_of(other)


def trees_of(report: dict[str, Any]) -> Any:
    """The searched model's figures, whether it was chosen or lost to a simpler one."""
    return report["rivals"].get(TREES) or report["log_loss"]
