from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from models import pyfunc
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.clusters import Clusters
from models.score import Scorer


def wrapped(bundle: Bundle, folder: Path) -> pyfunc.PublishedModel:
    context = SimpleNamespace(artifacts={"bundle": str(bundle.save(folder))})
    model = pyfunc.PublishedModel()
    model.load_context(context)
    return model


def expected(bundle: Bundle, X: np.ndarray) -> np.ndarray:
    if isinstance(bundle.engine, Clusters):
        ids = np.array([segment.id for segment in bundle.spec.segments])
        return ids[bundle.engine.assign(X)]
    return Scorer(bundle).probabilities(X)


def test_it_answers_what_the_scorer_answers(any_bundle: Bundle, made: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame(made.columns)
    frame.loc[0, "channel"] = "never seen"
    found = wrapped(any_bundle, tmp_path / "1").predict(None, frame[frame.columns[::-1]])
    X = any_bundle.encoder.transform(frame)
    np.testing.assert_array_equal(found, expected(any_bundle, X))


def test_a_segment_keeps_its_id_and_levels_are_axes(
    segment_bundle: Bundle, made: Any, tmp_path: Path
) -> None:
    k = len(segment_bundle.engine.columns)  # type: ignore[union-attr]
    place = [column.dtype for column in segment_bundle.encoder.columns].index("category")
    clusters = replace(
        segment_bundle.engine,  # type: ignore[type-var]
        columns=np.array([place, 1]),
        level=np.array([1.0, np.nan]),
        low=np.full(k, -np.inf),
        high=np.array([np.inf, 90.0]),
        absent=np.array([0.7, 0.1]),
        centers=np.array([[0.0, 0.0], [-2.0, -0.5], [-1.6, -5.0]]),
    )
    segments = tuple(
        replace(each, id=lasting)
        for each, lasting in zip(segment_bundle.spec.segments, (4, 0, 7), strict=True)
    )
    bundle = replace(
        segment_bundle, spec=replace(segment_bundle.spec, segments=segments), engine=clusters
    )
    frame = pd.DataFrame(made.columns)
    found = wrapped(bundle, tmp_path / "1").predict(None, frame)
    np.testing.assert_array_equal(found, expected(bundle, bundle.encoder.transform(frame)))
    assert set(found) == {4, 0, 7}


@pytest.mark.parametrize(
    "calibrator", [Calibrator.identity(), Calibrator.isotonic([-1.0, 1.0], [0.2, 0.7])]
)
def test_it_knows_every_calibration(calibrator: Calibrator, made: Any, tmp_path: Path) -> None:
    bundle = Bundle.of(
        made.bundle.spec, made.bundle.encoder, made.bundle.engine, calibrator, made.X
    )
    found = wrapped(bundle, tmp_path / "1").predict(None, pd.DataFrame(made.columns))
    np.testing.assert_array_equal(found, expected(bundle, made.X))


def test_it_imports_nothing_but_numpy_lightgbm_and_mlflow() -> None:
    tree = ast.parse(Path(pyfunc.__file__).read_text(encoding="utf-8"))
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    standard = {"__future__", "collections", "json", "pathlib", "typing"}
    assert imported - standard == {"numpy", "lightgbm", "mlflow"}


def test_mlflow_saves_and_loads_it_as_code(made: Any, tmp_path: Path) -> None:
    folder = made.bundle.save(tmp_path / "bundle")
    mlflow.pyfunc.save_model(
        tmp_path / "model",
        python_model=pyfunc.__file__,
        artifacts={"bundle": str(folder)},
        pip_requirements=["numpy", "lightgbm"],
    )
    assert not list((tmp_path / "model").rglob("*.pkl"))
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    frame = pd.DataFrame(made.columns).head(50)
    np.testing.assert_array_equal(loaded.predict(frame), expected(made.bundle, made.X[:50]))
