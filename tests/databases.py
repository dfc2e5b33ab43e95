"""Real databases for tests: a SQLite file, and PostgreSQL where it runs or has to."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/test"


@contextmanager
def postgres() -> Iterator[tuple[str, str]]:
    """A URL and a prefix of tables that nothing else uses; its tables are dropped at the end."""
    engine = sa.create_engine(POSTGRES)
    try:
        engine.connect().close()
    except sa.exc.OperationalError as error:
        if os.environ.get("NEXTBEST_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(f"PostgreSQL does not answer at {POSTGRES}: {error.orig}")
    prefix = f"t{uuid.uuid4().hex[:12]}_"
    yield POSTGRES, prefix
    with engine.begin() as connection:
        for name in sa.inspect(connection).get_table_names():
            if name.startswith(prefix):
                connection.execute(sa.text(f"DROP TABLE {name}"))
    engine.dispose()
