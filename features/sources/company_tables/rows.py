"""Rows of a file read as the table they resemble was: for scores of people not in the log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.company import Company, TableAttribute
from features.errors import BadInputError
from features.kernel import NULL
from features.progress import Report, silent
from features.sources.company_tables.as_numbers import Numbers, numbers
from features.sources.company_tables.dates import moments
from features.sources.company_tables.declared import Place, Reading
from features.sources.company_tables.reading import read_table
from features.sources.company_tables.typing_columns import (
    Where,
    categories,
    missing_as_null,
    refuse,
)


class Rows(NamedTuple):
    """Rows of a file.

    Attributes
    ----------
    number : int
        n.
    keys : ndarray of str or None, shape (n,)
        None where the file has no column of keys.
    attributes : dict of str to ndarray, each of shape (n,)
        float64, NaN where missing; or object, None where missing.
    moments : dict of str to ndarray of int64
        Of the columns asked for that are there; `kernel.NULL` where missing.
    """

    number: int
    keys: NDArray[Any] | None
    attributes: dict[str, NDArray[Any]]
    moments: dict[str, NDArray[np.int64]]


def read_rows(
    path: Path,
    company: Company,
    timezone: str,
    wanted: Sequence[TableAttribute],
    dated: Sequence[str] = (),
    report: Report = silent,
) -> Rows:
    """Return the rows of a file with the columns that are wanted of it.

    Parameters
    ----------
    path : Path
        .csv, .csv.gz or .parquet, with the columns of the company's table; others are not read.
    company : Company
    timezone : str
        Of times that do not say theirs.
    wanted : sequence of TableAttribute
    dated : sequence of str
        Columns of moments that are read if they are there.

    Raises
    ------
    BadInputError
        A column is missing, or a value is not of the column's type.
    """
    reading = Reading(**{**company.reading, "na_values": tuple(company.reading["na_values"])})
    table = read_table(Place(path), reading, report)
    names = table.column_names
    missing = list(dict.fromkeys(a.column for a in wanted if a.column not in names))
    if missing:
        raise BadInputError(
            f"{path.name} lacks {len(missing)} columns that the model reads: "
            f"{', '.join(map(repr, missing[:20]))}.",
            remedy="Give the columns of the table it was trained on; values may be missing.",
        )

    def texts(column: str) -> tuple[pa.Array, Where]:
        where = Where(path.name, column, reading, timezone)
        return missing_as_null(table[column], reading), where

    keys = None
    if company.key in names:
        keys = np.array(texts(str(company.key))[0].to_pylist(), dtype=object)
    mixed = {each.column for each in wanted if each.rest}
    attributes = {a.name: _values(a, *texts(a.column), a.column in mixed) for a in wanted}
    told = {}
    for column in dated:
        if column in names:
            told[column] = _moments(*texts(column), mixed=False)
    return Rows(table.num_rows, keys, attributes, told)


def _values(each: TableAttribute, texts: pa.Array, where: Where, mixed: bool) -> NDArray[Any]:
    if each.kind == "numeric":
        found = _numbers(texts, where)
        if found.wrong.any() and not mixed:
            refuse(texts, found.wrong, where, "no number", "Mend it, or add it to na_values.")
        return found.values
    if each.kind == "datetime":
        values = _moments(texts, where, mixed=mixed)
        return np.where(values == NULL, np.nan, values.astype(np.float64))
    if each.rest:
        # What is no number of a column of numbers, or no moment of one of moments.
        wrong = _numbers(texts, where).wrong & moments(texts, where.timezone, digits=True).wrong
        texts = pc.if_else(pa.array(wrong), texts, pa.scalar(None, pa.string()))
    return np.array(categories(texts).to_pylist(), dtype=object)


def _numbers(texts: pa.Array, where: Where) -> Numbers:
    found = numbers(texts, where.reading.decimal)
    if found.wrong.any() and where.reading.decimal == ".":
        other = numbers(texts, ",")
        return found if other.wrong.any() else other
    return found


def _moments(texts: pa.Array, where: Where, *, mixed: bool) -> NDArray[np.int64]:
    found = moments(texts, where.timezone, where.reading.date_order, digits=True)
    if found.wrong.any() and not mixed:
        refuse(texts, found.wrong, where, "no date or time", "Write it as 2024-03-04.")
    return found.values
