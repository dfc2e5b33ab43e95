"""The ledger: what was received, in one sequence of commits; the truth that all else follows.

Events, changes of customers and changes of campaigns share one sequence without gaps. Whoever has
applied it up to a number, the online store or the log, knows by that number what is still to come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import sqlalchemy as sa

from features.database import Connected, address, answering, connect, create, lock
from features.ledger_entry import CAMPAIGN, CUSTOMER, EVENT, KINDS, NOTHING, Entry, Known, Receipt
from features.ledger_table import Tables
from features.ledger_writing import Writing

FILE = "ledger.db"


class Change(NamedTuple):
    """One line of the ledger.

    Attributes
    ----------
    sequence : int
        Its number, from 1.
    kind : {"event", "customer", "campaign"}
    at : int
        When it was committed, microseconds UTC: more than that of every earlier commit.
    content : dict
        Of an event its columns, those that are missing left out; its ``recorded_at`` is `at`, or
        ``occurred_at`` where that is later: nothing is known before it occurs. Of a customer
        ``customer_id`` and ``attributes``, the full state from `at` on. Of a campaign its columns.
    """

    sequence: int
    kind: str
    at: int
    content: dict[str, Any]


def wall(latest: int) -> int:
    """Return the wall clock, microseconds UTC, whenever the latest event occurred."""
    return time.time_ns() // 1000


class Ledger(Connected):
    """The ledger in any database SQLAlchemy reaches; several processes may write to one.

    Parameters
    ----------
    url : str
        ``sqlite:///...`` or ``postgresql+psycopg://...``.
    clock : callable
        Takes the latest ``occurred_at`` of a commit and returns the moment of it; asked while
        nobody else writes. What it returns is moved past the commit before.
    prefix : str
        Before the names of the tables, for several ledgers in one database.
    patience : float, optional
        Seconds that a database may keep silent, see `features.database.connect`.

    Examples
    --------
    >>> from features.ledger_entry import Entry, Event
    >>> ledger = Ledger("sqlite://", clock=lambda latest: 1_000)
    >>> order = Event("e1", "jane", {"kind": "order", "occurred_at": 7, "amount": 250})
    >>> receipt = ledger.append([order, order])
    >>> receipt.added, receipt.repeated, receipt.last
    (1, 1, 1)
    >>> ledger.since(0)[0].content["recorded_at"]
    1000
    >>> ledger.close()
    """

    def __init__(
        self,
        url: str,
        clock: Callable[[int], int] = wall,
        prefix: str = "nextbest_",
        patience: float | None = None,
    ) -> None:
        self._engine = connect(url, durable=True, patience=patience)
        self._clock = clock
        self._tables = Tables(prefix)
        self._name = f"{prefix}ledger"
        create(self._engine, self._tables.metadata)

    @classmethod
    def open(
        cls,
        home: Path,
        url: str | None = None,
        clock: Callable[[int], int] = wall,
        patience: float | None = None,
    ) -> Self:
        """Return the ledger of a URL (``NEXTBEST_DATABASE_URL``), else SQLite under home.

        Raises
        ------
        DatabaseError
            The database cannot be opened, or does not answer.
        """
        return cls(address(url, home / FILE), clock, patience=patience)

    @classmethod
    def found(cls, home: Path, url: str | None = None) -> Self | None:
        """Return the ledger, None where nothing has been received yet; see `open`."""
        return cls.open(home, url) if url or (home / FILE).exists() else None

    def append(
        self,
        events: Sequence[Any] = (),
        customers: Sequence[Any] = (),
        campaigns: Sequence[Any] = (),
        known: Known = NOTHING,
    ) -> Receipt:
        """Commit what one caller brings; see :meth:`commit`."""
        return self.commit([Entry(events, customers, campaigns)], known)[0]

    def commit(self, entries: Sequence[Entry], known: Known = NOTHING) -> list[Receipt]:
        """Write what several callers bring in one transaction, and return a receipt for each.

        Once this returns, all of it is durable; if it raises, nothing was written. An event whose
        id is there already adds nothing: it is `repeated` where it says the same, and refused
        where it contradicts what was said first. A change that changes nothing adds nothing.

        Parameters
        ----------
        entries : sequence of Entry
            Checked, see `features.arrival`.
        known : Known
            What is known of customers and campaigns from elsewhere (the log), for the ledger to
            add to.

        Raises
        ------
        DatabaseError
            The database does not answer.
        """
        latest = max(
            (e.values["occurred_at"] for entry in entries for e in entry.events), default=0
        )
        with answering(self._engine), self._engine.begin() as connection:
            lock(connection, self._name)
            last, before = self._tables.tail(connection)
            at = max(self._clock(latest), before + 1)
            writing = Writing(self._tables, connection, known, last, at)
            receipts = writing.receipts(entries)
            writing.finish()
        return receipts

    @property
    def last(self) -> int:
        """The number of the last line, 0 where there is none."""
        return self.tail()[0]

    def tail(self) -> tuple[int, int]:
        """Return number and moment of the last line; zeros where there is none."""
        with answering(self._engine), self._engine.connect() as connection:
            return self._tables.tail(connection)

    def since(
        self, sequence: int, limit: int = 10_000, kinds: Sequence[str] = KINDS
    ) -> list[Change]:
        """Return the lines of some kinds after a number, in order, at most `limit` of them."""
        if tuple(kinds) == KINDS:
            with answering(self._engine), self._engine.connect() as connection:
                return list(_changes(self._tables.since(connection, sequence, limit)))
        table = self._tables.ledger
        query = sa.select(table).where(table.c.sequence > sequence, table.c.kind.in_(kinds))
        return self._read(query.order_by(table.c.sequence).limit(limit))

    def of_customer(self, customer_id: str, up_to: int | None = None) -> list[Change]:
        """Return a customer's events and changes, in order, up to a number (by default all)."""
        table = self._tables.ledger
        query = sa.select(table).where(
            table.c.kind.in_((EVENT, CUSTOMER)), table.c.subject == customer_id
        )
        if up_to is not None:
            query = query.where(table.c.sequence <= up_to)
        return self._read(query.order_by(table.c.sequence))

    def _read(self, query: sa.Select[Any]) -> list[Change]:
        with answering(self._engine), self._engine.connect() as connection:
            return list(_changes(connection.execute(query).all()))


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def _changes(lines: Iterable[Any]) -> Iterable[Change]:
    for sequence, kind, at, subject, event_id, content in lines:
        values = _decode(content)
        if kind == EVENT:
            values["event_id"], values["customer_id"] = event_id, subject
            values["recorded_at"] = max(at, values["occurred_at"])
        elif kind == CUSTOMER:
            values = {"customer_id": subject, "attributes": values}
        elif kind == CAMPAIGN:
            values["campaign_id"] = subject
        yield Change(sequence, kind, at, values)
