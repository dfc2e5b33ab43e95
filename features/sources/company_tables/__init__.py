"""A company's own tables: one TOML file says what they look like, and they become a log."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from features.clock import to_iso
from features.company import Company, TableAnswer, company_of
from features.errors import BadInputError
from features.ingest import Ingested, ingest
from features.kernel import NULL
from features.progress import Report, silent
from features.source import Source
from features.sources.company_tables.answers import Answers, answers
from features.sources.company_tables.declared import CompanyFile, read
from features.sources.company_tables.happened import Happened, check_known, happened
from features.sources.company_tables.people import Customers, customers
from features.sources.company_tables.promotion import promotions_of
from features.sources.company_tables.reading import read_table


class Loaded(NamedTuple):
    """What came of an ingest, and what people should know of their tables."""

    done: Ingested
    notes: tuple[str, ...]


def ingest_company(path: Path, home: Path, report: Report = silent) -> Loaded:
    """Add a company's own tables to the log in `home`.

    Parameters
    ----------
    path : Path
        The TOML file; see docs/your-own-data.md.
    home : Path
    report : callable
        Told how far it is, see `features.progress`.

    Raises
    ------
    BadInputError
        Naming the file, the key or the row, what was got and the remedy. The log is as before.
    """
    said = read(path)
    table = read_table(said.customers.place, said.customers.reading, report)
    report("types of the columns", 0, None)
    people = customers(table, said)
    told = {label.name: answers(table, label, people, said) for label in said.labels}
    events = [happened(each, said, report) for each in said.events]
    file = said.customers.place.name
    notes = [*people.notes, *(note for each in told.values() for note in each.notes)]
    for each in events:
        ids = each.batch.table["customer_id"].combine_chunks()
        notes.append(check_known(ids, people.ids, each.batch.file, file))
    company = _company(said, people, events, table.column_names)
    _check_same_types(company, home, file)
    done = ingest(
        _source(said, people, list(told.values()), events),
        [each.batch for each in events],
        home,
        customers=[people.batch],
        spines={name: each.spine for name, each in told.items()},
        properties={name: "text" for each in said.events for name in each.properties},
        company=company.to_plain(),
        report=report,
    )
    return Loaded(done, tuple(note for note in notes if note))


def _company(
    said: CompanyFile, people: Customers, events: list[Happened], columns: list[str]
) -> Company:
    kinds: dict[str, tuple[str, ...]] = {}
    for each in events:
        for kind, filled in each.kinds.items():
            kinds[kind] = tuple(sorted({*kinds.get(kind, ()), *filled}))
    return Company(
        said.name,
        said.customers.key,
        said.customers.known_at,
        asdict(said.customers.reading),
        people.attributes,
        tuple(
            TableAnswer(
                label.name,
                label.column,
                label.positive,
                label.judged_at or "",
                label.question,
                label.act,
            )
            for label in said.labels
        ),
        dict(sorted(kinds.items())),
        promotions_of(said, people.attributes, columns),
    )


def _source(
    said: CompanyFile, people: Customers, told: list[Answers], events: list[Happened]
) -> Source:
    one_clock = [stated.place.name for stated in said.events if stated.recorded_at is None]
    last = max(
        [int(people.known_at.max(initial=NULL)), *(each.last for each in events)]
        + [int(moment.max(initial=NULL)) for each in told for moment in
           (each.spine.as_of, each.spine.context["decided_at"])]
    )  # fmt: skip
    # What became known at the last moment counts just after it, and a row is judged after that.
    frozen_at = None if last == NULL else last + 2
    statements = [] if frozen_at is None else [
        f"The data end at {to_iso(last)[:19]}Z; just after is their present."
    ]  # fmt: skip
    if said.consent == "assumed":
        statements.append("Consent is assumed: the tables hold none.")
    if one_clock:
        files = ", ".join(dict.fromkeys(one_clock))
        statements.append(
            f"There is one clock in {files}: an event counts as known when it happened."
        )
    statements += [*people.statements, *(each for one in told for each in one.statements)]
    return Source(
        name=said.name,
        currency=said.currency,
        timezone=said.timezone,
        consent=said.consent,
        clocks=1 if one_clock else 2,
        frozen_at=frozen_at,
        statements=tuple(statements),
    )


def _check_same_types(company: Company, home: Path, file: str) -> None:
    """Refuse an attribute that is of another type than before: its history could not be read."""
    before = company_of(home)
    types = {} if before is None else {each.name: each.kind for each in before.attributes}
    for each in company.attributes:
        was = types.get(each.name, each.kind)
        if was != each.kind:
            raise BadInputError(
                f"{file}: the column {each.column!r} was {was} in {home} and is {each.kind} now.",
                remedy=f'Say customers.types: {each.column!r} = "{was}", or ingest into another '
                "home (NEXTBEST_HOME).",
            )
