"""``[gate]`` and ``[leaks]`` of a company's file, from ingestion to report, card and decision."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from features.sources.company_tables import ingest_company
from models import catalog
from models.registry import prepare
from training.command import main
from training.job import train
from training.settings import TrainingSettings

FILE = """
name = "acme"
consent = "assumed"
[customers]
path = "t.csv"
key = "id"
known_at = "2024-06-30"
[labels.lead_score]
column = "y"
positive = ["1"]
"""
ASKED = """
[gate]
segments = ["region"]
[leaks]
cleared = [{ column = "told", reason = "The form asks for it first." }]
"""


@pytest.fixture
def home(tmp_path: Path, machine_code: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw = random.Random(0)
    rows = ["id,region,told,y"]
    for n in range(300):
        y = draw.randrange(2)
        rows.append(f"{n},{'north' if n % 2 else 'south'},{y + draw.gauss(0, 0.5):.3f},{y}")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "numba").symlink_to(machine_code)
    monkeypatch.setenv("NEXTBEST_HOME", str(folder))
    return folder


def test_a_cleared_finding_lets_the_model_in_and_its_reason_is_shown(home, tmp_path):
    registry, settings = prepare(tmp_path / "registry"), TrainingSettings(home=home, threads=1)
    done = {}
    for said in ("", ASKED):
        (tmp_path / "company.toml").write_text(FILE + said)
        log = ingest_company(tmp_path / "company.toml", home).done.log
        done[said] = train(catalog.spec("lead_score"), log, registry, settings, promote=True)
    before, after = done[""], done[ASKED]

    [found] = before.report["findings"]
    assert (found["column"], found["severity"], found["cleared"]) == ("told", "severe", "")
    assert '[leaks] cleared = [{ column = "told", reason = "..." }]' in found["remedy"]
    assert before.decision["publish"] == "nothing"
    assert "told may know the answer" in before.decision["reason"]

    reason = "The form asks for it first."
    [found] = after.report["findings"]
    assert (found["severity"], found["cleared"]) == ("warning", reason)
    assert after.decision["serves"]
    assert f"cleared by people: told ({reason.rstrip('.')})" in after.decision["reason"]
    assert reason in after.bundle.card_markdown
    rails = {rail["name"]: rail for rail in after.decision["rails"]}
    assert reason.rstrip(".") in rails["leaks"]["words"]
    assert "too small to be judged: region any other" in rails["worst segment"]["words"]


def test_training_refuses_what_is_asked_of_a_model_that_is_none(home, tmp_path, capsys):
    (tmp_path / "company.toml").write_text(FILE + '[gate.leadscore]\nsegments = ["region"]\n')
    ingest_company(tmp_path / "company.toml", home)
    assert main(["lead_score"]) == 2
    said = capsys.readouterr().err
    assert "[gate.leadscore]" in said
    assert "Name one of: segments, lead_score" in said
