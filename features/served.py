"""What was served: a sample of the feature values that models were given, to be computed again."""

from __future__ import annotations

import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
import structlog

from features.database import DatabaseError, answering, connect, create
from features.ledger import FILE

MOST_WAITING = 10_000
MOST_A_COMMIT = 500
CHUNK = 1_000

log = structlog.get_logger("nextbest.served")


class Served(NamedTuple):
    """The features of one score, as they were given to the model.

    Attributes
    ----------
    score_id : str
    model, version : str
    customer_id : str
    as_of : int
        Microseconds UTC.
    sequence : int
        Number of the last line of the ledger that could count.
    catalogue : str
        `features.plan.feature_hash` of the model's features.
    context : dict
        What the request said beside the customer.
    values : dict
        By the features' names; None is missing.
    """

    score_id: str
    model: str
    version: str
    customer_id: str
    as_of: int
    sequence: int
    catalogue: str
    context: Mapping[str, Any]
    values: Mapping[str, Any]


class ServedStore:
    """Served features in the ledger's database.

    Parameters
    ----------
    url : str
        ``sqlite:///...`` or ``postgresql+psycopg://...``.
    prefix : str
        Before the table's name, for several in one database.

    Examples
    --------
    >>> store = ServedStore("sqlite://")
    >>> store.add([Served("s1", "churn", "3", "jane", 7, 2, "f00", {}, {"order_count_90d": 4})])
    >>> [row.values for row in store.since(0)]
    [{'order_count_90d': 4}]
    >>> store.close()
    """

    def __init__(self, url: str, prefix: str = "nextbest_") -> None:
        self._engine = connect(url)
        metadata = sa.MetaData()
        text, number = sa.Text, sa.BigInteger
        self._table = sa.Table(
            f"{prefix}served",
            metadata,
            sa.Column("score_id", text, primary_key=True),
            sa.Column("model", text, nullable=False),
            sa.Column("version", text, nullable=False),
            sa.Column("customer_id", text, nullable=False),
            sa.Column("as_of", number, nullable=False),
            sa.Column("sequence", number, nullable=False),
            sa.Column("catalogue", text, nullable=False),
            sa.Column("context", sa.JSON, nullable=False),
            sa.Column("values", sa.JSON, nullable=False),
        )
        sa.Index(f"{prefix}served_as_of", self._table.c.as_of)
        create(self._engine, metadata)

    @classmethod
    def open(cls, home: Path, url: str | None = None) -> Self:
        """Return the store beside the ledger; see `features.ledger.Ledger.open`."""
        return cls(url or f"sqlite:///{(home / FILE).as_posix()}")

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def add(self, rows: Sequence[Served]) -> None:
        """Write rows in one transaction.

        Raises
        ------
        DatabaseError
            The database does not answer.
        """
        with answering(self._engine), self._engine.begin() as connection:
            connection.execute(sa.insert(self._table), [row._asdict() for row in rows])

    def since(self, as_of: int) -> Iterator[Served]:
        """Yield what was served at a moment or later, in the order of the moments."""
        table = self._table
        query = sa.select(table).where(table.c.as_of >= as_of)
        query = query.order_by(table.c.as_of, table.c.score_id)
        with answering(self._engine), self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=CHUNK).execute(query):
                yield Served(*row)


class ServedLog:
    """Writes a share of what is served, in a thread of its own; a request never waits for it.

    Parameters
    ----------
    store : ServedStore
    share : float
        Of all scores, from 0 to 1 (``NEXTBEST_LOG_SERVED``).
    dropped : callable
        Told how many rows could not be kept, because the database was slower or silent.
    most_waiting : int
    chance : random.Random, optional
        Chooses which.
    """

    def __init__(
        self,
        store: ServedStore,
        share: float,
        dropped: Callable[[int], None] = lambda rows: None,
        most_waiting: int = MOST_WAITING,
        chance: random.Random | None = None,
    ) -> None:
        self._store, self._share, self._dropped = store, share, dropped
        self._queue: queue.Queue[Served | None] = queue.Queue(most_waiting)
        self._chance = chance or random.Random()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start to write."""
        self._thread = threading.Thread(target=self._run, name="served", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def wants(self) -> bool:
        """Return whether the next score is in the sample."""
        return self._share > 0 and self._chance.random() < self._share

    def put(self, **said: Any) -> None:
        """Keep one row; returns at once. The arguments are those of `Served`, without its id."""
        try:
            self._queue.put_nowait(Served(uuid.uuid4().hex, **said))
        except queue.Full:
            self._dropped(1)

    def _run(self) -> None:
        ended = False
        while not ended:
            rows = [self._queue.get()]
            time.sleep(0.01)  # others gather, and share the commit
            while len(rows) < MOST_A_COMMIT and rows[-1] is not None:
                try:
                    rows.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            ended = rows[-1] is None
            kept = [row for row in rows if row is not None]
            if not kept:
                continue
            try:
                self._store.add(kept)
            except (DatabaseError, sa.exc.SQLAlchemyError) as error:
                self._dropped(len(kept))
                log.warning("served features not kept", rows=len(kept), why=type(error).__name__)
