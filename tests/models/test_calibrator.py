from __future__ import annotations

import json
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from features.errors import BadInputError
from models.calibrator import Calibrator

CALIBRATORS = [
    Calibrator.identity(),
    Calibrator.sigmoid(0.1 + 0.2, -1 / 3),
    Calibrator.sigmoid(0.0, -1.0),
    Calibrator.isotonic([-1.0, 0.1, 2.5], [0.0, 1 / 3, 1.0]),
    Calibrator.isotonic([0.0], [0.25]),
    Calibrator.venn_abers([-2.0, 0.3, 1.0], [0.05, 1 / 7, 0.9]),
]


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda c: c.method)
@given(margins=st.lists(st.floats(allow_nan=False), min_size=2))
def test_probabilities_never_fall_as_margins_rise(
    calibrator: Calibrator, margins: list[float]
) -> None:
    if calibrator.slope == 0.0:
        margins = [m for m in margins if np.isfinite(m)] or [0.0]
    p = calibrator.probability(sorted(margins))
    assert (np.diff(p) >= 0).all()
    assert ((p >= 0) & (p <= 1)).all()


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda c: c.method)
def test_one_margin_gives_the_bits_it_gives_among_many(calibrator: Calibrator) -> None:
    margins = np.random.default_rng(0).normal(scale=3.0, size=1_000)
    many = calibrator.probability(margins)
    np.testing.assert_array_equal([calibrator.probability(m) for m in margins], many)
    np.testing.assert_array_equal(calibrator.probability(margins[:, None])[:, 0], many)


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda c: c.method)
def test_a_calibrator_survives_json(calibrator: Calibrator) -> None:
    assert Calibrator.from_json(json.loads(json.dumps(calibrator.to_json()))) == calibrator


def test_the_curves_are_those_of_their_papers() -> None:
    margins = np.linspace(-5, 5, 101)
    logistic = [1 / (1 + exp(-m)) for m in margins]
    np.testing.assert_allclose(Calibrator.identity().probability(margins), logistic, rtol=1e-14)
    platt = [1 / (1 + exp(-(2 * m - 1))) for m in margins]
    sigmoid = Calibrator.sigmoid(2.0, -1.0)
    np.testing.assert_allclose(sigmoid.probability(margins), platt, rtol=1e-14)


def test_isotonic_gives_what_scikit_learn_gives() -> None:
    rng = np.random.default_rng(1)
    margins = rng.normal(size=500)
    y = (rng.random(500) < 1 / (1 + np.exp(-margins))).astype(float)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(margins, y)
    calibrator = Calibrator.isotonic(oracle.X_thresholds_, oracle.y_thresholds_)
    asked = rng.normal(scale=3.0, size=300)
    np.testing.assert_allclose(calibrator.probability(asked), oracle.predict(asked), atol=1e-12)


def test_margins_beyond_all_bounds_give_no_warning() -> None:
    p = Calibrator.identity().probability([-np.inf, -1e308, 1e308, np.inf])
    np.testing.assert_array_equal(p, [0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Calibrator("temperature"),  # type: ignore[arg-type]
        lambda: Calibrator.sigmoid(-1.0, 0.0),
        lambda: Calibrator.sigmoid(np.nan, 0.0),
        lambda: Calibrator.sigmoid(1.0, np.inf),
        lambda: Calibrator.isotonic([], []),
        lambda: Calibrator.isotonic([0.0, 1.0], [0.5]),
        lambda: Calibrator.isotonic([0.0, np.inf], [0.5, 0.6]),
        lambda: Calibrator.isotonic([0.0, 0.0], [0.5, 0.6]),
        lambda: Calibrator.isotonic([0.0, 1.0], [0.6, 0.5]),
        lambda: Calibrator.isotonic([0.0, 1.0], [0.5, 1.1]),
        lambda: Calibrator.isotonic([0.0, 1.0], [0.5, np.nan]),
        lambda: Calibrator.venn_abers([0.0, 1.0], [0.6, 0.5]),
    ],
)
def test_what_is_no_rising_curve_is_refused(make: object) -> None:
    with pytest.raises(BadInputError, match="A calibrator got"):
        make()  # type: ignore[operator]
