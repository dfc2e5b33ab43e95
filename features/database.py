"""How each kind of database is opened, prepared and held: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from features.errors import NextbestError
from features.postgres import patient

BUSY_SECONDS = 30  # a writer waits this long for another one
LOCK = 0x6E657874  # advisory locks are numbers shared by all users of a PostgreSQL database


class DatabaseError(NextbestError):
    """A database that cannot be opened, or does not answer."""


def connect(url: str, durable: bool = False, patience: float | None = None) -> sa.Engine:
    """Return an engine: SQLite in WAL mode, or whatever the URL names.

    Parameters
    ----------
    url : str
        ``sqlite:///...`` or ``postgresql+psycopg://...``.
    durable : bool
        Whether what was committed also survives a loss of power; a crash of the process it
        survives in any case. PostgreSQL does both unless it is told otherwise.
    patience : float, optional
        Seconds that PostgreSQL may keep silent, see `features.postgres`; by default without end.

    Raises
    ------
    DatabaseError
        If the URL or its driver cannot be used. The URL may hold a password and is not repeated.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed, "FULL" if durable else "NORMAL")
        engine = sa.create_engine(
            parsed, pool_pre_ping=True, hide_parameters=True, pool_timeout=patience or BUSY_SECONDS
        )
        if patience is not None and parsed.drivername == "postgresql+psycopg":
            opened = patient(patience)
            sa.event.listen(
                engine, "do_connect", lambda dialect, record, args, more: opened(*args, **more)
            )
        return engine
    except (sa.exc.ArgumentError, ImportError) as error:
        raise DatabaseError(
            f"The database URL cannot be used: {type(error).__name__}.",
            remedy="Set NEXTBEST_DATABASE_URL to sqlite:///PATH, or to postgresql+psycopg://... "
            'after `pip install "nextbest[postgres]"`.',
        ) from None


def address(url: str | None, file: Path) -> str:
    """Return the URL that is set (``NEXTBEST_DATABASE_URL``), else that of an SQLite file.

    Examples
    --------
    >>> address(None, Path("home/ledger.db"))
    'sqlite:///home/ledger.db'
    """
    return url or f"sqlite:///{file.as_posix()}"


class Connected:
    """What keeps something in a database, with connections to give back at the end."""

    _engine: sa.Engine

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def _sqlite(url: sa.URL, synchronous: str) -> sa.Engine:
    settings: dict[str, Any] = {
        "connect_args": {"timeout": BUSY_SECONDS},
        "hide_parameters": True,  # they are customers' data, and errors are logged
    }
    if url.database in (None, "", ":memory:"):
        settings["poolclass"] = StaticPool
        settings["connect_args"]["check_same_thread"] = False
    else:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, **settings)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.close()

    return engine


def lock(connection: sa.Connection, what: str) -> None:
    """Wait for whoever else works on the same thing; held until the transaction ends.

    On SQLite, which has one writer at a time, that is everybody who writes to the file.
    """
    if connection.dialect.name == "postgresql":
        number = LOCK << 32 | zlib.crc32(what.encode())
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
    elif connection.dialect.name == "sqlite":
        # Without it a transaction that reads before it writes can find that it may not write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def create(engine: sa.Engine, metadata: sa.MetaData) -> None:
    """Create what is missing; several processes may do so at the same time.

    A table that an earlier release made gets the columns that have come since, which are all
    nullable.

    Raises
    ------
    DatabaseError
        If the database does not answer.
    """
    with answering(engine), engine.begin() as connection:
        lock(connection, "")
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            _add_columns(connection, table)
            # Asked for one that is there, PostgreSQL would wait for all who write to the table, who
            # may wait for another table of these.
            there = {index["name"] for index in sa.inspect(connection).get_indexes(table.name)}
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                if index.name not in there:
                    connection.execute(CreateIndex(index, if_not_exists=True))


def _add_columns(connection: sa.Connection, table: sa.Table) -> None:
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    quoted = connection.dialect.identifier_preparer.format_table(table)
    for column in table.columns:
        if column.name not in there:
            declared = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {quoted} ADD COLUMN {declared}")


@contextmanager
def answering(engine: sa.Engine) -> Iterator[None]:
    """Turn the silence of a database into an error that says so, without its password.

    Raises
    ------
    DatabaseError
        It does not answer, it is read-only, or its disk is full.
    """
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise DatabaseError(
            f"The database {engine.url.render_as_string(hide_password=True)} does not answer: "
            f"{getattr(error, 'orig', None) or 'all connections wait for it'}.",
            remedy="Start it, or mend NEXTBEST_DATABASE_URL.",
        ) from None
