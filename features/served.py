"""What was served: scores with the values they rest on, to be computed and scored again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import sqlalchemy as sa

from features.database import Connected, address, answering, connect, create, lock
from features.ledger import FILE
from features.score_id import parts_of_id

CHUNK = 50
"""Blocks read at a time."""


class Shape(NamedTuple):
    """What all scores of one version have in common.

    Attributes
    ----------
    model, version : str
    catalogue : str
        `features.plan.feature_hash` of the model's features.
    names : tuple of str
        The features, in the order of the values.
    """

    model: str
    version: str
    catalogue: str
    names: tuple[str, ...]


class Row(msgspec.Struct, array_like=True):
    """One score of a block; its members are explained at `Served`."""

    score_id: str
    customer_id: str | None
    as_of: int
    sequence: int | None
    has_events: bool | None
    context: Mapping[str, Any]
    values: Sequence[Any]
    answer: Mapping[str, Any]
    shadow_of: str = ""


class Served(NamedTuple):
    """One score, with the values that were given to the model.

    Attributes
    ----------
    score_id : str
        See `features.score_id`.
    model, version, catalogue : str
        As in `Shape`.
    customer_id : str or None
        None of somebody who is not stored.
    as_of : int
        Microseconds UTC.
    sequence : int or None
        Number of the last line of the ledger that could count; None if the values were sent.
    has_events : bool or None
    context : dict
        What the request said beside the customer.
    values : dict
        By the features' names; None is missing.
    answer : dict
        What was answered, numbers with all their bits.
    shadow_of : str
        The id of the score that was served, where this is a challenger's of the same values, which
        nobody saw; else empty.
    """

    score_id: str
    model: str
    version: str
    catalogue: str
    customer_id: str | None
    as_of: int
    sequence: int | None
    has_events: bool | None
    context: Mapping[str, Any]
    values: Mapping[str, Any]
    answer: Mapping[str, Any]
    shadow_of: str = ""


class Block(msgspec.Struct):
    """Scores of one version that were committed together.

    Attributes
    ----------
    number : int
        The process's own count of scores to be kept, at most that of the block's last.
    """

    number: int
    shape: Shape
    rows: list[Row]


_encode = msgspec.msgpack.Encoder().encode
_names_of = msgspec.msgpack.Decoder(tuple[str, ...]).decode
_rows_of = msgspec.msgpack.Decoder(list[Row]).decode


class ServedStore(Connected):
    """Served scores in the ledger's database, a block of them a row.

    Parameters
    ----------
    url : str
        ``sqlite:///...`` or ``postgresql+psycopg://...``.
    prefix : str
        Before the table's name, for several in one database.
    patience : float, optional
        Seconds that a database may keep silent, see `features.database.connect`.

    Examples
    --------
    >>> store = ServedStore("sqlite://")
    >>> score_id = "0000000000000500000000abcd"
    >>> row = Row(score_id, "jane", 7, 2, True, {}, [4], {"probability": 0.25})
    >>> store.add("00000000abcd", [Block(1, Shape("churn", "3", "f00", ("orders",)), [row])])
    >>> found = store.find(score_id)
    >>> found.values, found.answer
    ({'orders': 4}, {'probability': 0.25})
    >>> store.close()
    """

    def __init__(self, url: str, prefix: str = "nextbest_", patience: float | None = None) -> None:
        self._engine = connect(url, patience=patience)
        metadata = sa.MetaData()
        text, number = sa.Text, sa.BigInteger
        self._table = sa.Table(
            f"{prefix}served_blocks",
            metadata,
            sa.Column("process", text, primary_key=True),
            sa.Column("number", number, primary_key=True),
            sa.Column("model", text, nullable=False),
            sa.Column("version", text, nullable=False),
            sa.Column("catalogue", text, nullable=False),
            sa.Column("names", sa.LargeBinary, nullable=False),
            sa.Column("first_at", number, nullable=False),
            sa.Column("last_at", number, nullable=False),
            sa.Column("last_as_of", number, nullable=False),
            sa.Column("rows", sa.LargeBinary, nullable=False),
        )
        for column in ("last_at", "last_as_of"):
            sa.Index(f"{prefix}served_blocks_{column}", self._table.c[column])
        create(self._engine, metadata)

    @classmethod
    def open(cls, home: Path, url: str | None = None, patience: float | None = None) -> Self:
        """Return the store beside the ledger; see `features.ledger.Ledger.open`."""
        return cls(address(url, home / FILE), patience=patience)

    def add(self, process: str, blocks: Sequence[Block]) -> None:
        """Write blocks in one transaction; those that are there already are left as they are.

        Raises
        ------
        DatabaseError
            The database does not answer; what became of the blocks is not known, and to write the
            same again is safe.
        """
        written = [{"process": process, **_columns(block)} for block in blocks]
        known = sa.select(self._table.c.number).where(
            self._table.c.process == process,
            self._table.c.number.in_([block.number for block in blocks]),
        )
        with answering(self._engine), self._engine.begin() as connection:
            lock(connection, self._table.name)
            there = set(connection.execute(known).scalars())
            new = [each for each in written if each["number"] not in there]
            if new:
                connection.execute(sa.insert(self._table), new)

    def find(self, score_id: str) -> Served | None:
        """Return one score, or None if it is not kept.

        Raises
        ------
        ScoreIdError
            The text is no score's id.
        """
        moment, process = parts_of_id(score_id)
        c = self._table.c
        where = c.process == process, c.first_at <= moment, c.last_at >= moment
        with answering(self._engine), self._engine.connect() as connection:
            blocks = connection.execute(sa.select(self._table).where(*where)).all()
        rows = (row for block in blocks for row in _served(block))
        return next((row for row in rows if row.score_id == score_id), None)

    def since(self, as_of: int) -> Iterator[Served]:
        """Yield what was served at a moment or later, in the order of blocks and moments."""
        c = self._table.c
        query = sa.select(self._table).where(c.last_as_of >= as_of)
        query = query.order_by(c.last_as_of, c.process, c.number)
        with (
            answering(self._engine),
            self._engine.connect() as connection,
            connection.execution_options(yield_per=CHUNK).execute(query) as blocks,
        ):
            for block in blocks:
                yield from (row for row in _served(block) if row.as_of >= as_of)

    def delete_before(self, moment: int) -> int:
        """Delete blocks whose last score was served before a moment (microseconds UTC).

        Returns
        -------
        int
            How many there were.
        """
        delete = sa.delete(self._table).where(self._table.c.last_at < moment)
        with answering(self._engine), self._engine.begin() as connection:
            return int(connection.execute(delete).rowcount)

    def erase(self, customer_id: str) -> int:
        """Take a customer's scores out of the blocks; returns how many there were.

        All blocks are read for it, about a million scores a few seconds: it is rare, and an index
        of customers would cost every commit. What a running server has not committed yet is not
        seen.
        """
        erased, table = 0, self._table
        with answering(self._engine), self._engine.connect() as connection:
            keys = connection.execute(sa.select(table.c.process, table.c.number)).all()
        for process, number in keys:
            where = table.c.process == process, table.c.number == number
            content = sa.select(table.c.rows).where(*where)
            with answering(self._engine), self._engine.connect() as connection:
                rows = _rows_of(connection.scalar(content) or _encode([]))
            if all(row.customer_id != customer_id for row in rows):
                continue
            with answering(self._engine), self._engine.begin() as connection:
                if connection.dialect.name == "sqlite":
                    # Else the bytes stay in the file until others take their place.
                    connection.exec_driver_sql("PRAGMA secure_delete=ON")
                lock(connection, table.name)
                rows = _rows_of(connection.scalar(content) or _encode([]))
                left = [row for row in rows if row.customer_id != customer_id]
                erased += len(rows) - len(left)
                changed = sa.update(table).values(rows=_encode(left)) if left else sa.delete(table)
                connection.execute(changed.where(*where))
        return erased

    def last_number(self, process: str) -> int:
        """Return the highest number of a process's blocks, 0 if it has none."""
        highest = sa.select(sa.func.max(self._table.c.number))
        with answering(self._engine), self._engine.connect() as connection:
            found = connection.scalar(highest.where(self._table.c.process == process))
        return int(found or 0)


def _served(block: Any) -> Iterator[Served]:
    """Yield the scores of a row of the table, in the order of their moments."""
    names = _names_of(block.names)
    for row in sorted(_rows_of(block.rows), key=lambda row: (row.as_of, row.score_id)):
        yield Served(
            row.score_id, block.model, block.version, block.catalogue,
            row.customer_id, row.as_of, row.sequence, row.has_events, row.context,
            dict(zip(names, row.values, strict=True)), row.answer, row.shadow_of,
        )  # fmt: skip


def _columns(block: Block) -> dict[str, Any]:
    moments = [parts_of_id(row.score_id)[0] for row in (block.rows[0], block.rows[-1])]
    model, version, catalogue, names = block.shape
    return {
        "number": block.number,
        "model": model,
        "version": version,
        "catalogue": catalogue,
        "names": _encode(names),
        "first_at": moments[0],
        "last_at": moments[1],
        "last_as_of": max(row.as_of for row in block.rows),
        "rows": _encode(block.rows),
    }
