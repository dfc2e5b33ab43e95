from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.encoder import Column, Encoder
from training import search as searching
from training.boosting import Table, settings_of
from training.calibrate import folds_of
from training.fit import Fitting, fit_trees
from training.search import FEWEST, KEPT, MOST, search, trials_for


@pytest.fixture(scope="module")
def table() -> Table:
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 4))
    X[:, 3] = random.integers(0, 6, 400)
    y = (random.random(400) < 1 / (1 + np.exp(-2 * X[:, 0] * (X[:, 3] > 2)))).astype(np.int64)
    columns = [*(Column(name, "float") for name in "abc"), Column("d", "category", tuple("uvwxyz"))]
    return Table(X, y, np.arange(400) // 2, Encoder(columns))


@pytest.fixture
def settings(quick: Any) -> dict[str, Any]:
    return settings_of(quick("churn"), 0, 1)


def frozen() -> float:
    return 0.0


def test_a_seed_finds_the_same_again_on_any_number_of_threads(
    table: Table, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "trials_for", lambda *_: 6)
    first, again, other = (
        search(table, settings, budget=60, random_state=seed, threads=threads, clock=frozen)
        for seed, threads in ((3, 1), (3, 2), (4, 2))
    )
    assert [(t.number, t.changes, t.trees, t.loss) for t in first.best] == [
        (t.number, t.changes, t.trees, t.loss) for t in again.best
    ]
    assert [t.loss for t in first.best] != [t.loss for t in other.best]
    assert (first.tried, first.planned) == (6, 6)


def test_the_best_of_what_was_tried_are_kept(table: Table, settings: dict[str, Any]) -> None:
    found = search(table, settings, budget=0.1, random_state=0, clock=frozen)
    losses = [trial.loss for trial in found.best]
    assert len(losses) <= KEPT
    assert losses == sorted(losses)


def test_no_row_is_judged_by_trees_that_saw_its_customer(
    table: Table, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def cross_validated(part: Table, settings: Any, folds: Any, trees: Any = None) -> Any:
        seen.append(folds)
        return original(part, settings, folds, trees)

    original = searching.cross_validated
    monkeypatch.setattr(searching, "cross_validated", cross_validated)
    monkeypatch.setattr(searching, "trials_for", lambda *_: 1)
    found = search(table, settings, budget=60, random_state=0, threads=1, clock=frozen)
    folds = folds_of(table.groups, searching.FOLDS, 0)
    assert np.isfinite(found.best[0].margins).all()
    for asked in seen:
        assert set(zip(asked[asked >= 0], folds[asked >= 0], strict=True)) <= {
            (n, n) for n in range(searching.FOLDS)
        }
    assert sum((asked >= 0).sum() for asked in seen) == len(table)


def test_a_trial_far_behind_is_given_up_after_two_folds(
    table: Table, settings: dict[str, Any]
) -> None:
    folds = folds_of(table.groups, searching.FOLDS, 0)
    best = searching._tried(0, {}, table, settings, folds, None)
    hopeless = searching._tried(1, {"learning_rate": 1e-6}, table, settings, folds, best)
    assert np.isnan(hopeless.margins[folds >= searching.FIRST]).all()
    assert hopeless.loss > best.loss


def test_time_stops_a_search_but_never_its_first_trial(
    table: Table, settings: dict[str, Any]
) -> None:
    ticks = iter(range(0, 10_000, 1_000))
    found = search(table, settings, budget=30, random_state=0, clock=lambda: float(next(ticks)))
    assert found.tried == 1 < found.planned
    assert "before time ran out" in found.words()


@pytest.mark.parametrize("budget", [0.01, 60, 1e9])
def test_the_number_of_trials_follows_from_budget_and_size_alone(budget: float) -> None:
    assert FEWEST <= trials_for(budget, 5_000, 20) <= MOST
    assert trials_for(budget, 5_000, 20) >= trials_for(budget, 500_000, 20)


def test_a_budget_gives_the_mean_of_the_best_settings(
    table: Table, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "trials_for", lambda *_: 5)
    fitted = fit_trees(quick("churn"), table, None, Fitting(threads=1, budget=60))
    assert 1 <= len(fitted.recipes) <= KEPT
    assert fitted.notes["search"].startswith("5 trials")
    again = replace(Fitting(threads=1), trees=3, budget=9).after(fitted)
    assert again.budget == 0.0
    assert again.recipes == fitted.recipes
