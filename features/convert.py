"""Columns as sources give them, turned into text, whole numbers and instants, row by row."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.clock import EARLIEST, LATEST, parse_instant, zone
from features.errors import BadInputError
from features.kernel import NULL

_TOP = int(np.iinfo(np.int64).max)


class Converted(NamedTuple):
    """A converted column: int64 values (`NULL` where missing or wrong) and which are wrong."""

    values: NDArray[np.int64]
    wrong: NDArray[np.bool_]


def texts(column: pa.ChunkedArray, where: str) -> pa.Array:
    """Return a column as text, null where it is empty or blank; whole numbers become their digits.

    Raises
    ------
    BadInputError
        The column holds neither text nor whole numbers, so that its spelling would be a guess.
    """
    column = _flat(column)
    if pa.types.is_null(column.type) or pa.types.is_integer(column.type):
        return column.cast(pa.string())
    if not _is_text(column.type):
        raise _wrong_type(where, column.type, "text or whole numbers")
    column = column.cast(pa.string())
    blank = pc.equal(pc.utf8_trim_whitespace(column), "")
    return pc.if_else(pc.fill_null(blank, True), pa.scalar(None, pa.string()), column)


def integers(column: pa.ChunkedArray, where: str) -> Converted:
    """Return a column as whole numbers; what is not one, or not within int64, is wrong.

    Raises
    ------
    BadInputError
        The column holds neither numbers nor text.
    """
    column = _flat(column)
    if pa.types.is_integer(column.type) and column.type != pa.uint64():
        values = pc.fill_null(column.cast(pa.int64()), NULL).to_numpy(zero_copy_only=False)
        return Converted(values, (values == NULL) & _present(column))
    if pa.types.is_floating(column.type):
        return _from_floats(column)
    if not (_is_slow_number(column.type) or pa.types.is_null(column.type)):
        raise _wrong_type(where, column.type, "whole numbers")
    return _each(column, _integer)


def instants(column: pa.ChunkedArray, where: str, timezone: str) -> Converted:
    """Return a column of times as microseconds UTC; times without a zone are local to `timezone`.

    Raises
    ------
    BadInputError
        The column holds neither whole microseconds, timestamps, dates nor text.
    """
    column = _flat(column)
    zone(timezone)
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        found = integers(column, where)
    elif pa.types.is_timestamp(kind) and kind.tz is not None:
        found = integers(column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64()), "")
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        local = column.cast(pa.timestamp("us"), safe=False)
        found = _each(local, lambda moment: parse_instant(moment.isoformat(), timezone))
    elif _is_text(kind) or pa.types.is_null(kind):
        found = _each(column, lambda moment: _instant(moment, timezone))
    else:
        raise _wrong_type(where, kind, "microseconds UTC, timestamps or ISO 8601 text")
    outside = (found.values != NULL) & ((found.values < EARLIEST) | (found.values > LATEST))
    return Converted(np.where(outside, NULL, found.values), found.wrong | outside)


def _flat(column: Any) -> pa.Array:
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(flat.type):
        flat = flat.dictionary_decode()
    return flat


def _present(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), dtype=bool)


def _from_floats(column: pa.Array) -> Converted:
    numbers = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False)
    present = _present(column)
    # 2^63 is exact in float64, and the first float above every int64.
    whole = np.isfinite(numbers) & (np.abs(numbers) < 2.0**63) & (numbers == np.trunc(numbers))
    values = np.where(whole, numbers, 0.0).astype(np.int64)
    values[~(present & whole)] = NULL
    return Converted(values, present & ~whole)


def _is_slow_number(kind: pa.DataType) -> bool:
    return bool(kind == pa.uint64() or pa.types.is_decimal(kind) or _is_text(kind))


def _is_text(kind: pa.DataType) -> bool:
    is_kind = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(check(kind) for check in is_kind)


def _each(column: pa.Array, convert: Any) -> Converted:
    """Convert value by value; each distinct value once. Blank text is missing."""
    values = np.full(len(column), NULL, dtype=np.int64)
    wrong = np.zeros(len(column), dtype=bool)
    convert = lru_cache(maxsize=None)(convert)
    for row, value in enumerate(column.to_pylist()):
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            values[row] = convert(value)
        except (ValueError, ArithmeticError, BadInputError):
            wrong[row] = True
    return Converted(values, wrong)


def _integer(value: str | int | Decimal) -> int:
    number = Decimal(value.strip()) if isinstance(value, str) else value
    if not math.isfinite(number) or number != int(number) or not NULL < number <= _TOP:
        raise ValueError(value)
    return int(number)


def _instant(value: str, timezone: str) -> int:
    digits = value.strip().removeprefix("-")
    # ISO 8601 reads eight digits as a date; only longer ones can be meant as microseconds.
    microseconds = digits.isascii() and digits.isdigit() and len(digits) > 8
    return parse_instant(int(value) if microseconds else value, timezone)


def _wrong_type(where: str, got: pa.DataType, wanted: str) -> BadInputError:
    return BadInputError(f"{where} is of type {got}.", remedy=f"Give {wanted}.")
