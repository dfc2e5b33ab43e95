from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import NextbestError
from models.shapley import Shapley, kernel
from models.shapley.tree_text import Tree, TreesError, read_trees

ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, 5e-324, 1e-35, 2.0**31, -0.5, 1e-36]


def trained(X: np.ndarray, y: np.ndarray, trees: int = 5, **changes: Any) -> lightgbm.Booster:
    params = {
        "objective": "regression", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 0.0, "min_data_per_group": 1, "cat_smooth": 0.1, **changes,
    }  # fmt: skip
    categorical = params.pop("categories", "auto")
    data = lightgbm.Dataset(X, y, categorical_feature=categorical, params=params)
    return lightgbm.train(params, data, trees)


def judged(oracle: lightgbm.Booster, X: np.ndarray, found: np.ndarray | None = None) -> np.ndarray:
    """Our contributions, after LightGBM's own `pred_contrib` has judged them."""
    if found is None:
        found = Shapley(oracle.model_to_string(), X.shape[1]).contributions(X)
    expected = oracle.predict(X, pred_contrib=True, num_threads=1)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    leaves=st.integers(2, 40),
    features=st.integers(1, 12),
    missing=st.sampled_from([{}, {"zero_as_missing": True}, {"use_missing": False}]),
)
def test_random_models_are_explained_as_lightgbm_does(
    seed: int, leaves: int, features: int, missing: dict[str, Any]
) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, features))
    categories = list(range(features // 2, features)) if features > 1 else []
    for column in categories:
        X[:, column] = rng.integers(0, int(rng.integers(2, 80)), 300)
    X[rng.random(X.shape) < 0.1] = np.nan
    X[rng.random(X.shape) < 0.1] = 0.0
    y = np.nan_to_num(X).sum(axis=1) + rng.normal(size=300) + 5 * (X[:, -1] == 1.0)
    oracle = trained(X, y, num_leaves=leaves, categories=categories, **missing)
    asked = X[:60].copy()
    for odd in ODD:
        asked[rng.random(asked.shape) < 0.03] = odd
    judged(oracle, asked)


def by_fractions(tree: Tree, x: np.ndarray) -> list[Fraction]:
    """Each feature's value by the integral over its polynomial, leaf by leaf, without rounding."""
    found = [Fraction(0)] * len(x)
    stack: list[tuple[int, dict[int, tuple[Fraction, int]]]] = [(0, {})]
    while stack:
        node, path = stack.pop()
        if node >= 0:
            feature = int(tree.feature[node])
            for went, child in ((True, int(tree.left[node])), (False, int(tree.right[node]))):
                came = tree.cover[child] if child >= 0 else tree.leaf_cover[~child]
                share, passed = path.get(feature, (Fraction(1), 1))
                share *= Fraction(int(came), int(tree.cover[node]))
                passed *= (x[feature] <= tree.threshold[node]) == went
                stack.append((child, {**path, feature: (share, passed)}))
            continue
        for feature, (share, passed) in path.items():
            powers = [Fraction(1)]
            for other, (p, o) in path.items():
                if other != feature:
                    moved = [Fraction(0), *(c * (o - p) for c in powers)]
                    powers = [c * p + m for c, m in zip([*powers, Fraction(0)], moved, strict=True)]
            integral = sum((c / (k + 1) for k, c in enumerate(powers)), Fraction(0))
            found[feature] += Fraction(float(tree.leaf_value[~node])) * (passed - share) * integral
    return found


def test_a_path_of_more_features_than_sixteen_is_exact() -> None:
    # Everything but the row of all ones lacks one: each split takes one row from a long chain.
    # Here `pred_contrib` itself begins to round: of 41 features it is wrong by 4e-7.
    n = 24
    X = np.vstack([1.0 - np.eye(n), np.ones((3, n))]).repeat(3, axis=0)
    y = np.arange(len(X)) / 10.0 + 100.0 * (X.sum(axis=1) == n)
    oracle = trained(X, y, 1, num_leaves=n + 1, max_bin=4, min_data_in_bin=1)
    text = oracle.model_to_string()
    model = Shapley(text, n)
    assert model.tables.trees[:, 3].max() == 12
    asked = np.vstack([X[[4, -1]], np.random.default_rng(0).integers(0, 2, (1, n))])
    expected = [[float(part) for part in by_fractions(read_trees(text)[0], x)] for x in asked]
    found = model.contributions(asked)[:, :-1]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_feature_asked_again_and_again_in_a_path_is_exact() -> None:
    rng = np.random.default_rng(1)
    X = np.round(rng.normal(size=(800, 2)), 2)
    oracle = trained(X, np.exp(X[:, 0]) + np.sin(5 * X[:, 1]), num_leaves=120)
    model = Shapley(oracle.model_to_string(), 2)
    assert (model.tables.links[:, 4] >= 0).mean() > 0.8
    judged(oracle, X[:200])


def test_trees_that_never_split_have_only_an_expected_value() -> None:
    X = np.zeros((50, 3))
    oracle = trained(X, np.full(50, 2.5))
    assert judged(oracle, X[:4]).tolist() == [[0.0, 0.0, 0.0, 2.5]] * 4


def test_counts_that_do_not_add_up_are_taken_as_lightgbm_takes_them(made: Any) -> None:
    # Trees grown on several machines estimate how many rows went where.
    rng = np.random.default_rng(2)

    def estimated(line: re.Match[str]) -> str:
        counts = [str(int(int(n) * rng.uniform(0.5, 1.0)) + 1) for n in line[2].split()]
        return line[1] + " ".join(counts)

    text = re.sub(r"((?:leaf|internal)_count=)(.*)", estimated, made.bundle.engine.text)
    text = re.sub(r"tree_sizes=.*\n", "", text)  # by which LightGBM would look for the next tree
    found = Shapley(text, 5).contributions(made.X[:200])
    judged(lightgbm.Booster(model_str=text), made.X[:200], found)


def test_the_uncompiled_kernel_says_the_same(made: Any) -> None:
    X = np.vstack([made.X[:12], np.full((1, 5), np.nan)])
    plain = Shapley(made.bundle.engine.text, 5, kernel.explain)
    judged(made.oracle, X, plain.contributions(X))


def test_a_row_gets_the_same_bits_alone_in_a_batch_and_from_threads(made: Any) -> None:
    model = made.bundle.engine.shapley
    together = model.contributions(made.X[:100])
    np.testing.assert_array_equal(model.contributions(made.X[:100], threads=3), together)
    alone = np.vstack([model.contributions(made.X[i : i + 1]) for i in range(100)])
    np.testing.assert_array_equal(alone, together)


def test_tables_of_three_hundred_trees_are_small() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 8))
    oracle = trained(X, X.sum(axis=1), trees=300, num_leaves=31)
    # 64 MiB hold 1,000 trees of 63 leaves, and then some.
    assert Shapley(oracle.model_to_string(), 8).tables.nbytes < 2 * 2**20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("\nlabel_index", "\naverage_output\nlabel_index"), "averages"),
        (lambda text: text.replace("is_linear=0", "is_linear=1"), "linear model"),
        (lambda text: text.replace("left_child", "left"), "no line 'left_child'"),
    ],
)
def test_a_model_without_contributions_is_refused(change: Any, words: str, made: Any) -> None:
    with pytest.raises(TreesError, match=words) as refused:
        Shapley(change(made.bundle.engine.text), 5)
    assert isinstance(refused.value, NextbestError)


def test_the_second_process_finds_the_machine_code(
    made: Any, tmp_path: Path, machine_code: Path, pytestconfig: Any
) -> None:
    path = tmp_path / "booster.txt"
    made.oracle.save_model(path)
    program = (
        "import pathlib, sys, numpy\n"
        "from models.shapley import machine_code\n"
        f"explain = machine_code.compiled(pathlib.Path({str(machine_code)!r}))\n"
        "from models.booster import Booster\n"
        f"booster = Booster.load(pathlib.Path({str(path)!r}))\n"
        "print(booster.contributions(numpy.zeros((1, 5))).sum())\n"
        "assert not {'lightgbm', 'sklearn', 'pandas'} & set(sys.modules)\n"
        "print(sum(explain.stats.cache_hits.values()))\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=pytestconfig.rootpath,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    margin = made.bundle.engine.margin([0.0] * 5)
    assert [float(sum_) for sum_, _ in said] == pytest.approx([margin, margin], abs=1e-9)
    assert said[1][1] == "1"
