"""The customers' table: who they are, since when it is known, and what a model may learn from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.clock import parse_instant, to_iso
from features.company import TableAttribute
from features.contract import Batch
from features.errors import BadInputError
from features.kernel import NULL
from features.sources.company_tables.dates import Moments, moments
from features.sources.company_tables.declared import CompanyFile
from features.sources.company_tables.naming import CONSENT, attribute_names, column_of
from features.sources.company_tables.typing_columns import (
    Where,
    as_declared,
    guessed,
    missing_as_null,
    refuse,
)

_YES = ("1", "true", "yes", "y", "t", "on")
_NO = ("0", "false", "no", "n", "f", "off")
_NAMED = 5


class Customers(NamedTuple):
    """The customers' table as the log will hold it.

    Attributes
    ----------
    batch : Batch
    ids : pyarrow.Array of string
        Null where a row has none.
    known_at : ndarray of int64
        Microseconds UTC, `kernel.NULL` where it is no moment.
    attributes : tuple of TableAttribute
    notes, statements : list of str
        What people should know of the columns, and what every report repeats.
    """

    batch: Batch
    ids: pa.Array
    known_at: NDArray[np.int64]
    attributes: tuple[TableAttribute, ...]
    notes: list[str]
    statements: list[str]


def customers(table: pa.Table, said: CompanyFile) -> Customers:
    """Return the rows of the customers' table.

    Raises
    ------
    BadInputError
        A column that the file names is not there, a key is there twice, or a value is not of its
        declared type.
    """
    stated, file = said.customers, said.customers.place.name
    names = table.column_names
    special = _special(said, names)
    ids = _keys(table, stated.key, file, said)
    known, shown, statements = _known_at(table, said)
    columns: dict[str, Any] = {"customer_id": ids, "known_at": shown}
    if stated.timezone is not None:
        columns["timezone"] = missing_as_null(table[stated.timezone], stated.reading)
    for name, column in _consent(said, names).items():
        columns[name] = _truth(table, column, said)
    wanted = [name for name in names if name not in special]
    attributes, notes = [], []
    called = attribute_names(wanted, taken=[label.name for label in said.labels])
    for column, name in called.items():
        where = Where(file, column, stated.reading, said.timezone)
        texts = missing_as_null(table[column], stated.reading)
        if column in stated.types:
            kind: Any = stated.types[column]
            columns[name] = as_declared(texts, kind, where)
            attributes.append(TableAttribute(name, column, kind))
            continue
        found = guessed(texts, where)
        if found.note:
            left_out = "" if found.kind else " and is left out"
            notes.append(f"{file}: the column {column!r} {found.note}{left_out}.")
        if found.kind is None:
            continue
        columns[name] = found.values
        attributes.append(TableAttribute(name, column, found.kind))
        if found.rest is not None:
            columns[f"{name}_text"] = found.rest
            attributes.append(TableAttribute(f"{name}_text", column, "categorical", rest=True))
    batch = Batch(file, pa.table(columns))
    return Customers(batch, ids, known, tuple(attributes), notes, statements)


def instants_of(table: pa.Table, column: str, said: CompanyFile, *, strict: bool = True) -> Moments:
    """Return a column of the customers' table as moments; what is none is an error if `strict`."""
    stated = said.customers
    texts = missing_as_null(table[column], stated.reading)
    found = moments(texts, said.timezone, stated.reading.date_order, digits=True)
    if strict and found.wrong.any():
        where = Where(stated.place.name, column, stated.reading, said.timezone)
        refuse(
            texts, found.wrong, where, "no date or time",
            "Write it as 2024-03-04 or 2024-03-04T05:00:00Z, or set date_order.",
        )  # fmt: skip
    return found


