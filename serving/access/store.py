"""Keys and the audit in the database: who may do what, and who did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from features.database import Connected, address, answering, connect, create
from features.errors import NextbestError
from serving.access.keys import Key

FILE = "access.db"
"""Beside the ledger's: writing one never waits for the other."""


class UnknownKeyError(NextbestError):
    """An id that no key has."""


class Act(NamedTuple):
    """One line of the audit.

    Attributes
    ----------
    at : int
        Microseconds UTC.
    key_id : str
        The key that acted, or that a command line made or revoked.
    who : str
        The key's name, or the user of the command line.
    action : str
        ``"PUT /v1/customers/{customer_id}"``, as declared; or ``"keys create"``.
    request_id : str
        As the answer's ``x-request-id``; empty for a command line.
    status : int or None
        Of the answer.
    counts : dict of str to int
        How much was changed or pulled; never what.
    """

    at: int
    key_id: str
    who: str
    action: str
    request_id: str = ""
    status: int | None = None
    counts: Mapping[str, int] = {}


class AccessStore(Connected):
    """Keys and acts in any database SQLAlchemy reaches.

    Parameters
    ----------
    url : str
        ``sqlite:///...`` or ``postgresql+psycopg://...``.
    prefix : str
        Before the tables' names, for several in one database.
    patience : float, optional
        Seconds that a database may keep silent, see `features.database.connect`.

    Examples
    --------
    >>> from serving.access.keys import make
    >>> store = AccessStore("sqlite://")
    >>> key, token = make("crm", ["score"], now=5)
    >>> store.create(key, "jane")
    >>> store.all_keys() == [key], [act.action for act in store.acts()]
    (True, ['keys create'])
    >>> store.close()
    """

    def __init__(self, url: str, prefix: str = "nextbest_", patience: float | None = None) -> None:
        self._engine = connect(url, durable=True, patience=patience)
        metadata = sa.MetaData()
        text, moment = sa.Text, sa.BigInteger
        self._keys = sa.Table(
            f"{prefix}api_keys",
            metadata,
            sa.Column("id", text, primary_key=True),
            sa.Column("name", text, nullable=False),
            sa.Column("digest", text, nullable=False),
            sa.Column("scopes", text, nullable=False),
            sa.Column("rate", text, nullable=False),
            sa.Column("created_at", moment, nullable=False),
            sa.Column("expires_at", moment),
            sa.Column("revoked_at", moment),
        )
        number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
        self._acts = sa.Table(
            f"{prefix}audit",
            metadata,
            sa.Column("number", number, primary_key=True, autoincrement=True),
            sa.Column("at", moment, nullable=False),
            sa.Column("key_id", text, nullable=False),
            sa.Column("who", text, nullable=False),
            sa.Column("action", text, nullable=False),
            sa.Column("request_id", text, nullable=False),
            sa.Column("status", sa.Integer),
            sa.Column("counts", sa.JSON, nullable=False),
        )
        create(self._engine, metadata)

    @classmethod
    def open(cls, home: Path, url: str | None = None, patience: float | None = None) -> Self:
        """Return the store of a URL (``NEXTBEST_DATABASE_URL``), else SQLite under home.

        Raises
        ------
        DatabaseError
            The database cannot be opened, or does not answer.
        """
        return cls(address(url, home / FILE), patience=patience)

    def create(self, key: Key, by: str) -> None:
        """Keep a key, and that somebody made it; both or neither."""
        row = key._asdict() | {
            "digest": key.digest.hex(),
            "scopes": " ".join(sorted(key.scopes)),
        }
        with answering(self._engine), self._engine.begin() as connection:
            connection.execute(sa.insert(self._keys), row)
            self._add(connection, [Act(key.created_at, key.id, by, "keys create")])

    def revoke(self, key_id: str, by: str, now: int) -> bool:
        """Make a key open nothing from now on; returns whether that changes anything.

        Raises
        ------
        UnknownKeyError
        """
        table = self._keys
        with answering(self._engine), self._engine.begin() as connection:
            open_one = (table.c.id == key_id) & table.c.revoked_at.is_(None)
            done = connection.execute(sa.update(table).where(open_one).values(revoked_at=now))
            if done.rowcount:
                self._add(connection, [Act(now, key_id, by, "keys revoke")])
                return True
            if connection.execute(sa.select(table.c.id).where(table.c.id == key_id)).first():
                return False
        raise UnknownKeyError(
            f"No key has the id {key_id!r}.", remedy="See them: python -m serving keys list"
        )

    def all_keys(self) -> list[Key]:
        """Return all keys, revoked and expired ones too, the oldest first."""
        query = sa.select(self._keys).order_by(self._keys.c.created_at, self._keys.c.id)
        with answering(self._engine), self._engine.connect() as connection:
            return [_key_of(row) for row in connection.execute(query).all()]

    def record(self, acts: Sequence[Act]) -> None:
        """Add lines to the audit, in one transaction."""
        with answering(self._engine), self._engine.begin() as connection:
            self._add(connection, acts)

    def acts(self, limit: int = 100) -> list[Act]:
        """Return the latest lines of the audit, the latest first."""
        columns = [column for column in self._acts.c if column.name != "number"]
        query = sa.select(*columns).order_by(self._acts.c.number.desc()).limit(limit)
        with answering(self._engine), self._engine.connect() as connection:
            return [Act(*row) for row in connection.execute(query).all()]

    def _add(self, connection: sa.Connection, acts: Sequence[Act]) -> None:
        connection.execute(sa.insert(self._acts), [act._asdict() for act in acts])


def _key_of(row: sa.Row[Any]) -> Key:
    values = row._asdict()
    values["digest"] = bytes.fromhex(values["digest"])
    values["scopes"] = frozenset(values["scopes"].split())
    return Key(**values)
