"""What the ledger holds, written into the log: by its numbers, hence each line exactly once.

The log's manifest names the last number it holds and is replaced in one step with the files, so
that an export killed at any point has either written all of its lines or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.contract import CAMPAIGNS, Batch, event_schema
from features.errors import BadInputError
from features.ingest import Ingested, ingest
from features.ledger import Change, Ledger
from features.ledger_entry import CAMPAIGN, CUSTOMER, EVENT
from features.log import EventLog
from features.progress import Report, silent

LINES = 50_000
"""Lines of the ledger that are in memory at once."""


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    Attributes
    ----------
    log : EventLog
        The log as it is now.
    lines : int
        How many lines of the ledger were new to it.
    ingested : Ingested or None
        What the log took of them; None if there were none.
    """

    log: EventLog
    lines: int
    ingested: Ingested | None


def export(
    ledger: Ledger,
    home: Path,
    *,
    report: Report = silent,
    fault: Callable[[str], None] = lambda _: None,
) -> Exported:
    """Write the lines that the log does not hold yet into it, checked as every ingest is.

    Parameters
    ----------
    ledger : Ledger
    home : Path
    report, fault : callable
        See `features.ingest.ingest`.

    Raises
    ------
    NoLogError
        Nothing has been ingested into `home`.
    BadInputError
        The log holds lines that this ledger has not, or another process is writing to the log.
    """
    log = EventLog.open(home)
    start, last = log.exported or 0, ledger.last
    if start > last:
        raise BadInputError(
            f"The log holds {start:,} lines of a ledger, and this one has {last:,}.",
            remedy="Set NEXTBEST_DATABASE_URL to the ledger that the log was made from.",
        )
    if start == last:
        return Exported(log, 0, None)
    lines = _Lines(ledger, start, last)
    done = ingest(
        log.source,
        lines.events(log.properties),
        home,
        customers=lines.customers(),
        campaigns=lines.campaigns(),
        properties=log.properties,
        exported=last,
        report=report,
        fault=fault,
    )
    return Exported(done.log, last - start, done)


class _Lines:
    """The lines after one number up to another, as batches of the contract."""

    def __init__(self, ledger: Ledger, start: int, last: int) -> None:
        self._ledger, self._start, self._last = ledger, start, last

    def events(self, properties: dict[str, str]) -> Iterator[Batch]:
        schema = event_schema(properties)
        for changes in self._pages(EVENT):
            rows = [change.content for change in changes]
            yield self._batch("events", changes, pa.Table.from_pylist(rows, _loose(schema)))

    def customers(self) -> Iterator[Batch]:
        for changes in self._pages(CUSTOMER):
            # Of several states of one commit the last holds.
            states = {(c.content["customer_id"], c.at): c.content["attributes"] for c in changes}
            columns: dict[str, list[Any]] = {
                "customer_id": [who for who, _ in states],
                "known_at": [at for _, at in states],
            }
            names = dict.fromkeys(name for state in states.values() for name in state)
            columns |= {name: [state.get(name) for state in states.values()] for name in names}
            yield self._batch("customers", changes, pa.table(columns))

    def campaigns(self) -> Iterator[Batch]:
        for changes in self._pages(CAMPAIGN):
            latest = {change.content["campaign_id"]: change.content for change in changes}
            rows = pa.Table.from_pylist(list(latest.values()), _loose(CAMPAIGNS))
            yield self._batch("campaigns", changes, rows)

    def _pages(self, kind: str) -> Iterator[Sequence[Change]]:
        after = self._start
        while after < self._last:
            found = self._ledger.since(after, LINES, (kind,))
            after = found[-1].sequence if len(found) == LINES else self._last
            page = [change for change in found if change.sequence <= self._last]
            if page:
                yield page

    def _batch(self, what: str, changes: Sequence[Change], table: pa.Table) -> Batch:
        file = f"ledger, {what} of lines {changes[0].sequence:,} to {changes[-1].sequence:,}"
        return Batch(file, table)


def _loose(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_nullable(True) for field in schema])