def _special(said: CompanyFile, names: list[str]) -> set[str]:
    """Return the columns that are no attributes, each of which has to be there."""
    stated, file = said.customers, said.customers.place.name
    found = {column_of("customers.exclude", column, names, file) for column in stated.exclude}
    for column in stated.types:
        column_of(f"customers.types.{column}", column, names, file)
    for key, told in (("key", stated.key), ("timezone", stated.timezone)):
        if told is not None:
            found.add(column_of(f"customers.{key}", told, names, file))
    if stated.known_at in names:
        found.add(stated.known_at)
    found |= set(_consent(said, names).values())
    for label in said.labels:
        for key in ("column", "decided_at", "status"):
            told = getattr(label, key)
            if told is not None:
                found.add(column_of(f"labels.{label.name}.{key}", told, names, file))
        if label.judged_at in names:
            found.add(str(label.judged_at))
    return found


def _consent(said: CompanyFile, names: list[str]) -> dict[str, str]:
    stated = said.customers
    own = {name: name for name in names if name.startswith(CONSENT)}
    told = {
        f"{CONSENT}{purpose}": column_of(
            f"customers.consent.{purpose}", column, names, stated.place.name
        )
        for purpose, column in stated.consent.items()
    }
    return own | told


def _keys(table: pa.Table, key: str | None, file: str, said: CompanyFile) -> pa.Array:
    if key is None:
        return pa.array([str(row + 1) for row in range(table.num_rows)], pa.string())
    ids = missing_as_null(table[key], said.customers.reading)
    counted = pc.value_counts(ids.drop_null())
    repeated = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
    if len(repeated):
        shown = []
        for value in repeated.slice(0, _NAMED).to_pylist():
            rows = np.flatnonzero(pc.fill_null(pc.equal(ids, value), False)) + 1
            shown.append(f"{value!r} in rows {', '.join(map(str, rows[:_NAMED]))}")
        more = f" and {len(repeated) - _NAMED:,} more" if len(repeated) > _NAMED else ""
        raise BadInputError(
            f"{file}: {len(repeated):,} values of the key {key!r} are there more than once: "
            f"{'; '.join(shown)}{more}.",
            remedy="Give one row a customer; what happened to a customer belongs to [[events]].",
        )
    return ids


def _known_at(table: pa.Table, said: CompanyFile) -> tuple[NDArray[np.int64], pa.Array, list[str]]:
    stated = said.customers
    if stated.known_at not in table.column_names:
        try:
            moment = parse_instant(stated.known_at, said.timezone)
        except BadInputError as error:
            raise BadInputError(
                f"{said.path.name}: customers.known_at is {stated.known_at!r}, which is neither a "
                f"column of {stated.place.name} nor a date.",
                remedy="Name the column that says since when a row is known, or give one date.",
            ) from error
        words = f"What is known of customers counts as known from {to_iso(moment)} on."
        known = np.full(table.num_rows, moment, np.int64)
        return known, pa.array(known), [words]
    found = instants_of(table, stated.known_at, said, strict=False)
    texts = missing_as_null(table[stated.known_at], stated.reading)
    return found.values, as_written(found.values, found.wrong, texts), []


def as_written(values: NDArray[np.int64], wrong: NDArray[np.bool_], texts: pa.Array) -> pa.Array:
    """Return moments for the log: as they were written where they are none, to be refused."""
    missing = values == NULL
    if not wrong.any():
        return pa.array(values, mask=missing)
    stamps = np.datetime_as_string(np.where(missing, 0, values).astype("datetime64[us]"))
    shown = pa.array([f"{stamp}Z" for stamp in stamps], mask=missing)
    return pc.if_else(pa.array(wrong), texts, shown)


def _truth(table: pa.Table, column: str, said: CompanyFile) -> pa.Array:
    texts = missing_as_null(table[column], said.customers.reading)
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    yes = pc.is_in(lower, value_set=pa.array(_YES))
    no = pc.is_in(lower, value_set=pa.array(_NO))
    wrong = np.asarray(pc.and_(pc.is_valid(texts), pc.invert(pc.or_(yes, no))))
    if wrong.any():
        where = Where(said.customers.place.name, column, said.customers.reading, said.timezone)
        refuse(texts, wrong, where, "neither yes nor no", "Write yes or no, true or false, 1 or 0.")
    return pc.if_else(pc.is_valid(texts), yes.cast(pa.float64()), pa.scalar(None, pa.float64()))
