"""What a company's file asks of promotion: segments that are watched, and findings cleared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from features.company import TableAttribute, TablePromotion
from features.errors import BadInputError
from features.feature import Attribute, walk
from features.sources.company_tables.keys import Keys
from features.sources.company_tables.naming import column_of

if TYPE_CHECKING:
    from features.sources.company_tables.declared import CompanyFile


@dataclass(frozen=True)
class Said:
    """The same as the file has it: columns of the customers' table, not yet looked up.

    Attributes
    ----------
    model : str
        Empty: every model.
    segments : tuple of str
    too_good : float
    cleared : tuple of (str, str)
        Column, and why it does not know the answer.
    """

    model: str
    segments: tuple[str, ...] = ()
    too_good: float = 0.0
    cleared: tuple[tuple[str, str], ...] = ()


def said_of_promotion(keys: Keys) -> tuple[Said, ...]:
    """Return what ``[gate]`` and ``[leaks]`` say of every model, and their sub-tables of one.

    Raises
    ------
    BadInputError
        A key that nothing reads, a reason that is blank, or a bound that is no AUC.
    """
    found: dict[str, Said] = {}
    for name, each in _of_each(keys.table("gate", {})):
        segments, too_good = each.texts("segments", ()), each.number("too_good", 0.0, 0.5, 1.0)
        found[name] = Said(name, segments, too_good)
    for name, each in _of_each(keys.table("leaks", {})):
        cleared = tuple(_cleared(one) for one in each.tables("cleared"))
        found[name] = replace(found.get(name, Said(name)), cleared=cleared)
    return tuple(each for name, each in found.items() if each != Said(name))


def _of_each(keys: Keys) -> Iterator[tuple[str, Keys]]:
    yield "", keys
    for name, each in keys.other_tables():
        yield name, each
        each.done()
    keys.done()


def _cleared(keys: Keys) -> tuple[str, str]:
    column, reason = keys.text("column"), keys.text("reason")
    if not reason.strip():
        keys.refuse("reason", reason, "Write why the column does not know the answer.")
    keys.done()
    return column, reason


def promotions_of(
    said: CompanyFile, attributes: Sequence[TableAttribute], columns: Sequence[str]
) -> tuple[TablePromotion, ...]:
    """Return what the file asks of promotion, in the names of the log.

    Parameters
    ----------
    said : CompanyFile
    attributes : sequence of TableAttribute
        What was made of the customers' table.
    columns : sequence of str
        All it has.

    Raises
    ------
    BadInputError
        A column that is not there, one that models do not read, or one to be watched that has no
        categories.
    """
    table = _Table(said.path.name, said.customers.place.name, attributes, columns)
    found = []
    for each in said.promotions:
        dot = f".{each.model}" if each.model else ""
        watched = tuple(table.watched(f"gate{dot}.segments", name) for name in each.segments)
        cleared = {
            feature: reason.strip()
            for column, reason in each.cleared
            for feature in table.cleared(f"leaks{dot}.cleared", column)
        }
        found.append(TablePromotion(each.model, watched, each.too_good, cleared))
    return tuple(found)


@dataclass(frozen=True)
class _Table:
    """The customers' table, and what was made of it."""

    toml: str
    file: str
    attributes: Sequence[TableAttribute]
    columns: Sequence[str]

    def watched(self, where: str, column: str) -> str:
        """Return the attribute whose values are segments."""
        first = self.read(where, column)[0]
        if first.kind != "categorical":
            raise BadInputError(
                f"{self.toml}: {where} names {column!r}, which is {first.kind}: its values are no "
                "segments of customers.",
                remedy="Name a column of categories, or make it one: customers.types: "
                f'{column!r} = "categorical".',
            )
        return first.name

    def cleared(self, where: str, column: str) -> list[str]:
        """Return a column's features; a finding names one, and that may be given in its place."""
        from features.catalog import CATALOG  # it brings the compiler along

        stated = [each.feature.name for each in self.attributes]
        folded = [f.name for f in CATALOG if not any(isinstance(p, Attribute) for p in walk(f))]
        if column not in self.columns and column in stated + folded:
            return [column]
        return [each.feature.name for each in self.read(where, column)]

    def read(self, where: str, column: str) -> list[TableAttribute]:
        """Return what models read of a column."""
        name = column_of(f"{self.toml}: {where}", column, self.columns, self.file)
        found = [each for each in self.attributes if each.column == name]
        if not found:
            raise BadInputError(
                f"{self.toml}: {where} names {column!r}, which no model reads.",
                remedy="It is excluded, left out, or says something else (a key, a moment, an "
                "answer, consent). Drop it there, or let it be read: customers.exclude, "
                "customers.types.",
            )
        return found
