"""A company's tables of events, in the columns of the event contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features import hashing
from features.contract import Batch
from features.errors import BadInputError
from features.kernel import NULL
from features.money import minor_units
from features.progress import Report
from features.sources.company_tables.as_numbers import mask
from features.sources.company_tables.dates import ends_of_days, moments
from features.sources.company_tables.declared import CompanyFile, EventsTable
from features.sources.company_tables.naming import column_of
from features.sources.company_tables.people import as_written
from features.sources.company_tables.reading import read_table
from features.sources.company_tables.typing_columns import missing_as_null

_MONEY = r"^[+-]?\d{1,15}(\.\d+)?$"


class Happened(NamedTuple):
    """One table of events.

    Attributes
    ----------
    batch : Batch
    kinds : dict of str to tuple of str
        Each kind of event -> the columns that it fills.
    last : int
        The last moment at which something occurred or was recorded; `kernel.NULL` if none did.
    """

    batch: Batch
    kinds: dict[str, tuple[str, ...]]
    last: int


def happened(stated: EventsTable, said: CompanyFile, report: Report) -> Happened:
    """Return the rows of a table of events; what is wrong with single rows the ingest will say.

    Raises
    ------
    BadInputError
        A column that the file names is not there.
    """
    file = stated.place.name
    table = read_table(stated.place, stated.reading, report)
    asked = {
        "key": stated.key, "occurred_at": stated.occurred_at, "recorded_at": stated.recorded_at,
        "kind_column": stated.kind_column, "amount": stated.amount, "id": stated.id,
        **stated.columns,
    }  # fmt: skip
    for key, column in asked.items():
        if column is not None:
            column_of(f"events.{key}", column, table.column_names, file)

    def texts(column: str) -> pa.Array:
        return missing_as_null(table[column], stated.reading)

    kind = (
        pa.array([stated.kind] * table.num_rows, pa.string())
        if stated.kind_column is None
        else texts(stated.kind_column)
    )
    columns: dict[str, Any] = {
        "event_id": _ids(table, stated, kind),
        "customer_id": texts(stated.key),
        "kind": kind,
    }
    last = NULL
    for name in ("occurred_at", "recorded_at"):
        column = getattr(stated, name)
        if column is None:
            continue
        found = moments(texts(column), said.timezone, stated.reading.date_order, digits=True)
        # A day on which something became known counts once it is over.
        values = ends_of_days(found) if name == "recorded_at" else found.values
        columns[name] = as_written(values, found.wrong, texts(column))
        last = max(last, int(values.max(initial=NULL)))
    if stated.amount is not None:
        columns["amount"] = minor(texts(stated.amount), said.currency, stated.reading.decimal)
    for name, column in stated.columns.items():
        columns[name] = texts(column)
    filled = [name for name in columns if name not in ("event_id", "customer_id", "kind")]
    kinds = {str(each): tuple(filled) for each in kind.unique().to_pylist() if each}
    return Happened(Batch(file, pa.table(columns)), kinds, last)


def minor(texts: pa.Array, currency: str, decimal: str) -> pa.Array:
    """Return amounts as whole minor units; as they are written where they are none.

    Examples
    --------
    >>> minor(pa.array(["19.99", "5", "1.005"]), "EUR", ".").to_pylist()
    ['1999', '500', '1.005']
    """
    clean = pc.utf8_trim_whitespace(texts)
    if decimal == ",":
        clean = pc.replace_substring(pc.replace_substring(clean, ".", ""), ",", ".")
    good = pc.fill_null(pc.match_substring_regex(clean, _MONEY), False)
    plain = pc.utf8_ltrim(pc.if_else(good, clean, "0"), "+")
    units = minor_units(currency)
    amounts = plain.cast(pa.decimal128(25, 6))
    exact = pc.multiply(amounts, pa.scalar(Decimal(units)))
    rounded = pc.floor(exact)
    whole = mask(good) & mask(pc.equal(exact, rounded))
    if (whole | mask(pc.is_null(texts))).all():
        return pc.if_else(pa.array(whole), rounded.cast(pa.int64()), pa.scalar(None, pa.int64()))
    return pc.if_else(pa.array(whole), rounded.cast(pa.int64()).cast(pa.string()), texts)


def _ids(table: pa.Table, stated: EventsTable, kind: pa.Array) -> pa.Array:
    """Return what tells events apart: the table's own ids, else all that a row says.

    A table that is exported again, in another order and with more rows, then adds only what is new.
    """
    if stated.id is not None:
        own = missing_as_null(table[stated.id], stated.reading)
        return pc.binary_join_element_wise(kind, own, "-")
    total = np.zeros(table.num_rows, np.uint64)
    for name in table.column_names:
        column = pc.fill_null(table[name], "").combine_chunks()
        total = hashing.mixed(total * np.uint64(31) + hashing.texts(column))
    order = np.argsort(total, kind="stable")
    nth = np.empty(len(total), np.int64)
    nth[order] = _places(total[order])
    numbers = [f"{word:016x}-{n}" for word, n in zip(total.tolist(), nth.tolist(), strict=True)]
    return pc.binary_join_element_wise(pc.fill_null(kind, ""), pa.array(numbers), "-")


def _places(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the place of each sorted word among its equals."""
    places = np.arange(len(words))
    first = np.r_[True, words[1:] != words[:-1]] if len(words) else np.zeros(0, bool)
    begins: NDArray[np.int64] = np.maximum.accumulate(np.where(first, places, 0))
    return places - begins


def check_known(happened_to: pa.Array, ids: pa.Array, file: str, customers_file: str) -> str:
    """Return a note on events of customers whom the customers' table does not have.

    Raises
    ------
    BadInputError
        None of the events' customers is in it.
    """
    who = happened_to.drop_null().unique()
    known = int(pc.sum(pc.is_in(who, value_set=ids.drop_null())).as_py() or 0)
    if len(who) and len(ids) > ids.null_count and not known:
        raise BadInputError(
            f"{file}: none of its {len(who):,} customers is in {customers_file}, such as "
            f"{who[0].as_py()!r}; there, they are written as {ids.drop_null()[0].as_py()!r}.",
            remedy="Check `key` of both tables: the same customer has to be written the same way.",
        )
    strangers = len(who) - known
    return (
        f"{file}: {strangers:,} of {len(who):,} customers are not in {customers_file}; they have "
        "events and no attributes."
        if strangers
        else ""
    )
