"""What a column of a table holds: categories, numbers, moments, or nothing a model can use."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.company import Kind
from features.errors import BadInputError
from features.kernel import NULL
from features.sources.company_tables.as_numbers import mask, numbers
from features.sources.company_tables.dates import moments
from features.sources.company_tables.declared import Reading
from features.value import LONGEST_TEXT

BLANK = "(blank)"
"""Stands for text that is blank and was not declared to mean missing."""
_SAMPLE = 200
_MOSTLY = 0.9
_FEW_LEVELS = 50
_SOME_ROWS = 20


class Typed(NamedTuple):
    """A column as the log will hold it.

    Attributes
    ----------
    kind : {"categorical", "numeric", "datetime"} or None
        None for a column that is left out.
    values : pyarrow.Array or None
        Text, or float64.
    rest : pyarrow.Array or None
        Text of what is no number or moment, where a column holds both.
    note : str
        What people should know of it; empty if nothing.
    """

    kind: Kind | None
    values: Any = None
    rest: Any = None
    note: str = ""


class Where(NamedTuple):
    """Which column of which file, and how it is read."""

    file: str
    column: str
    reading: Reading
    timezone: str


def missing_as_null(texts: pa.ChunkedArray, reading: Reading) -> pa.Array:
    """Return a column as one array, null where a value means missing."""
    flat = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if isinstance(flat, pa.ChunkedArray):
        flat = pa.concat_arrays(flat.chunks)
    missing = pc.is_in(flat, value_set=pa.array(reading.na_values, pa.string()))
    return pc.if_else(missing, pa.scalar(None, pa.string()), flat)


def as_declared(texts: pa.Array, kind: Kind, where: Where) -> Any:
    """Return a column as what it was declared to be; it holds nothing else.

    Raises
    ------
    BadInputError
        Naming the first row with something else.
    """
    if kind == "categorical":
        return categories(texts)
    if kind == "numeric":
        found = numbers(texts, where.reading.decimal)
        if found.wrong.any():
            refuse(texts, found.wrong, where, "no number", "Add it to na_values, or mend it.")
        return pa.array(found.values, mask=np.isnan(found.values))
    read = moments(texts, where.timezone, where.reading.date_order, digits=True)
    if read.wrong.any():
        refuse(texts, read.wrong, where, "no date or time", "Add it to na_values, or mend it.")
    return _instants(read.values)


def guessed(texts: pa.Array, where: Where) -> Typed:
    """Return a column as what it looks like.

    Raises
    ------
    BadInputError
        It holds dates that can be read two ways.
    """
    known = len(texts) - texts.null_count
    if known == 0:
        return Typed(None, note="is empty")
    distinct = len(texts.unique()) - (texts.null_count > 0)
    if distinct == 1 and texts.null_count == 0:
        return Typed(None, note="holds the same in every row")
    for attempt in (_as_numbers, _as_moments):
        found = attempt(texts, known, distinct, where)
        if found is not None:
            return found
    longest = pc.max(pc.utf8_length(texts)).as_py()
    if longest > LONGEST_TEXT:
        return Typed(None, note=f"is prose (up to {longest:,} characters)")
    if distinct > max(_SOME_ROWS, _MOSTLY * known):
        return Typed(None, note="names its rows (nearly every value is there once)")
    return Typed("categorical", categories(texts))


def categories(texts: pa.Array) -> pa.Array:
    """Return texts as categories: what is blank and not missing has a name."""
    blank = pc.equal(pc.utf8_trim_whitespace(texts), "")
    return pc.if_else(pc.fill_null(blank, False), BLANK, texts)


def refuse(
    texts: pa.Array, wrong: NDArray[np.bool_], where: Where, what: str, remedy: str
) -> NoReturn:
    """Raise for the first row in which a value is wrong, and say how many are."""
    rows = np.flatnonzero(wrong)
    value = str(texts[int(rows[0])].as_py())
    more = f" ({len(rows):,} such rows)" if len(rows) > 1 else ""
    raise BadInputError(
        f"{where.file}, row {rows[0] + 1}, column {where.column!r}: {value[:80]!r} is {what}"
        f"{more}.",
        remedy=remedy,
    )


def _as_numbers(texts: pa.Array, known: int, distinct: int, where: Where) -> Typed | None:
    found = numbers(texts, where.reading.decimal)
    if found.wrong.any() and where.reading.decimal == ".":
        other = numbers(texts, ",")
        if not other.wrong.any():
            found = other
    wrong = int(found.wrong.sum())
    codes = mask(pc.match_substring_regex(texts, r"^0\d"))
    if codes.any():  # a zip code, whose zeros count
        return None
    if not wrong:
        return Typed("numeric", pa.array(found.values, mask=np.isnan(found.values)))
    if known - wrong < _MOSTLY * known or distinct <= _FEW_LEVELS:
        return None
    return _both("numeric", pa.array(found.values, mask=np.isnan(found.values)), texts, found.wrong)


def _as_moments(texts: pa.Array, known: int, distinct: int, where: Where) -> Typed | None:
    some = texts.drop_null().slice(0, _SAMPLE)
    order = where.reading.date_order
    likely = [moments(some, where.timezone, each).wrong.mean() for each in (order or "dmy", "mdy")]
    if min(likely) > 1 - _MOSTLY:
        return None
    read = moments(texts, where.timezone, order)
    wrong = int(read.wrong.sum())
    if not wrong:
        return Typed("datetime", _instants(read.values))
    if known - wrong < _MOSTLY * known:
        refuse(
            texts,
            read.wrong,
            where,
            "a date that can be read two ways" if not read.order else "no date as the others are",
            'Write dates as 2024-03-04, say which of the two they are (date_order = "dmy" or '
            '"mdy"), or exclude the column.',
        )
    return _both("datetime", _instants(read.values), texts, read.wrong)


def _both(kind: Kind, values: Any, texts: pa.Array, wrong: NDArray[np.bool_]) -> Typed:
    rest = pc.if_else(pa.array(wrong), texts, pa.scalar(None, pa.string()))
    [example] = rest.drop_null().slice(0, 1).to_pylist()
    what = "numbers" if kind == "numeric" else "dates"
    note = (
        f"holds {what}, and {int(wrong.sum()):,} values that are none, such as {example[:40]!r}; "
        "they are a column of their own. If they mean missing, add them to na_values"
    )
    return Typed(kind, values, categories(rest), note)


def _instants(values: NDArray[np.int64]) -> pa.Array:
    """Microseconds as float64, which is exact for 285 years around 1970."""
    missing = values == NULL
    return pa.array(np.where(missing, 0, values).astype(np.float64), mask=missing)
