"""Served scores in a database: SQLite in WAL mode by default, PostgreSQL where there is one.

A batch replaces all scores of its model in one transaction, so that readers see the old ones or
the new ones and never a mixture.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from features.database import answering, connect, create, lock
from models.score_changes import START, Changed, Place, changes, forgets_before, latest, mark
from models.score_rows import (
    EVERYTHING,
    FIELDS,
    Filters,
    ScorePage,
    ScoreRow,
    ScoreStore,
    Standing,
    about,
)
from models.scores_table import tables
from models.trend import Earlier

__all__ = ["EVERYTHING", "Filters", "ScorePage", "ScoreRow", "ScoreStore", "SqlScoreStore"]

CHUNK = 1_000


class SqlScoreStore:
    """Scores in any database SQLAlchemy reaches.

    Parameters
    ----------
    url : str
        ``sqlite:///...`` or ``postgresql+psycopg://...``; see :func:`database_url`.
    prefix : str
        Before the names of the tables, for several stores in one database.
    patience : float, optional
        Seconds that a database may keep silent, see `features.database.connect`.
    now : callable
        Microseconds UTC, for the moments of batches.

    Examples
    --------
    >>> store = SqlScoreStore("sqlite://")
    >>> store.replace("churn", [ScoreRow("churn", "3", "h1", "h1", 0, 0, 1, probability=0.2)])
    1
    >>> store.get("h1")[0].probability
    0.2
    >>> store.close()
    """

    def __init__(
        self,
        url: str,
        prefix: str = "nextbest_",
        patience: float | None = None,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._now = now
        self._engine = connect(url, patience=patience)
        self._metadata, self._scores, self._gone = tables(prefix)
        create(self._engine, self._metadata)

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def replace(self, model: str, rows: Iterable[ScoreRow]) -> int:
        """Put rows in the place of all scores of a model, at once; return how many.

        Rows are numbered in the order of `page`. If anything fails, the old scores stay.

        Raises
        ------
        ValueError
            If a row is another model's.
        DatabaseError
            The database does not answer.
        """
        ordered = sorted(rows, key=_order)
        if any(row.model != model for row in ordered):
            raise ValueError(f"All rows must be of the model {model!r}.")
        table = self._scores
        with answering(self._engine), self._engine.begin() as connection:
            lock(connection, model)
            marks = list(mark(connection, table, self._gone, model, ordered, self._now()))
            connection.execute(sa.delete(table).where(table.c.model == model))
            for start in range(0, len(ordered), CHUNK):
                values = [
                    _values(row, place) | marks[place]
                    for place, row in enumerate(ordered[start : start + CHUNK], start)
                ]
                connection.execute(sa.insert(table), values)
        return len(ordered)

    def rename_segment(self, model: str, old: str, new: str, version: str) -> int:
        """Give the stored scores of a segment its new name; return how many there are.

        All of the model's scores become those of `version`, which has the same clusters.
        """
        table = self._scores
        of_model = table.c.model == model
        with answering(self._engine), self._engine.begin() as connection:
            lock(connection, model)
            found = connection.execute(
                sa.update(table).where(of_model, table.c.segment == old).values(segment=new)
            )
            before = latest(connection, (table, self._gone), model) or 0
            moment = max(self._now(), before + 1)
            renamed = sa.update(table).where(of_model)
            connection.execute(renamed.values(version=version, changed_at=moment))
        return int(found.rowcount)

    def get(self, customer_id: str, model: str | None = None) -> list[ScoreRow]:
        """Return a customer's scores, by model and then highest margin first; may be none."""
        table = self._scores
        query = sa.select(table).where(table.c.customer_id == customer_id)
        found = self._rows(query.order_by(table.c.model, table.c.place))
        # Asked for the model too, SQLite would walk along all its places to spare itself a sort.
        return [row for row in found if model is None or row.model == model]

    def page(
        self,
        model: str,
        filters: Filters = EVERYTHING,
        cursor: int | None = None,
        limit: int = 100,
    ) -> ScorePage:
        """Return scores of a model, highest margin first, from a cursor on.

        A batch that arrives between two pages renumbers the rows; the next page then goes on at
        the same depth of the new order.
        """
        query = self._query(model, filters)
        if cursor is not None:
            query = query.where(self._scores.c.place >= cursor)
        query = query.limit(limit + 1)
        with answering(self._engine), self._engine.connect() as connection:
            found = connection.execute(query).mappings().all()
        rows = tuple(_row(values) for values in found[:limit])
        return ScorePage(rows, int(found[limit]["place"]) if len(found) > limit else None)

    def read(self, model: str, filters: Filters = EVERYTHING) -> Iterator[ScoreRow]:
        """Yield all scores of a model, highest margin first, as they were at one moment."""
        return self._rows(self._query(model, filters))

    def standing(self, model: str) -> dict[str, Standing]:
        """Return the stored probabilities of a model by `about`, without their reasons.

        Of several rows about the same the one of the highest margin counts.
        """
        table = self._scores
        names = ("customer_id", "context", "probability", "version", "as_of", "earlier")
        query = sa.select(*(table.c[name] for name in names)).where(table.c.model == model)
        found: dict[str, Standing] = {}
        with answering(self._engine), self._engine.connect() as connection:
            result = connection.execution_options(yield_per=CHUNK).execute(
                query.order_by(table.c.place)
            )
            for row in result:
                if row.probability is not None:
                    held = Standing(row.probability, row.version, row.as_of, _earlier(row.earlier))
                    found.setdefault(about(row.customer_id, row.context), held)
        return found

    def changed_at(self, model: str) -> int | None:
        """Return the moment of the last batch that changed a score of a model; None of none."""
        with answering(self._engine), self._engine.connect() as connection:
            return latest(connection, (self._scores, self._gone), model)

    def forgets_before(self) -> int:
        """Return the moment before which scores that went may have been forgotten."""
        return forgets_before(self._now())

    def changes(
        self, model: str, since: int | None, until: int, after: Place = START, limit: int = 100
    ) -> tuple[list[Changed], Place | None]:
        """Return what changed after a moment up to another, and where the next page begins."""
        with answering(self._engine), self._engine.connect() as connection:
            return changes(
                connection, self._scores, self._gone, _row, model, since, until, after, limit
            )

    def versions(self) -> dict[str, str]:
        """Return the version that made each model's scores."""
        table = self._scores
        query = sa.select(table.c.model, table.c.version).where(table.c.place == 0)
        with answering(self._engine), self._engine.connect() as connection:
            return {row.model: row.version for row in connection.execute(query)}

    def _query(self, model: str, filters: Filters) -> sa.Select[Any]:
        table = self._scores
        query = sa.select(table).where(table.c.model == model)
        if filters.campaign_id is not None:
            query = query.where(table.c.campaign_id == filters.campaign_id)
        if filters.min_probability is not None:
            query = query.where(table.c.probability >= filters.min_probability)
        if filters.segment is not None:
            other = table.alias()
            named = sa.select(other.c.customer_id).where(other.c.segment == filters.segment)
            query = query.where(table.c.customer_id.in_(named))
        return query.order_by(table.c.place)

    def _rows(self, query: sa.Select[Any]) -> Iterator[ScoreRow]:
        with answering(self._engine), self._engine.connect() as connection:
            result = connection.execution_options(yield_per=CHUNK).execute(query).mappings()
            for values in result:
                yield _row(values)


def _order(row: ScoreRow) -> tuple[float, Sequence[str]]:
    return (-row.margin if row.margin is not None else 0.0, (row.customer_id, row.row_id))


def _values(row: ScoreRow, place: int) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in FIELDS}
    earlier = None if row.earlier is None else asdict(row.earlier)
    campaign = row.context.get("campaign_id")
    return values | {"place": place, "campaign_id": campaign, "earlier": earlier}


def _row(values: sa.RowMapping) -> ScoreRow:
    held = {name: values[name] for name in FIELDS}
    held |= {"earlier": _earlier(held["earlier"]), "abstained": held["abstained"] or ""}
    return ScoreRow(**held)


def _earlier(plain: dict[str, Any] | None) -> Earlier | None:
    return None if plain is None else Earlier(**plain)


def database_url(home: Path, url: str | None = None) -> str:
    """Return the URL that was set (``NEXTBEST_DATABASE_URL``), else SQLite under home.

    Examples
    --------
    >>> database_url(Path("home")), database_url(Path("home"), "postgresql+psycopg://db/next")
    ('sqlite:///home/nextbest.db', 'postgresql+psycopg://db/next')
    """
    return f"sqlite:///{(home / 'nextbest.db').as_posix()}" if url is None else url
