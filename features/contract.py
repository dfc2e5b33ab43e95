"""The event contract: which columns a batch of events, customers or campaigns has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from features.columns import (
    CAMPAIGN_COLUMNS,
    EVENT_COLUMNS,
    PROPERTY_TYPES,
    REQUIRED_OF_CAMPAIGNS,
    REQUIRED_OF_CUSTOMERS,
    REQUIRED_OF_EVENTS,
    TEXTS,
    TIMES,
    text_columns,
)
from features.errors import BadInputError

__all__ = [
    "CAMPAIGNS", "CAMPAIGN_COLUMNS", "EVENTS", "EVENT_COLUMNS", "PROPERTY_TYPES",
    "REQUIRED_OF_CAMPAIGNS", "REQUIRED_OF_CUSTOMERS", "REQUIRED_OF_EVENTS", "TEXTS", "TIMES",
    "Batch", "check_columns", "event_schema", "text_columns",
]  # fmt: skip

EVENTS = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("occurred_at", pa.int64(), nullable=False),
        pa.field("recorded_at", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("amount", pa.int64()),
        pa.field("quantity", pa.int64()),
        pa.field("channel", pa.string()),
        pa.field("item", pa.string()),
        pa.field("category", pa.string()),
        pa.field("campaign_id", pa.string()),
    ]
)
"""Events as they are once checked; a source's own properties follow."""
CAMPAIGNS = pa.schema(
    [
        pa.field("campaign_id", pa.string(), nullable=False),
        pa.field("type", pa.string()),
        pa.field("channel", pa.string()),
        pa.field("starts_at", pa.int64(), nullable=False),
        pa.field("ends_at", pa.int64(), nullable=False),
        pa.field("cost", pa.int64()),
        pa.field("offer", pa.string()),
    ]
)
"""Campaigns once checked. `ends_at` is exclusive; `cost` is minor units a contact."""


@dataclass(frozen=True)
class Batch:
    """Rows as a source gives them, and where they stand.

    Attributes
    ----------
    file : str
        Named to the user when a row is rejected.
    table : pyarrow.Table
        Times are microseconds UTC, timestamps or ISO text; `amount` is in minor units.
    first_row : int
        The number of the table's first row in the file.
    """

    file: str
    table: pa.Table
    first_row: int = 1


def event_schema(properties: Mapping[str, str]) -> pa.Schema:
    """Return the schema of checked events with a source's own properties.

    Raises
    ------
    BadInputError
        A property's type is neither ``"text"`` nor ``"integer"``, or its name is taken.
    """
    fields = list(EVENTS)
    for name, kind in properties.items():
        if kind not in PROPERTY_TYPES:
            raise BadInputError(
                f"Property {name!r} is declared as {kind!r}.",
                remedy=f"Declare it as one of: {', '.join(PROPERTY_TYPES)}.",
            )
        if name in EVENTS.names:
            raise BadInputError(
                f"Property {name!r} has the name of an event's own column.",
                remedy="Give it another name.",
            )
        fields.append(pa.field(name, pa.string() if kind == "text" else pa.int64()))
    return pa.schema(fields)


def check_columns(
    batch: Batch, what: str, required: Iterable[str], allowed: Iterable[str] | None
) -> None:
    """Refuse a batch that lacks a column or has one that nothing would read.

    Raises
    ------
    BadInputError
        A required column is missing, a column is there twice, or (where `allowed` is given) one
        is neither required nor allowed.
    """
    names = batch.table.column_names
    listed = ", ".join(names) or "none"
    missing = [name for name in required if name not in names]
    if missing:
        raise BadInputError(
            f"{batch.file}: the column {missing[0]!r} of {what} is missing; there are: {listed}.",
            remedy=f"Give every batch of {what} the columns {', '.join(required)}.",
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInputError(
            f"{batch.file}: the column {twice[0]!r} is there {names.count(twice[0])} times.",
            remedy="Keep one of them.",
        )
    unknown = [name for name in names if allowed is not None and name not in allowed]
    if unknown:
        raise BadInputError(
            f"{batch.file}: nothing reads the column {unknown[0]!r} of {what}.",
            remedy="Correct its name, leave it out, or declare it as a property of the source.",
        )
