from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import BadInputError
from models.encoder import NULL, Column, Encoder

COLUMNS = (
    Column("orders", "int"),
    Column("spent", "float"),
    Column("member", "bool"),
    Column("age", "ordinal", ("young", "old")),
    Column("channel", "category", ("mail", "web")),
)
ENCODER = Encoder(COLUMNS)
LEVELS = {column.name: column.levels for column in COLUMNS}


def obvious(value: Any, column: Column) -> float:
    """The encoding of one value, as the contract says it."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return np.nan
    if column.dtype in ("category", "ordinal"):
        return float(column.levels.index(value)) if value in column.levels else np.nan
    return np.nan if value == NULL else float(value)


numbers = st.none() | st.integers(NULL, 2**63 - 1) | st.floats(width=64)
texts = st.none() | st.sampled_from(["young", "old", "mail", "web", "", "never seen"]) | st.text()
rows = st.lists(
    st.tuples(numbers, numbers, st.none() | st.booleans(), texts, texts), min_size=1, max_size=6
)


@given(rows)
def test_one_row_many_rows_and_the_oracle_agree(rows: list[tuple[Any, ...]]) -> None:
    expected = [[obvious(v, c) for v, c in zip(row, COLUMNS, strict=True)] for row in rows]
    columns = {
        column.name: np.array([row[i] for row in rows], dtype=object)
        for i, column in enumerate(COLUMNS)
    }
    np.testing.assert_array_equal([ENCODER.encode(row) for row in rows], expected)
    np.testing.assert_array_equal(ENCODER.transform(columns), expected)
    np.testing.assert_array_equal(ENCODER.transform(pd.DataFrame(columns)), expected)


def test_typed_columns_pass_through() -> None:
    frame = pd.DataFrame(
        {
            "orders": np.array([3, NULL], dtype=np.int64),
            "spent": np.array([1.5, np.inf]),
            "member": [True, False],
            "age": pd.Series(["old", None], dtype="str"),
            "channel": pd.Categorical(["web", "shop"]),
        }
    )
    before = frame.copy(deep=True)
    nan = np.nan
    expected = [[3.0, 1.5, 1.0, 1.0, 1.0], [nan, np.inf, 0.0, nan, nan]]
    np.testing.assert_array_equal(ENCODER.transform(frame), expected)
    pd.testing.assert_frame_equal(frame, before)


def test_the_vocabulary_is_that_of_training_whatever_subset_comes() -> None:
    X = {"channel": ["web", "mail", None, "shop"], "age": ["old", "old", None, "old"]}
    encoder = Encoder.fit(X, [Column("channel", "category"), COLUMNS[3]])
    assert encoder.columns[0].levels == ("mail", "shop", "web")
    assert encoder.columns[1].levels == ("young", "old")
    assert encoder.categorical == [0]
    subset = {"channel": ["web", "fax"], "age": ["young", None]}
    np.testing.assert_array_equal(encoder.transform(subset), [[2.0, 0.0], [np.nan, np.nan]])


def test_an_encoder_survives_json() -> None:
    again = Encoder.from_json(json.loads(json.dumps(ENCODER.to_json())))
    assert again.columns == ENCODER.columns
    assert again.names == ("orders", "spent", "member", "age", "channel")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (0, "12", "'orders' is a number, got str"),
        (0, True, "'orders' is a number, got bool"),
        (0, Decimal(3), "'orders' is a number, got Decimal"),
        (0, 10**400, "'orders' is a number, got one beyond 64 bits"),
        (0, 2j, "'orders' is a number, got complex"),
        (2, "yes", "'member' is a number, got str"),
        (3, 2, "'age' is text, got int"),
        (4, 1.5, "'channel' is text, got float"),
        (4, ["web"], "'channel' is text, got list"),
    ],
)
def test_a_value_of_another_type_is_refused_without_repeating_it(
    place: int, value: Any, words: str
) -> None:
    row = [1, 2.0, True, "old", "web"]
    row[place] = value
    with pytest.raises(BadInputError, match=words):
        ENCODER.encode(row)
    columns = {c.name: np.array([None], dtype=object) for c in COLUMNS}
    columns[COLUMNS[place].name][0] = value
    with pytest.raises(BadInputError, match=words):
        ENCODER.transform(columns)


@pytest.mark.parametrize(
    "values", [np.array(["3"]), np.array(["2017-01-01"], "M8[ns]"), np.array([True])]
)
def test_a_column_of_another_type_is_refused(values: np.ndarray) -> None:
    with pytest.raises(BadInputError, match="'orders' is a number"):
        Encoder(COLUMNS[:1]).transform({"orders": values})


def test_a_missing_column_and_a_short_row_are_refused() -> None:
    with pytest.raises(BadInputError, match="no column 'orders'"):
        ENCODER.transform({"spent": [1.0]})
    with pytest.raises(BadInputError, match="4 values, the model takes 5"):
        ENCODER.encode([1, 2.0, True, "old"])


def test_a_feature_that_no_engine_takes_is_refused() -> None:
    with pytest.raises(BadInputError, match="of type 'instant'"):
        Encoder.fit({}, [Column("ends_at", "instant")])


def test_text_that_is_no_text_is_refused_in_training() -> None:
    with pytest.raises(BadInputError, match="'channel' is text, got int"):
        Encoder.fit({"channel": ["web", 3]}, [Column("channel", "category")])
