"""The table of served scores, and how each kind of database is opened and prepared."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateIndex, CreateTable

from features.errors import NextbestError

BUSY_SECONDS = 30  # a writer waits this long for another one
LOCK = 0x6E657874  # advisory locks are numbers shared by all users of a PostgreSQL database


class DatabaseError(NextbestError):
    """A database that cannot be opened."""


def tables(prefix: str) -> tuple[sa.MetaData, sa.Table]:
    """Return the schema with its one table of scores.

    Examples
    --------
    >>> tables("nextbest_")[1].name
    'nextbest_scores'
    """
    metadata = sa.MetaData()
    text = sa.Text
    scores = sa.Table(
        f"{prefix}scores",
        metadata,
        sa.Column("model", text, primary_key=True),
        # Place in the model's order, highest margin first: pages are read along it.
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", text, nullable=False),
        sa.Column("customer_id", text, nullable=False),
        sa.Column("row_id", text, nullable=False),
        sa.Column("campaign_id", text),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("probability", sa.Double),
        sa.Column("margin", sa.Double),
        sa.Column("percentile", sa.Double),
        sa.Column("grade", text),
        sa.Column("segment", text),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("scored_at", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("model", "customer_id", "row_id"),
    )
    sa.Index(f"{prefix}scores_customer", scores.c.customer_id)
    sa.Index(f"{prefix}scores_campaign", scores.c.model, scores.c.campaign_id, scores.c.place)
    sa.Index(f"{prefix}scores_segment", scores.c.segment, scores.c.customer_id)
    return metadata, scores


def connect(url: str) -> sa.Engine:
    """Return an engine: SQLite in WAL mode, or whatever the URL names.

    Raises
    ------
    DatabaseError
        If the URL or its driver cannot be used. The URL may hold a password and is not repeated.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return sa.create_engine(parsed, pool_pre_ping=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise DatabaseError(
            f"The database URL cannot be used: {type(error).__name__}.",
            remedy="Set NEXTBEST_DATABASE_URL to sqlite:///PATH, or to postgresql+psycopg://... "
            'after `pip install "nextbest[postgres]"`.',
        ) from None


def _sqlite(url: sa.URL) -> sa.Engine:
    settings: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}}
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
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    return engine


def lock(connection: sa.Connection, what: str) -> None:
    """Wait for whoever else works on the same thing; held until the transaction ends.

    SQLite has one writer at a time without being asked.
    """
    if connection.dialect.name == "postgresql":
        number = LOCK << 32 | zlib.crc32(what.encode())
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def create(engine: sa.Engine, metadata: sa.MetaData) -> None:
    """Create what is missing; several processes may do so at the same time.

    Raises
    ------
    DatabaseError
        If the database does not answer.
    """
    try:
        with engine.begin() as connection:
            lock(connection, "")
            for table in metadata.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in sorted(table.indexes, key=lambda index: str(index.name)):
                    connection.execute(CreateIndex(index, if_not_exists=True))
    except sa.exc.OperationalError as error:
        raise DatabaseError(
            f"The database {engine.url.render_as_string(hide_password=True)} does not answer: "
            f"{error.orig}.",
            remedy="Start it, or mend NEXTBEST_DATABASE_URL.",
        ) from None
