"""Tables as text: every value as it is written, and null only where the source has none."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from features.errors import BadInputError
from features.progress import Report, silent
from features.sources.company_tables.csv_check import Header, check, opened
from features.sources.company_tables.declared import Place, Reading

_BLOCK = 1 << 24
_ROWS = 50_000


def read_table(place: Place, reading: Reading, report: Report = silent) -> pa.Table:
    """Return a table whose columns are all text.

    Raises
    ------
    BadInputError
        It cannot be read, has no rows, a column twice, or rows of different lengths.
    """
    if place.path is None:
        table = _query(place, report)
    elif not place.path.is_file():
        raise BadInputError(f"{place.path} is not there.", remedy="Check the path in the file.")
    elif place.path.suffix.lower() == ".parquet":
        table = _parquet(place.path)
    else:
        table = _csv(place.path, reading, report)
    if table.num_rows == 0:
        raise BadInputError(
            f"{place.name} has a header and no rows.", remedy="Give a table with rows."
        )
    return table


def _csv(path: Path, reading: Reading, report: Report) -> pa.Table:
    header = check(path, reading.encoding, reading.delimiter, report)
    bad: list[Any] = []

    def refuse(row: Any) -> str:
        bad.append(row)
        return "skip"

    report(f"parse {path.name}", 0, None)
    try:
        with opened(path) as stream:
            table = pv.read_csv(
                stream,
                # Threads would not know which row of the file is wrong.
                read_options=pv.ReadOptions(
                    use_threads=False, block_size=_BLOCK, encoding=reading.encoding
                ),
                parse_options=pv.ParseOptions(
                    delimiter=header.delimiter, newlines_in_values=True, invalid_row_handler=refuse
                ),
                convert_options=pv.ConvertOptions(
                    column_types=dict.fromkeys(header.names, pa.string()), null_values=[]
                ),
            )
    except pa.ArrowInvalid as error:
        raise BadInputError(
            f"{path.name} cannot be parsed: {error}.", remedy="Export it again as CSV."
        ) from error
    if bad:
        row = bad[0]
        raise BadInputError(
            f"{path.name}, row {row.number - 1}: it has {row.actual_columns} values, the header "
            f"{row.expected_columns} ({len(bad)} such rows).",
            remedy="Put texts that hold the delimiter in double quotes.",
        )
    _refuse_open_quote(path, header, table)
    return table.rename_columns(list(header.names))


def _refuse_open_quote(path: Path, header: Header, table: pa.Table) -> None:
    """What is never closed swallows the lines after it, to the file's end."""
    last = table.slice(max(table.num_rows - 1, 0)).to_pylist()
    if header.odd_quotes and any("\n" in str(value) for row in last for value in row.values()):
        raise BadInputError(
            f"{path.name}, row {table.num_rows}: a double quote is opened and never closed.",
            remedy='Close it, or write a quote inside a quoted text twice: "".',
        )


def _parquet(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInputError(
            f"{path.name} is no Parquet file: {str(error).splitlines()[0]}.",
            remedy="Write it again.",
        ) from error
    names = table.column_names
    return pa.table([text_of(table[name], path.name, name) for name in names], names=names)


def text_of(column: pa.ChunkedArray, file: str, name: str) -> pa.ChunkedArray:
    """Return a typed column as text: whole numbers without a point, moments in ISO 8601.

    Raises
    ------
    BadInputError
        It is a list, a structure or another type that is no single value.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        return _floats(column)
    if pa.types.is_timestamp(kind):
        moments = column.cast(pa.timestamp("us", kind.tz), safe=False)
        zoned = "Z" if kind.tz else ""
        if kind.tz:
            moments = moments.cast(pa.timestamp("us", "UTC"))
        texts = moments.cast(pa.timestamp("us")).cast(pa.string())
        return pc.binary_join_element_wise(texts, zoned, "")
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInputError(
            f"{file}: the column {name!r} is of type {kind}.",
            remedy="Give single values: text, numbers, dates or truth values.",
        ) from error


def _floats(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats as text; NaN is how data frames write that there is none."""
    numbers = column.cast(pa.float64())
    known = pc.if_else(pc.is_nan(numbers), None, numbers)
    small = pc.less(pc.abs(known), 1e15)
    whole = pc.and_(small, pc.equal(pc.round(known), known))
    digits = pc.if_else(whole, known, 0.0).cast(pa.int64(), safe=False).cast(pa.string())
    return pc.if_else(whole, digits, known.cast(pa.string()))


def _query(place: Place, report: Report) -> pa.Table:
    import sqlalchemy as sa

    url = os.path.expandvars(place.url).replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise BadInputError(
            f"url names no database that can be opened: {type(error).__name__}.",
            remedy="Write postgresql://USER@HOST/NAME, and install nextbest[postgres].",
        ) from error
    try:
        with engine.connect().execution_options(stream_results=True) as connection:
            rows = connection.execute(sa.text(place.sql))
            names = list(rows.keys())
            _refuse_twice(names)
            parts: list[pa.Table] = []
            while some := rows.fetchmany(_ROWS):
                columns = zip(*some, strict=True)
                arrays = [pa.array(map(_plain, column), pa.string()) for column in columns]
                parts.append(pa.table(arrays, names=names))
                report("read the query", sum(part.num_rows for part in parts), None)
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise BadInputError(
            f"The database refused {place.name}: {reason}.", remedy="Mend url or sql."
        ) from error
    finally:
        engine.dispose()
    empty = pa.table([pa.array([], pa.string()) for _ in names], names=names)
    return pa.concat_tables(parts) if parts else empty


def _refuse_twice(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInputError(
            f"sql gives the column {twice[0]!r} more than once.", remedy="Name it with AS."
        )


def _plain(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)
