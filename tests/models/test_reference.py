from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from features.errors import BadInputError
from models.encoder import Column
from models.reference import Distribution, Reference

NUMBER = Column("orders", "int")
TEXT = Column("channel", "category", ("mail", "web", "shop"))


def reference_of(margins: Any) -> Reference:
    quantiles = tuple(np.quantile(margins, np.linspace(0.0, 1.0, 101)).tolist())
    return Reference({}, len(margins), margin_quantiles=quantiles)


def test_a_percentile_is_the_share_of_the_reference_below() -> None:
    margins = np.random.default_rng(0).normal(size=10_000)
    asked = np.linspace(-5, 5, 201)
    found = reference_of(margins).percentile(asked)
    expected = [percentileofscore(margins, value, kind="mean") for value in asked]
    np.testing.assert_allclose(found, expected, atol=1.0)
    assert found[0] == 0.0
    assert found[-1] == 100.0


def test_ties_share_the_middle_of_their_places() -> None:
    tied = reference_of(np.repeat([0.0, 1.0, 2.0], [2_000, 6_000, 2_000]))
    np.testing.assert_allclose(tied.percentile([0.0, 1.0, 2.0]), [10.0, 50.0, 90.0], atol=1.0)


def test_of_a_constant_model_everyone_is_in_the_middle() -> None:
    constant = reference_of(np.zeros(500))
    assert constant.percentile([0.0, -1.0, 1.0]).tolist() == [50.0, 0.0, 100.0]
    assert constant.graded(np.array([0.5]), np.array([50.0])).tolist() == ["C"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.lists(st.floats(-1e7, 1e7), min_size=2))
def test_a_higher_margin_never_has_a_lower_percentile(
    margins: list[float], asked: list[float]
) -> None:
    found = reference_of(margins).percentile(sorted(asked))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 100)).all()


@pytest.mark.parametrize(
    ("percentile", "grade"),
    [(100.0, "A"), (90.0, "A"), (89.9, "B"), (70.0, "B"), (69.9, "C"), (40.0, "C"), (39.9, "D"),
     (0.0, "D")],
)  # fmt: skip
def test_a_bundle_without_cut_points_is_graded_by_percentile(percentile: float, grade: str) -> None:
    found = reference_of([0.0, 1.0]).graded(np.array([0.5]), np.array([percentile]))
    assert found.tolist() == [grade]


def test_with_cut_points_the_probability_alone_decides_the_grade() -> None:
    cuts = (("A", 0.5), ("B", 0.3), ("C", 0.1), ("D", 0.0))
    reference = replace(reference_of([0.0, 1.0]), cuts=cuts)
    asked = np.array([1.0, 0.5, 0.4999, 0.3, 0.1, 0.0999, 0.0])
    assert "".join(reference.graded(asked, np.zeros(7))) == "AABBCDD"
    assert "".join(reference.graded(asked, np.full(7, 100.0))) == "AABBCDD"


def test_the_cut_points_of_an_older_bundle_are_those_of_its_percentiles() -> None:
    older = replace(
        reference_of([0.0, 1.0]), probability_quantiles=tuple((np.arange(101) / 200).tolist())
    )
    cuts = older.least_probabilities
    assert cuts == (("A", 0.45), ("B", 0.35), ("C", 0.2), ("D", 0.0))


def test_shares_of_numbers_are_counted_between_the_deciles() -> None:
    values = np.array([*range(100), *[np.nan] * 20, np.inf, *[np.nan] * 4])
    distribution = Distribution.of(values, NUMBER)
    assert len(distribution.edges) == 9
    np.testing.assert_allclose(distribution.shares, [*[0.08] * 10, 0.2])
    shifted = distribution.shares_of(np.array([-5.0, 1e9, 1e9, np.nan]))
    assert shifted.tolist() == [0.25, *[0.0] * 8, 0.5, 0.25]


def test_shares_of_texts_are_counted_by_code() -> None:
    values = np.array([0.0, 0.0, 2.0, np.nan])
    assert Distribution.of(values, TEXT).shares == (0.5, 0.0, 0.25, 0.25)


def test_a_column_that_is_always_the_same_or_missing_has_one_bin() -> None:
    assert Distribution.of(np.full(10, 3.0), NUMBER).shares == (0.0, 1.0, 0.0)
    assert Distribution.of(np.full(10, np.nan), NUMBER).shares == (0.0, 1.0)
    assert Distribution.of(np.full(10, np.nan), Column("x", "category")).shares == (0.0, 1.0)


@given(st.lists(st.floats() | st.integers(0, 3).map(float), min_size=1))
def test_shares_sum_to_one(values: list[float]) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        shares = Distribution.of(np.array(values), NUMBER).shares
    assert sum(shares) == pytest.approx(1.0)


def test_no_rows_describe_nothing() -> None:
    with pytest.raises(BadInputError, match="no rows"):
        Distribution.of(np.empty(0), NUMBER)


def test_a_reference_survives_json(made: Any) -> None:
    reference = made.bundle.reference
    assert Reference.from_json(json.loads(json.dumps(reference.to_json()))) == reference
    assert [grade for grade, _ in reference.cuts] == list("ABCD")
    older = {name: part for name, part in reference.to_json().items() if name != "cuts"}
    assert Reference.from_json(older).cuts == ()
    assert set(reference.features) == {"orders", "spent", "age", "channel", "member"}
    assert len(reference.probability_quantiles) == 101
