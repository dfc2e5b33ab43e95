from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from models.booster import Booster, BoosterError, _Handle
from models.lightgbm_library import library


def random_rows(n: int, seed: int) -> np.ndarray:
    """Rows with missing, infinite, huge and subnormal numbers, and codes never seen."""
    rng = np.random.default_rng(seed)
    X = rng.normal(scale=100.0, size=(n, 5))
    X[:, 3] = rng.integers(-3, 9, n)
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, -1e300, 5e-324, 2.0**53, 1e-36]
    for value in odd:
        X[rng.random(X.shape) < 0.03] = value
    return X


def test_margins_are_lightgbms_own_to_the_last_bit_and_contributions_nearly(made: Any) -> None:
    X = random_rows(2_000, seed=3)
    booster = made.bundle.engine
    expected = made.oracle.predict(X, raw_score=True)
    np.testing.assert_array_equal(booster.margins(X), expected)
    np.testing.assert_array_equal([booster.margin(row) for row in X], expected)
    np.testing.assert_allclose(
        booster.contributions(X), made.oracle.predict(X, pred_contrib=True), rtol=0, atol=1e-9
    )


def test_two_threads_change_no_bit(made: Any) -> None:
    X = random_rows(500, seed=4)
    booster = made.bundle.engine
    np.testing.assert_array_equal(booster.margins(X, threads=2), booster.margins(X))
    np.testing.assert_array_equal(booster.contributions(X, threads=2), booster.contributions(X))


def test_contributions_of_a_row_sum_to_its_margin(made: Any) -> None:
    X = random_rows(200, seed=5)
    sums = made.bundle.engine.contributions(X).sum(axis=1)
    np.testing.assert_allclose(sums, made.bundle.engine.margins(X), atol=1e-9)


def test_the_memory_order_of_rows_does_not_matter(made: Any) -> None:
    X = random_rows(50, seed=6)
    expected = made.bundle.engine.margins(X)
    np.testing.assert_array_equal(made.bundle.engine.margins(np.asfortranarray(X)), expected)
    np.testing.assert_array_equal(made.bundle.engine.margins(X[::-1])[::-1], expected)
    assert made.bundle.engine.margin(X[0].tolist()) == expected[0]


def test_no_rows_have_no_margins(made: Any) -> None:
    assert made.bundle.engine.margins(np.empty((0, 5))).shape == (0,)
    assert made.bundle.engine.contributions(np.empty((0, 5))).shape == (0, 6)


def test_a_row_of_another_width_is_refused(made: Any) -> None:
    with pytest.raises(BoosterError, match="rows of 5 columns, got 4"):
        made.bundle.engine.margin([0.0] * 4)
    for X in (np.zeros((2, 6)), np.zeros(5), np.float64(1.0)):
        with pytest.raises(BoosterError, match="rows of 5 columns"):
            made.bundle.engine.margins(X)


def test_a_booster_is_loaded_from_a_file(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "booster.txt"
    made.oracle.save_model(path)
    row = random_rows(1, seed=7)[0]
    assert Booster.load(path).margin(row) == made.bundle.engine.margin(row)


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda text: "", "starts with ''"),
        (lambda text: "PK\x03\x04", "starts with 'PK"),
        (lambda text: text[: len(text) // 2], "breaks off"),
        (lambda text: "tree\nend of trees\n", "number of classes"),
    ],
)
def test_what_is_no_model_is_refused(cut: Any, words: str, made: Any, capfd: Any) -> None:
    with pytest.raises(BoosterError, match=words):
        Booster(cut(made.bundle.engine.text))


def test_every_thread_has_a_handle_and_gets_the_same_answers(made: Any) -> None:
    X = random_rows(300, seed=8)
    booster = Booster(made.bundle.engine.text)
    expected = booster.margins(X)
    wrong: list[int] = []
    handles: set[int] = set()

    def judge() -> None:
        handles.add(id(booster._handle()))
        wrong.append(sum(booster.margin(row) != e for row, e in zip(X, expected, strict=True)))

    threads = [threading.Thread(target=judge) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [0, 0, 0, 0]
    assert id(booster._handle()) not in handles


class Counting:
    """The library, counting what is called."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.single_row = library().single_row

    def call(self, name: str, *arguments: Any) -> None:
        self.names.append(name)
        library().call(name, *arguments)


def test_a_handle_frees_what_it_took(made: Any) -> None:
    counting = Counting()
    handle = _Handle(counting, made.bundle.engine.text.encode())  # type: ignore[arg-type]
    del handle
    gc.collect()
    assert counting.names[-2:] == ["LGBM_FastConfigFree", "LGBM_BoosterFree"]


def test_a_model_of_several_classes_is_refused_and_freed() -> None:
    rng = np.random.default_rng(9)
    data = lightgbm.Dataset(
        rng.normal(size=(200, 2)), rng.integers(0, 3, 200), params={"verbosity": -1}
    )
    settings = {"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_threads": 1}
    text = lightgbm.train(settings, data, 2).model_to_string()
    with pytest.raises(BoosterError, match="3 classes"):
        Booster(text)
    counting = Counting()
    with pytest.raises(BoosterError):
        _Handle(counting, text.encode())  # type: ignore[arg-type]
    gc.collect()
    assert counting.names.count("LGBM_BoosterFree") == 1
    assert "LGBM_FastConfigFree" not in counting.names


def test_a_forked_process_is_refused_instead_of_hanging(made: Any) -> None:
    child = os.fork()
    if child == 0:
        try:
            made.bundle.engine.margin([0.0] * 5)
        except BoosterError as error:
            os._exit(0 if "forked" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_booster_of_another_process_answers_nothing(made: Any) -> None:
    booster = Booster(made.bundle.engine.text)
    booster._process += 1
    with pytest.raises(BoosterError, match="forked"):
        booster.margins(np.zeros((1, 5)))


class Failing(Counting):
    """A library whose predictions fail, or give too few numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.single_row = lambda *arguments: -1

    def call(self, name: str, *arguments: Any) -> None:
        if name != "LGBM_BoosterPredictForMat":
            super().call(name, *arguments)

    def error(self, name: str) -> BoosterError:
        return library().error(name)


def test_no_return_code_is_overlooked(made: Any) -> None:
    handle = _Handle(Failing(), made.bundle.engine.text.encode())  # type: ignore[arg-type]
    with pytest.raises(BoosterError, match="PredictForMatSingleRowFast failed"):
        handle.margin([0.0] * 5)
    with pytest.raises(BoosterError, match="LightGBM gave 0 numbers for 2 rows"):
        handle.predict(np.zeros((2, 5)), np.empty(2), 1)


def test_lightgbm_itself_is_never_imported(made: Any, tmp_path: Path, pytestconfig: Any) -> None:
    path = tmp_path / "booster.txt"
    made.oracle.save_model(path)
    program = (
        "import sys, pathlib; from models.booster import Booster\n"
        f"print(Booster.load(pathlib.Path({str(path)!r})).margin([0.0] * 5))\n"
        "assert not {'lightgbm', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) == made.bundle.engine.margin([0.0] * 5)
