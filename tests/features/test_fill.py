"""Integers of Arrow as int64, wherever a column is cut and whatever is missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from features.fill import fill
from features.kernel import NULL


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64()], ids=str)
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100, 8 * 8192 + 3])
def test_every_value_lands_where_it_was_and_the_missing_are_null(kind: pa.DataType, size: int):
    chance = np.random.default_rng(size)
    values = pa.array(chance.integers(-9, 9, size + 21), kind, mask=chance.random(size + 21) < 0.4)
    column = pa.chunked_array([values.slice(0, size // 3), values.slice(5, size), values[:2]])
    row = np.full(len(column), 5, np.int64)
    fill(row, column)
    assert [None if value == NULL else value for value in row.tolist()] == column.to_pylist()
