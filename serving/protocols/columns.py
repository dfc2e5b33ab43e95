"""Columns of values, as both protocols send them, to one score a row.

The rows go the way of a batch: read, checked, scored, logged and counted as `POST /v1/scores/...`
does, with the same answers. Neither protocol has a place for one bad row, so it refuses them all,
before anything is scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from math import isnan
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

from features.errors import NextbestError
from features.names import one_of, shown
from serving.errors import RequestError, RowError
from serving.parts import ROWS_A_TURN
from serving.schema import MOST_ROWS
from serving.scores.hot_body import HotBody
from serving.scores.inputs import check
from serving.scores.reading import read_each
from serving.scores.scoring import score_known

if TYPE_CHECKING:
    from models.spec import ModelSpec
    from serving.champions.champions import Champion
    from serving.parts import Parts

    Columns = Mapping[str, Sequence[Any]]

CUSTOMER = "customer_id"


async def score_columns(parts: Parts, champion: Champion, columns: Columns) -> list[Any]:
    """Return the scores of rows, each a `Score` or a `SegmentScore`, in their order.

    Parameters
    ----------
    parts : Parts
    champion : Champion
    columns : mapping of str to sequences of one length
        Features by name; or customer_id, with the context that the model needs. None and NaN
        are missing.

    Raises
    ------
    RequestError
        No rows, too many, or columns that do not go together.
    RowError
        A row cannot be scored; none of them is.
    """
    rows = _rows(champion.spec, columns)
    # A few rows wait for nobody, and nobody waits for them.
    async with nullcontext() if rows <= ROWS_A_TURN else parts.batch_turns:
        held = []
        for start in range(0, rows, ROWS_A_TURN):
            some = [_asked(columns, row) for row in range(start, min(rows, start + ROWS_A_TURN))]
            readings = await read_each(parts, champion.spec, some)
            for row, (asked, reading) in enumerate(zip(some, readings, strict=True), start):
                if isinstance(reading, NextbestError):
                    raise RowError(row, reading) from reading
                held.append((asked, reading))
        scores: list[Any] = []
        for row, (asked, (as_of, known)) in enumerate(held):
            if row and row % ROWS_A_TURN == 0:
                await anyio.lowlevel.checkpoint()  # single requests are answered in between
            scores.append(score_known(parts, champion, known, as_of, asked))
    return scores


def _rows(spec: ModelSpec, columns: Columns) -> int:
    """Return how many rows there are."""
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise RequestError(
            "The columns have different numbers of rows.", remedy="Send as many values of each."
        )
    rows = max(lengths, default=0)
    if not 1 <= rows <= MOST_ROWS:
        raise RequestError(
            f"There must be 1 to {MOST_ROWS:,} rows.", remedy="Send fewer rows at a time."
        )
    beside = [name for name in columns if name not in (CUSTOMER, *spec.context)]
    if CUSTOMER in columns and beside:
        raise RequestError(
            f"{CUSTOMER} goes with the model's context only, and other columns are here.",
            remedy=f"Send {CUSTOMER} or features, not both. Context of {spec.name!r}: "
            f"{one_of(list(spec.context)) or 'none'}",
            fields=[(shown(name), "is not part of the context") for name in beside[:20]],
        )
    return rows


def _asked(columns: Columns, row: int) -> HotBody:
    """Return one row as it would be asked alone, or raise `RowError`."""
    values = {name: _known(column[row]) for name, column in columns.items()}
    if CUSTOMER not in values:
        return HotBody(features=values)
    try:
        customer = check(CUSTOMER, "category", (), values.pop(CUSTOMER))
    except RequestError as error:
        raise RowError(row, error) from error
    if customer is None:
        missing = RequestError(f"{CUSTOMER} is missing.", remedy="Send one for each row.")
        raise RowError(row, missing)
    return HotBody(customer_id=str(customer), context=values)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and isnan(value) else value
