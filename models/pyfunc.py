"""The published files behind MLflow's own interface, for those who expect one.

MLflow runs this file as it stands ("models from code"): it needs numpy and lightgbm and nothing of
ours, so `mlflow models serve`, `pyfunc.load_model` and `spark_udf` work where Nextbest is not
installed. The answers are those of `models.score.Scorer`.

    mlflow.pyfunc.log_model(
        name="churn", python_model="models/pyfunc.py", artifacts={"bundle": "path/of/the/folder"}
    )
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class PublishedModel(PythonModel):  # type: ignore[misc]  # mlflow has no types
    """Encoder, engine and calibrator read from the artifact `bundle`."""

    # Input is checked by the encoder; without this mlflow warns at each publish and load that it
    # would like type hints to check it by.
    _skip_type_hint_validation = True

    def load_context(self, context: Any) -> None:
        """Read the published files."""
        folder = Path(context.artifacts["bundle"])

        def read(name: str) -> Any:
            return json.loads((folder / name).read_bytes())

        self.columns = read("encoder.json")["columns"]
        self.curve = read("calibrator.json")
        self.answer: Callable[[Floats], NDArray[Any]]
        if (folder / "segments.npz").is_file():
            with np.load(folder / "segments.npz", allow_pickle=False) as arrays:
                clusters = dict(arrays)
            ids = np.array([segment["id"] for segment in read("spec.json")["segments"]])
            self.answer = lambda X: ids[_segments(clusters, X)]
            return
        parts: list[Callable[[Floats], Floats]] = []  # a blend has both
        if (folder / "linear.json").is_file():
            linear = read("linear.json")
            parts.append(lambda X: _linear(linear, X))
        if (folder / "booster.txt").is_file():
            booster = lightgbm.Booster(model_file=folder / "booster.txt")
            parts.append(lambda X: np.asarray(booster.predict(X, raw_score=True, num_threads=1)))
        self.answer = lambda X: self._calibrated(np.sum([part(X) for part in parts], axis=0))

    def predict(
        self, context: Any, model_input: Any, params: dict[str, Any] | None = None
    ) -> NDArray[Any]:
        """Return the probability of each row, float64[n]; of a segment model the segment, int64[n].

        Parameters
        ----------
        context : PythonModelContext
        model_input : DataFrame or mapping of column names to values
            Raw feature values by name, in any order; None or NaN is missing.
        params : dict, optional
            None are known.
        """
        return self.answer(np.column_stack([_encoded(model_input, c) for c in self.columns]))

    def _calibrated(self, margins: Floats) -> Floats:
        if "margins" in self.curve:  # isotonic, venn_abers
            p = np.interp(margins, self.curve["margins"], self.curve["probabilities"])
            return np.asarray(p)
        line = margins * self.curve.get("slope", 1.0) + self.curve.get("intercept", 0.0)
        small = np.exp(-np.abs(line))
        return np.asarray(np.where(line >= 0, 1.0, small) / (1.0 + small))


def _encoded(frame: Any, column: dict[str, Any]) -> Floats:
    values = np.asarray(frame[column["name"]], dtype=object)
    if column["dtype"] in ("category", "ordinal"):
        codes = {level: float(code) for code, level in enumerate(column["levels"])}
        return np.array([codes.get(value, np.nan) for value in values], dtype=np.float64)
    return values.astype(np.float64)  # None becomes NaN


def _transformed(values: Floats, is_log: Any) -> tuple[Floats, NDArray[np.bool_]]:
    missing = ~np.isfinite(values)
    known = np.where(missing, 0.0, values)
    return np.where(is_log, np.copysign(np.log1p(np.abs(known)), known), known), missing


def _linear(linear: dict[str, Any], X: Floats) -> Floats:
    margins = np.full(len(X), linear["intercept"])
    for term in linear["terms"]:
        column = X[:, term["column"]]
        t, missing = _transformed(column, term["transform"] == "log1p")
        if term["kind"] == "level":
            t = np.where(column == term["level"], 1.0, 0.0)
        added = term["coefficient"] * ((t - term["mean"]) / term["scale"])
        margins = margins + np.where(missing, term["missing_coefficient"], added)
    return margins


def _segments(clusters: dict[str, Any], X: Floats) -> NDArray[np.int64]:
    values = X[:, clusters["columns"]]
    level = clusters.get("level", np.full(values.shape[1], np.nan))
    bounded = np.clip(values, clusters.get("low", -np.inf), clusters.get("high", np.inf))
    # Clipping would take an infinite value for a known one.
    known, missing = _transformed(np.where(np.isfinite(values), bounded, np.nan), clusters["log1p"])
    known = np.where(np.isfinite(level), values == level, known)
    scaled = (known - clusters["mean"]) / clusters["scale"]
    scaled = np.where(missing, clusters.get("absent", 0.0), scaled)
    squares = [np.cumsum((scaled - center) ** 2, axis=1)[:, -1] for center in clusters["centers"]]
    return np.asarray(np.argmin(np.sqrt(squares), axis=0), dtype=np.int64)


set_model(PublishedModel())
