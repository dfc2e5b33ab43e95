"""Every hostile CSV that is read makes a correct model, or an error says why it makes none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from features.log import EventLog
from models import catalog
from models.catalog import UnknownModelError
from models.company import ENOUGH
from models.ranking import auc
from models.registry import Registry, prepare
from models.spec import ModelSpec
from tests.hostile_tables import STRENGTH, TAKEN, load
from training.bound import bounded_spine
from training.dataset import build, moment
from training.fit import Fitting
from training.job import train
from training.learn import learn
from training.settings import TrainingSettings

MOST_ROWS = 900
TOLD = [name for name, table in TAKEN.items() if table.kinds]
SHOWN = ("words that other programs would obey", "a column in another script")
"""Tables whose own words stand in cards and pictures."""


class Judged(NamedTuple):
    """Unseen answers with the chances given to them, and what the published model says of whom."""

    y: Any
    unseen: Any
    told: Any
    strength: Any


@pytest.fixture(scope="module")
def judge() -> Callable[[ModelSpec, EventLog], Judged]:
    """Learns, and from the same values only once: many files say the same in another way."""
    done: dict[Any, Judged] = {}

    def of(spec: ModelSpec, log: EventLog) -> Judged:
        now = moment(log, None)
        data = build(spec, log, now, rows=bounded_spine(spec, log, now, MOST_ROWS)[:2])
        key = tuple(pd.util.hash_pandas_object(data.X).tolist())
        if key not in done:
            found = learn(spec, data, Fitting(0, 1), lambda what: None)
            told = found.evaluation.model.fitted.probabilities(data.X)
            strength = np.array([STRENGTH[int(n)] for n in data.rows["customer_id"]])
            done[key] = Judged(found.evaluation.y, found.evaluation.model.p, told, strength)
        return done[key]

    return of


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    return prepare(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def read(tmp_path: Path, machine_code: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ingests a table by its name."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "numba").symlink_to(machine_code)
    monkeypatch.setenv("NEXTBEST_HOME", str(home))
    return lambda name: load(tmp_path, TAKEN[name].bytes).done.log


@pytest.mark.parametrize("name", TOLD)
def test_what_a_table_tells_is_learned_from_it(name, read, judge, quick):
    log = read(name)
    judged = judge(quick("lead_score", minimum=ENOUGH), log)
    strong = judged.strength >= 5
    # The planted answer is a yes for 8 in 10 where the strength is 5 or more, else for 2 in 10.
    assert auc(judged.y, judged.unseen) > 0.6
    assert auc(strong, judged.told) > 0.9
    assert judged.told[strong].mean() > judged.told[~strong].mean() + 0.15
    assert ((judged.told > 0.05) & (judged.told < 0.95)).all()


@pytest.mark.parametrize("name", SHOWN)
def test_its_own_words_pass_through_card_pictures_and_bundle(name, read, registry):
    log = read(name)
    settings = TrainingSettings(home=log.home, threads=1)
    done = train(catalog.spec("lead_score"), log, registry, settings, promote=True)
    assert done.decision["publish"] in ("challenger", "baseline")
    assert done.report["auc"]["value"] > 0.6
    page = Path(registry.client.download_artifacts(done.run_id, "card.html")).read_text()
    assert ("<i>" in TAKEN[name].bytes.decode()) == ("&lt;i&gt;" in page)
    assert "<i>" not in page
    done.bundle.verify()


@pytest.mark.parametrize("name", [name for name in TAKEN if name not in TOLD])
def test_a_table_of_which_nothing_is_left_says_so(name, read):
    log = read(name)
    with pytest.raises(UnknownModelError, match="No column of the company's table is left"):
        catalog.spec("lead_score", log.company)
