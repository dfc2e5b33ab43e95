"""Which stored scores changed, and when: what a CRM must update since it last asked.

Every batch of a model has a moment of its own, later than those before. A row carries the moment
of the batch that last changed it; a row that a batch no longer has is remembered as gone. Who
pages through what changed up to one moment therefore loses nothing to a batch that is written
meanwhile: what that batch changes moves beyond the moment, to where the next question begins.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from features.clock import LATEST
from models.score_rows import ScoreRow, about
from models.trend import direction_of

DAYS_GONE = 90
"""So long a row that is gone is remembered."""
MICROS_A_DAY = 86_400_000_000
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Changed:
    """One row that changed: as it is now, or None if it is gone.

    Attributes
    ----------
    changed_at : int
        Microseconds UTC: the moment of the batch.
    """

    customer_id: str
    context: dict[str, Any]
    changed_at: int
    row: ScoreRow | None


class Place(NamedTuple):
    """Where a page ends: among rows or, after them, among those that are gone."""

    gone: bool
    changed_at: Annotated[int, msgspec.Meta(ge=-1, le=LATEST)]
    about: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]*$")]


START = Place(False, -1, "")


def latest(connection: sa.Connection, tables: Sequence[sa.Table], model: str) -> int | None:
    """Return the moment of the last batch that changed anything of a model; None of none."""
    found = [
        connection.scalar(sa.select(sa.func.max(table.c.changed_at)).where(table.c.model == model))
        for table in tables
    ]
    return max((moment for moment in found if moment is not None), default=None)


def mark(
    connection: sa.Connection,
    scores: sa.Table,
    gone: sa.Table,
    model: str,
    rows: Sequence[ScoreRow],
    now: int,
) -> Iterator[dict[str, Any]]:
    """Note which rows are gone, and return what tells changed rows from the others, row by row.

    Called inside the transaction that replaces the rows, before they are deleted.

    Parameters
    ----------
    rows : sequence of ScoreRow
        Those to come, in their order.
    now : int
        Microseconds UTC; the moment becomes a later one if a batch before had as late a one.
    """
    moment = max(now, (latest(connection, (scores, gone), model) or 0) + 1)
    held = sa.select(scores.c.about, scores.c.content, scores.c.changed_at)
    old = {
        row.about: (row.content, row.changed_at)
        for row in connection.execute(held.where(scores.c.model == model))
        if row.about is not None  # of an earlier release
    }
    marks = [(key, content_of(row)) for key, row in zip(_keys(rows), rows, strict=True)]
    new = {key for key, _ in marks}
    for left in _chunks(sorted(old.keys() - new)):
        columns = (scores.c.model, scores.c.about, scores.c.customer_id, scores.c.context)
        is_left = sa.and_(scores.c.model == model, scores.c.about.in_(left))
        found = sa.select(*columns, sa.literal(moment, sa.BigInteger)).where(is_left)
        names = ["model", "about", "customer_id", "context", "changed_at"]
        connection.execute(sa.insert(gone).from_select(names, found))
    were = set(connection.scalars(sa.select(gone.c.about).where(gone.c.model == model)))
    for back in _chunks(sorted(were & new)):
        connection.execute(sa.delete(gone).where(gone.c.model == model, gone.c.about.in_(back)))
    forgotten = gone.c.changed_at < forgets_before(now)
    connection.execute(sa.delete(gone).where(gone.c.model == model, forgotten))
    for key, content in marks:
        before, at = old.get(key, (None, moment))
        changed_at = at if before == content else moment
        yield {"about": key, "content": content, "changed_at": changed_at}


def forgets_before(now: int) -> int:
    """Return the moment before which rows that went may have been forgotten."""
    return now - DAYS_GONE * MICROS_A_DAY


def changes(
    connection: sa.Connection,
    scores: sa.Table,
    gone: sa.Table,
    row_of: Callable[[sa.RowMapping], ScoreRow],
    model: str,
    since: int | None,
    until: int,
    after: Place,
    limit: int,
) -> tuple[list[Changed], Place | None]:
    """Return a page of what changed after `since` up to `until`, and where it ends; see `Place`.

    Without `since` all rows are returned, and none that are gone.
    """
    found: list[Changed] = []
    end = after
    for table in (scores, gone):
        of_gone = table is gone
        if of_gone < after.gone or (of_gone and since is None):
            continue
        query = sa.select(table).where(
            table.c.model == model,
            table.c.changed_at > (-1 if since is None else since),
            table.c.changed_at <= until,
        )
        if of_gone == after.gone:
            place = sa.tuple_(table.c.changed_at, table.c.about)
            query = query.where(place > sa.tuple_(after.changed_at, after.about))
        query = query.order_by(table.c.changed_at, table.c.about).limit(limit + 1 - len(found))
        for values in connection.execute(query).mappings():
            if len(found) == limit:
                return found, end
            row = None if of_gone else row_of(values)
            at = values["changed_at"]
            found.append(Changed(values["customer_id"], dict(values["context"]), at, row))
            end = Place(of_gone, at, values["about"])
    return found, None


def content_of(row: ScoreRow) -> int:
    """Return a number of 64 bits that another content of the row would not have.

    The moment of a score and the size of its trend are not part of it: they change with every
    batch.
    """
    moved = None
    if row.earlier is not None and row.probability is not None:
        moved = direction_of(row.earlier.again, row.probability)
    content = (
        row.version, row.probability, row.percentile, row.grade, row.segment, row.abstained, moved,
        row.reasons,
    )  # fmt: skip
    digest = hashlib.blake2b(msgspec.json.encode(content), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _keys(rows: Sequence[ScoreRow]) -> Iterator[str]:
    """Yield a short text for each row that it has in every batch; several may be about the same."""
    times: Counter[str] = Counter()
    for row in rows:
        what = about(row.customer_id, row.context)
        times[what] += 1
        yield hashlib.blake2b(f"{times[what]}{what}".encode(), digest_size=16).hexdigest()


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
