"""Answers that a column of the customers' table states, as a spine of the log."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.clock import parse_instant
from features.errors import BadInputError
from features.kernel import NULL
from features.sources.company_tables.as_numbers import mask
from features.sources.company_tables.dates import ends_of_days
from features.sources.company_tables.declared import CompanyFile, Label
from features.sources.company_tables.people import Customers, instants_of
from features.sources.company_tables.typing_columns import Where, missing_as_null, refuse
from features.spine import Spine

_DATED = 0.5
"""Share of the rows of an answer that must have a date for dates to put answers in time."""
_NAMED = 5


class Answers(NamedTuple):
    """The rows with an answer, and what was left out and why."""

    spine: Spine
    notes: list[str]
    statements: list[str]


def answers(table: pa.Table, label: Label, people: Customers, said: CompanyFile) -> Answers:
    """Return the rows whose answer is known.

    A row is judged just after the moment since which it is known, or at `judged_at`. A row that
    nobody worked, that was closed by a machine or that is still open has no answer, whatever
    stands in the column.

    Raises
    ------
    BadInputError
        A value is neither a yes nor a no, a status is none of those listed, or a date is none.
    """
    file, reading = said.customers.place.name, said.customers.reading
    texts = missing_as_null(table[label.column], reading)
    yes = mask(pc.is_in(texts, value_set=pa.array(label.positive)))
    if label.negative:
        no = mask(pc.is_in(texts, value_set=pa.array(label.negative)))
        where = Where(file, label.column, reading, said.timezone)
        wrong = mask(pc.is_valid(texts)) & ~yes & ~no
        if wrong.any():
            refuse(texts, wrong, where, "neither among positive nor negative", "List it in one.")
    notes = [_told(label, texts, yes)]
    has = mask(pc.is_valid(texts)) & mask(pc.is_valid(people.ids)) & (people.known_at != NULL)
    statements = []
    for words, left_out in _not_worked(table, label, said, mask(pc.is_valid(texts))):
        statements.append(
            f"{label.name}: {int((has & left_out).sum()):,} rows are left out: {words}."
        )
        has &= ~left_out
    judged = _judged(table, label, people, said)
    has &= judged != NULL
    decided, undated = _decided(table, label, yes, has, said)
    statements += undated
    early = has & (decided != NULL) & (decided < judged)
    if early.any():
        row = int(np.flatnonzero(early)[0]) + 1
        statements.append(
            f"{label.name}: {int(early.sum()):,} rows are left out: they were decided before they "
            f"were known (the first is row {row} of {file})."
        )
        has &= ~early
    rows = np.flatnonzero(has)
    who = np.array(people.ids.take(pa.array(rows)).to_pylist(), dtype=object)
    context = {"answer": yes[rows].astype(np.int64), "decided_at": decided[rows]}
    spine = Spine("customer", who, who, judged[rows], context)
    return Answers(spine, notes, statements)


def _told(label: Label, texts: pa.Array, yes: NDArray[np.bool_]) -> str:
    counted = pc.value_counts(texts.drop_null())
    said = sorted(
        zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True),
        key=lambda pair: -pair[1],
    )
    no = [f"{value!r} ({n:,})" for value, n in said if value not in label.positive]
    more = f" and {len(no) - _NAMED} more values" if len(no) > _NAMED else ""
    counts = f"{int(yes.sum()):,} rows are a yes"
    if not no:
        return f"{label.name}: {counts}, and none a no."
    return f"{label.name}: {counts}; a no: {', '.join(no[:_NAMED])}{more}."


def _not_worked(
    table: pa.Table, label: Label, said: CompanyFile, stated: NDArray[np.bool_]
) -> list[tuple[str, NDArray[np.bool_]]]:
    found = [("no answer is given", ~stated)] if not stated.all() else []
    if label.status is None:
        return found
    reading = said.customers.reading
    texts = missing_as_null(table[label.status], reading)
    known = pc.is_in(texts, value_set=pa.array(list(label.statuses)))
    wrong = mask(pc.is_valid(texts)) & ~mask(known)
    if wrong.any():
        where = Where(said.customers.place.name, label.status, reading, said.timezone)
        lists = "worked, not_worked, auto_closed or open"
        refuse(
            texts,
            wrong,
            where,
            f"in none of the lists of [labels.{label.name}]",
            f"Add it to {lists}.",
        )
    words = {
        "not_worked": "nobody worked them, and not worked is not lost",
        "auto_closed": "they were closed automatically",
        "open": "they are still open",
    }
    for status, reason in words.items():
        values = [value for value, each in label.statuses.items() if each == status]
        if values:
            found.append((reason, mask(pc.is_in(texts, value_set=pa.array(values)))))
    if texts.null_count:
        found.append(("their status is missing", mask(pc.is_null(texts))))
    return found


def _judged(
    table: pa.Table, label: Label, people: Customers, said: CompanyFile
) -> NDArray[np.int64]:
    # What is known from a moment on counts just after it.
    known = np.where(people.known_at == NULL, NULL, people.known_at + 1)
    if label.judged_at is None:
        return known
    if label.judged_at in table.column_names:
        values = instants_of(table, label.judged_at, said).values
    else:
        try:
            values = np.full(len(known), parse_instant(label.judged_at, said.timezone), np.int64)
        except BadInputError as error:
            raise BadInputError(
                f"{said.path.name}: labels.{label.name}.judged_at is {label.judged_at!r}, which is "
                f"neither a column of {said.customers.place.name} nor a date.",
                remedy="Name the column, or give one date.",
            ) from error
    return np.where((values == NULL) | (known == NULL), NULL, np.maximum(values, known))


def _decided(
    table: pa.Table, label: Label, yes: NDArray[np.bool_], has: NDArray[np.bool_], said: CompanyFile
) -> tuple[NDArray[np.int64], list[str]]:
    nothing: Any = np.full(len(yes), NULL, np.int64)
    if label.decided_at is None:
        return nothing, []
    decided = ends_of_days(instants_of(table, label.decided_at, said))
    for words, rows in (("yes", has & yes), ("no", has & ~yes)):
        if rows.any() and (decided[rows] != NULL).mean() < _DATED:
            return nothing, [
                f"{label.name}: {label.decided_at!r} is empty for most rows whose answer is "
                f"{words}, so it cannot say which decisions are the latest; the moments since "
                "which rows are known put them in time."
            ]
    return decided, []
