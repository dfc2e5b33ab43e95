from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import BadInputError
from models.linear import Linear, Term

number = st.floats(-100, 100)
terms = st.builds(
    Term,
    column=st.integers(0, 3),
    kind=st.sampled_from(["number", "level"]),
    transform=st.sampled_from(["none", "log1p"]),
    mean=number,
    scale=st.floats(0.01, 100),
    coefficient=number,
    missing_coefficient=number,
    level=st.integers(0, 4).map(float),
)
linears = st.builds(Linear, number, st.lists(terms, max_size=6).map(tuple))
value = (
    st.floats(-1e6, 1e6)
    | st.sampled_from([math.nan, math.inf, -math.inf])
    | st.integers(0, 4).map(float)
)
matrices = st.lists(st.tuples(value, value, value, value), min_size=1, max_size=5)


def added(term: Term, x: float) -> float:
    """What a term adds, as its docstring says."""
    if not math.isfinite(x):
        return term.missing_coefficient
    if term.kind == "level":
        t = 1.0 if x == term.level else 0.0
    elif term.transform == "log1p":
        t = math.copysign(math.log1p(abs(x)), x)
    else:
        t = x
    return term.coefficient * ((t - term.mean) / term.scale)


@given(linears, matrices)
def test_margins_are_the_sum_of_the_terms(linear: Linear, rows: list[Any]) -> None:
    X = np.array(rows)
    margins = linear.margins(X)
    expected = [linear.intercept + sum(added(t, row[t.column]) for t in linear.terms) for row in X]
    np.testing.assert_allclose(margins, expected, rtol=1e-9, atol=1e-2)


@given(linears, matrices)
def test_one_row_gives_the_bits_it_gives_among_many(linear: Linear, rows: list[Any]) -> None:
    X = np.array(rows)
    np.testing.assert_array_equal([linear.margin(row) for row in X], linear.margins(X))


@given(linears, st.lists(st.tuples(number, number, number, number), min_size=1, max_size=5))
def test_contributions_sum_to_the_margin(linear: Linear, rows: list[Any]) -> None:
    X = np.array(rows)
    contributions = linear.contributions(X)
    assert contributions.shape == (len(X), 5)
    assert (contributions[:, -1] == linear.intercept).all()
    np.testing.assert_allclose(contributions.sum(axis=1), linear.margins(X), rtol=1e-9, atol=1e-6)


@given(linears)
def test_a_linear_survives_json(linear: Linear) -> None:
    assert Linear.from_json(json.loads(json.dumps(linear.to_json()))) == linear


def test_without_terms_everyone_gets_the_constant() -> None:
    X = np.array([[1.0, np.nan], [np.inf, 2.0]])
    assert Linear(-0.7).margins(X).tolist() == [-0.7, -0.7]
    assert Linear(-0.7).contributions(X).tolist() == [[0.0, 0.0, -0.7]] * 2
    assert Linear(-0.7).margins(np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    "term",
    [
        Term(0, scale=0.0),
        Term(0, scale=-1.0),
        Term(-1),
        Term(0, mean=np.nan),
        Term(0, coefficient=np.inf),
        Term(0, kind="both"),  # type: ignore[arg-type]
        Term(0, transform="sqrt"),  # type: ignore[arg-type]
    ],
)
def test_a_term_that_cannot_be_computed_is_refused(term: Term) -> None:
    with pytest.raises(BadInputError):
        Linear(0.0, (term,))


def test_an_intercept_that_is_no_number_is_refused() -> None:
    with pytest.raises(BadInputError):
        Linear(float("nan"))
