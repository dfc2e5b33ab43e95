"""The ledger's two tables, and the statements that each kind of database takes quickest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa


class Line(NamedTuple):
    """One line of the ledger, as it is stored; `content` is JSON."""

    sequence: int
    kind: str
    at: int
    subject: str
    event_id: str | None
    content: str


class Stored(NamedTuple):
    """What is stored of an event."""

    customer_id: str
    content: str


class Tables:
    """The schema, and what is done with it inside a transaction that somebody else opened.

    Parameters
    ----------
    prefix : str
        Before the tables' names, for several ledgers in one database.
    """

    def __init__(self, prefix: str) -> None:
        self.metadata = sa.MetaData()
        text = sa.Text
        # INTEGER is what makes it SQLite's own row number; there it has 64 bits.
        number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
        self.ledger = sa.Table(
            f"{prefix}ledger",
            self.metadata,
            sa.Column("sequence", number, primary_key=True, autoincrement=False),
            sa.Column("kind", text, nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("subject", text, nullable=False),
            sa.Column("event_id", text, unique=True),
            sa.Column("content", text, nullable=False),
        )
        columns = self.ledger.c
        sa.Index(f"{prefix}ledger_subject", columns.kind, columns.subject, columns.sequence)
        self.attributes = sa.Table(
            f"{prefix}attributes",
            self.metadata,
            sa.Column("name", text, primary_key=True),
            sa.Column("type", text, nullable=False),
        )
        # Asked at every commit, and slower to put together than to answer.
        by_number = columns.sequence
        newest_first = sa.select(by_number, columns.at).order_by(by_number.desc())
        self._tail = newest_first.limit(1)
        later = sa.select(self.ledger).where(by_number > sa.bindparam("after"))
        self._since = later.order_by(by_number).limit(sa.bindparam("most", type_=sa.Integer))

    def tail(self, connection: sa.Connection) -> tuple[int, int]:
        """Return number and moment of the last line; zeros before the first."""
        found = connection.execute(self._tail).first()
        return (0, 0) if found is None else (found[0], found[1])

    def since(self, connection: sa.Connection, sequence: int, limit: int) -> Sequence[Any]:
        """Return the lines after a number, in order, at most `limit` of them."""
        return connection.execute(self._since, {"after": sequence, "most": limit}).all()

    def insert(self, connection: sa.Connection, lines: Sequence[Line]) -> None:
        """Add lines: one statement on PostgreSQL, one prepared statement on SQLite."""
        name = self.ledger.name
        if connection.dialect.name == "postgresql":
            # Arrays are sent as they are; a row of placeholders a line would be parsed each time.
            columns = tuple(map(list, zip(*lines, strict=True)))
            connection.exec_driver_sql(
                f"INSERT INTO {name} SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[],"
                " %s::text[], %s::text[], %s::text[])",
                columns,
            )
        else:
            connection.exec_driver_sql(
                f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?, ?)", [tuple(line) for line in lines]
            )

    def events(self, connection: sa.Connection, ids: Sequence[str]) -> dict[str, Stored]:
        """Return which of some events are stored."""
        found = self._among(connection, self.ledger, "event_id, subject, content", "event_id", ids)
        return {row[0]: Stored(row[1], row[2]) for row in found}

    def latest(
        self, connection: sa.Connection, kind: str, subjects: Sequence[str]
    ) -> dict[str, tuple[int, str]]:
        """Return moment and content of the last line of a kind about each of some subjects."""
        table = self.ledger
        query = (
            sa.select(table.c.at, table.c.content)
            .where(table.c.kind == kind, table.c.subject == sa.bindparam("subject"))
            .order_by(table.c.sequence.desc())
            .limit(1)
        )
        found = {}
        for subject in subjects:
            row = connection.execute(query, {"subject": subject}).first()
            if row is not None:
                found[subject] = (int(row.at), str(row.content))
        return found

    def types(self, connection: sa.Connection, names: Sequence[str]) -> dict[str, str]:
        """Return the type of those of some attributes that were given before."""
        return {
            row[0]: row[1]
            for row in self._among(connection, self.attributes, "name, type", "name", names)
        }

    def keep_types(self, connection: sa.Connection, types: dict[str, str]) -> None:
        """Remember the types of attributes not seen before."""
        rows = [{"name": name, "type": kind} for name, kind in types.items()]
        if rows:
            connection.execute(sa.insert(self.attributes), rows)

    def _among(
        self,
        connection: sa.Connection,
        table: sa.Table,
        columns: str,
        key: str,
        wanted: Sequence[str],
    ) -> Sequence[Any]:
        if not wanted:
            return ()
        select = f"SELECT {columns} FROM {table.name} WHERE {key}"
        if connection.dialect.name == "postgresql":
            return connection.exec_driver_sql(f"{select} = ANY(%s)", (list(wanted),)).all()
        listed = msgspec.json.encode(wanted).decode()
        statement = f"{select} IN (SELECT value FROM json_each(?))"
        return connection.exec_driver_sql(statement, (listed,)).all()
