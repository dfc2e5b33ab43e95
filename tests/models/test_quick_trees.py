"""pylignum answers only where every golden row has LightGBM's bits."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.blend import Blend
from models.booster import Booster
from models.bundle import Bundle
from models.linear import Linear, Term
from models.quick_trees import QuickTrees, QuickTreesError, quickened

ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, -1e300, 5e-324, 2.0**53, 1e-36]


def random_rows(n: int, width: int, seed: int) -> np.ndarray:
    """Rows with missing, infinite, huge and subnormal numbers, and codes never seen."""
    rng = np.random.default_rng(seed)
    X = rng.gamma(2.0, 20.0, (n, width)) * rng.choice([-1.0, 1.0], (n, width), p=[0.1, 0.9])
    X[:, width // 2 :] = rng.integers(-2, 9, (n, width - width // 2))
    for value in ODD:
        X[rng.random(X.shape) < 0.02] = value
    return X


class Fake:
    """Answers as a booster does, plus what it is told to be wrong by."""

    def __init__(self, text: str, wrong_by: float = 0.0) -> None:
        self.exact, self.wrong_by, self.asked = Booster(text), wrong_by, 0

    def predict(self, X: np.ndarray, raw_score: bool, n_jobs: int, strategy: str) -> np.ndarray:
        assert (raw_score, n_jobs, strategy, X.shape) == (True, 1, "serial", (1, X.shape[1]))
        assert np.inf not in X
        self.asked += 1
        return self.exact.margins(X) + self.wrong_by


def blended(bundle: Bundle) -> Bundle:
    assert isinstance(bundle.engine, Booster)
    linear = Linear(0.5, (Term(column=0, scale=10.0, coefficient=0.3),))
    return replace(bundle, engine=Blend(linear, bundle.engine))


@pytest.mark.parametrize("of", [lambda bundle: bundle, blended], ids=["trees", "blend"])
def test_trees_whose_golden_rows_are_equal_are_taken(made: Any, of: Any) -> None:
    bundle = of(made.bundle)
    fake = Fake(made.bundle.engine.text)
    quick = quickened(bundle, lambda path: fake)
    assert fake.asked == len(bundle.golden.rows)
    X = random_rows(300, 5, seed=1)
    np.testing.assert_array_equal([quick.engine.margin(r) for r in X], bundle.engine.margins(X))
    np.testing.assert_array_equal(
        [quick.engine.margin(r) for r in X.tolist()], quick.engine.margins(X)
    )
    asked = fake.asked - len(bundle.golden.rows)
    assert asked == 2 * (~np.isposinf(X).any(axis=1)).sum()


def test_one_golden_row_that_differs_in_its_last_bit_refuses_the_engine(made: Any) -> None:
    fake = Fake(made.bundle.engine.text, wrong_by=1e-15)
    with pytest.raises(QuickTreesError, match=r"golden row \d+ of 'churn' another margin"):
        quickened(made.bundle, lambda path: fake)


def test_a_model_without_trees_is_left_as_it_is(segment_bundle: Bundle, made: Any) -> None:
    assert quickened(segment_bundle) is segment_bundle
    plain = replace(made.bundle, engine=Linear(0.5))
    assert quickened(plain) is plain


@pytest.mark.parametrize(
    ("error", "words"),
    [(ImportError("no"), "pip install"), (ValueError("jane"), "refuses the model .ValueError")],
)
def test_what_cannot_be_used_says_what_to_do(made: Any, error: Exception, words: str) -> None:
    def load(path: str) -> None:
        raise error

    with pytest.raises(QuickTreesError, match=words) as told:
        quickened(made.bundle, load)
    assert "Unset NEXTBEST_TREE_ENGINE" in str(told.value)
    assert "jane" not in str(told.value)


def test_a_row_of_another_width_is_refused(made: Any) -> None:
    quick = QuickTrees(made.bundle.engine.text, lambda path: Fake(made.bundle.engine.text))
    with pytest.raises(Exception, match="rows of 5 columns, got 4"):
        quick.margin([0.0] * 4)


def test_the_library_itself_gives_lightgbms_bits_on_every_thread(made: Any) -> None:
    pytest.importorskip("lignum", reason="the optional engine is not installed")
    X = random_rows(3_000, 5, seed=2)
    bundle = quickened(made.bundle)
    assert isinstance(bundle.engine, QuickTrees)
    expected = made.oracle.predict(X, raw_score=True)
    found: list[list[float]] = []

    def ask() -> None:
        found.append([bundle.engine.margin(row) for row in X.tolist()])  # type: ignore[union-attr]

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answers in found:
        np.testing.assert_array_equal(answers, expected)
    assert len(found) == 3
