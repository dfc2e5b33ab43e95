"""The TOML file in which a company says what its tables look like, read strictly."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.clock import zone
from features.company import KINDS
from features.errors import BadInputError
from features.sources.company_tables.keys import Keys
from features.sources.company_tables.promotion import Said, said_of_promotion

NO_CURRENCY = "XXX"
"""ISO 4217 for tables without money."""
EVENT_TEXTS = ("channel", "item", "category", "campaign_id")
STATUSES = ("worked", "not_worked", "auto_closed", "open")
"""What a row's status may say: only a worked row has an answer."""


@dataclass(frozen=True)
class Reading:
    """How the texts of a table are read.

    Attributes
    ----------
    na_values : tuple of str
        What means missing; nothing else does.
    decimal : {".", ","}
    date_order : {"", "dmy", "mdy"}
        Of dates such as 03/04/2024; empty where the column itself shows it.
    delimiter : str
        Empty: the one that divides the header into the most columns.
    encoding : str
    """

    na_values: tuple[str, ...] = ("",)
    decimal: str = "."
    date_order: str = ""
    delimiter: str = ""
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Place:
    """Where a table lies: a file, or the rows of a query."""

    path: Path | None
    url: str = ""
    sql: str = ""

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.path.name if self.path else f"sql = {self.sql!r}"


@dataclass(frozen=True)
class CustomersTable:
    """One row a customer or lead."""

    place: Place
    reading: Reading
    known_at: str
    key: str | None = None
    timezone: str | None = None
    exclude: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    consent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EventsTable:
    """One row an event; `columns` are event columns and properties -> the table's own."""

    place: Place
    reading: Reading
    key: str
    occurred_at: str
    kind: str | None = None
    kind_column: str | None = None
    recorded_at: str | None = None
    amount: str | None = None
    id: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    properties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """An answer that a column of the customers' table states."""

    name: str
    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...] = ()
    decided_at: str | None = None
    judged_at: str | None = None
    status: str | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    question: str = ""
    act: str = ""


@dataclass(frozen=True)
class CompanyFile:
    """All that the file says."""

    path: Path
    name: str
    currency: str
    timezone: str
    consent: str
    customers: CustomersTable
    events: tuple[EventsTable, ...]
    labels: tuple[Label, ...]
    promotions: tuple[Said, ...] = ()


def read(path: Path) -> CompanyFile:
    """Return what a company's TOML file says.

    Raises
    ------
    BadInputError
        Naming the file, the key, what was got and the remedy.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror}.", remedy="Check the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path.name} is no TOML: {error}.", remedy="Mend it there.") from error
    keys = Keys(path.name, "", content)
    found = CompanyFile(
        path=path,
        name=keys.text("name"),
        currency=_currency(keys),
        timezone=_timezone(keys),
        consent=keys.one_of("consent", ("assumed", "recorded"), "recorded"),
        customers=_customers(keys.table("customers"), path.parent),
        events=tuple(_events(each, path.parent) for each in keys.tables("events")),
        labels=tuple(_label(name, each) for name, each in keys.named_tables("labels")),
        promotions=said_of_promotion(keys),
    )
    keys.done()
    paid = [table.place.name for table in found.events if table.amount]
    if paid and found.currency == NO_CURRENCY:
        keys.refuse("currency", None, f"Say in what the amounts of {paid[0]} are, such as EUR.")
    return found


def _currency(keys: Keys) -> str:
    code = keys.text("currency", NO_CURRENCY)
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        keys.refuse("currency", code, "Give its ISO 4217 code, such as EUR.")
    return code


def _timezone(keys: Keys) -> str:
    name = keys.text("timezone", "UTC")
    try:
        zone(name)
    except BadInputError as error:
        keys.refuse("timezone", name, error.remedy)
    return name


def _place(keys: Keys, folder: Path) -> Place:
    path, url = keys.text("path", ""), keys.text("url", "")
    if bool(path) == bool(url):
        keys.refuse("path", path or None, "Give either path, or url and sql.")
    if url:
        return Place(None, url, keys.text("sql"))
    if not path.lower().endswith((".csv", ".csv.gz", ".parquet")):
        keys.refuse("path", path, "Give a file that ends in .csv, .csv.gz or .parquet.")
    return Place(folder / path)


def _reading(keys: Keys) -> Reading:
    delimiter = keys.text("delimiter", "")
    if len(delimiter) > 1:
        keys.refuse("delimiter", delimiter, "Give one character, such as ';' or '\\t'.")
    return Reading(
        na_values=keys.texts("na_values", ("",)),
        decimal=keys.one_of("decimal", (".", ","), "."),
        date_order=keys.one_of("date_order", ("dmy", "mdy"), ""),
        delimiter=delimiter,
        encoding=keys.text("encoding", "utf-8"),
    )


def _customers(keys: Keys, folder: Path) -> CustomersTable:
    types = keys.text_table("types")
    for column, kind in types.items():
        if kind not in KINDS:
            keys.refuse(f"types.{column}", kind, f"Choose one of: {', '.join(KINDS)}.")
    found = CustomersTable(
        place=_place(keys, folder),
        reading=_reading(keys),
        known_at=keys.text("known_at"),
        key=keys.text("key", "") or None,
        timezone=keys.text("timezone", "") or None,
        exclude=keys.texts("exclude", ()),
        types=types,
        consent=keys.text_table("consent"),
    )
    keys.done()
    return found


def _events(keys: Keys, folder: Path) -> EventsTable:
    kind, kind_column = keys.text("kind", "") or None, keys.text("kind_column", "") or None
    if (kind is None) == (kind_column is None):
        keys.refuse("kind", kind, "Give either kind or kind_column.")
    properties = keys.text_table("properties")
    columns = {name: keys.text(name, "") for name in ("quantity", *EVENT_TEXTS)}
    found = EventsTable(
        place=_place(keys, folder),
        reading=_reading(keys),
        key=keys.text("key"),
        occurred_at=keys.text("occurred_at"),
        kind=kind,
        kind_column=kind_column,
        recorded_at=keys.text("recorded_at", "") or None,
        amount=keys.text("amount", "") or None,
        id=keys.text("id", "") or None,
        columns={name: column for name, column in columns.items() if column} | properties,
        properties=tuple(properties),
    )
    keys.done()
    return found


def _label(name: str, keys: Keys) -> Label:
    if not name.isidentifier() or not name.isascii():
        keys.refuse("", name, "Name a label with letters, digits and underscores.")
    status = keys.text("status", "") or None
    lists = {each: keys.texts(each, ()) for each in STATUSES}
    if (status is None) == any(lists.values()):
        keys.refuse("status", status, f"Give it with the values of: {', '.join(STATUSES)}.")
    positive = keys.texts("positive", ())
    if not positive:
        keys.refuse("positive", None, 'List the values that are a yes, such as ["1", "yes"].')
    found = Label(
        name=name,
        column=keys.text("column"),
        positive=positive,
        negative=keys.texts("negative", ()),
        decided_at=keys.text("decided_at", "") or None,
        judged_at=keys.text("judged_at", "") or None,
        status=status,
        statuses={value: each for each, values in lists.items() for value in values},
        question=keys.text("question", ""),
        act=keys.text("act", ""),
    )
    both = sorted(set(found.positive) & set(found.negative))
    if both:
        keys.refuse("negative", both[0], "A value is either a yes or a no.")
    keys.done()
    return found
