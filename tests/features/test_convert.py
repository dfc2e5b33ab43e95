from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import convert
from features.errors import BadInputError
from features.kernel import NULL


def column(values: list[Any], kind: Any = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@settings(deadline=None)  # the first call imports
@given(st.lists(st.none() | st.floats()))
def test_a_float_is_a_whole_number_or_wrong_but_never_rounded(values: list[float | None]) -> None:
    found = convert.integers(column(values, pa.float64()), "")
    for value, number, wrong in zip(values, found.values.tolist(), found.wrong, strict=True):
        if value is None:
            assert (number, wrong) == (NULL, False)
        elif math.isfinite(value) and value == int(value) and abs(value) < 2**63:
            assert (number, wrong) == (int(value), False)
        else:
            assert (number, wrong) == (NULL, True)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([NULL], pa.int64()),
        ([2**64 - 1], pa.uint64()),
        (["12.5"], pa.string()),
        (["1e400"], pa.string()),
        (["twelve"], pa.string()),
        (["NaN"], pa.string()),
        ([Decimal("1.01")], pa.decimal128(5, 2)),
        ([Decimal(10) ** 19], pa.decimal128(25, 0)),
    ],
)
def test_what_is_no_int64_is_wrong_in_whatever_type_it_comes(values: list[Any], kind: Any) -> None:
    found = convert.integers(column(values, kind), "")
    assert (found.values.tolist(), found.wrong.tolist()) == ([NULL], [True])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([7, None], pa.int8()),
        ([7, None], pa.uint64()),
        (["7", " "], pa.string()),
        (["7.0", None], pa.large_string()),
        ([Decimal("7.00"), None], pa.decimal128(5, 2)),
        (["7", None], pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_a_whole_number_is_read_from_whatever_type_it_comes_in(
    values: list[Any], kind: Any
) -> None:
    found = convert.integers(column(values, kind), "")
    assert (found.values.tolist(), found.wrong.any()) == ([7, NULL], False)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["2017-12-04"], None),
        (["2017-12-04T00:00"], pa.large_string()),
        (["2017-12-04T05:00:00Z"], None),
        (["2017-12-04T06:00:00+01:00"], None),
        (["1512363600000000"], None),
        ([1512363600000000], None),
        ([1512363600000000.0], pa.float64()),
        ([date(2017, 12, 4)], pa.date32()),
        ([datetime(2017, 12, 4)], pa.timestamp("ns")),
        ([datetime(2017, 12, 4)], pa.timestamp("s")),
        ([1512363600000], pa.timestamp("ms", "Asia/Seoul")),
    ],
)
def test_a_time_is_read_from_whatever_type_it_comes_in(values: list[Any], kind: Any) -> None:
    found = convert.instants(column([*values, None], kind), "", "America/New_York")
    assert found.values.tolist() == [1512363600000000, NULL]
    assert not found.wrong.any()


def test_eight_digits_are_a_date_as_iso_8601_has_it() -> None:
    found = convert.instants(column(["20171204"]), "", "UTC")
    assert found.values.tolist() == [1512345600000000]


@pytest.mark.parametrize("value", ["soon", "2017-02-30", "-", 2**62, "99999999999999999999"])
def test_what_is_no_time_is_wrong(value: Any) -> None:
    found = convert.instants(column([value]), "", "UTC")
    assert (found.values.tolist(), found.wrong.tolist()) == ([NULL], [True])


def test_blank_text_is_missing_and_other_text_stays_as_it_is() -> None:
    read = convert.texts(column([" a ", "", "  ", None, "b"]), "")
    assert read.to_pylist() == [" a ", None, None, None, "b"]


def test_whole_numbers_are_texts_of_their_digits_and_an_empty_column_is_empty() -> None:
    assert convert.texts(column([12, None]), "").to_pylist() == ["12", None]
    assert len(convert.texts(pa.chunked_array([], pa.string()), "")) == 0


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (lambda c: convert.texts(c, "shop.csv: the column 'item'"), pa.float64()),
        (lambda c: convert.integers(c, "shop.csv: the column 'item'"), pa.bool_()),
        (lambda c: convert.instants(c, "shop.csv: the column 'item'", "UTC"), pa.bool_()),
    ],
)
def test_an_unusable_type_is_refused_with_the_column_and_what_it_should_be(
    read: Any, kind: Any
) -> None:
    with pytest.raises(
        BadInputError, match=rf"shop.csv: the column 'item' is of type {kind}. Give"
    ):
        read(column([None], kind))
