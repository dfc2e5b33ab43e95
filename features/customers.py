"""Who the customers are: states as they became known, and when a customer was first seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import duplicates
from features.contract import REQUIRED_OF_CUSTOMERS
from features.errors import BadInputError
from features.source import Source
from features.validate import comparable

_ORDER = [("customer_id", "ascending"), ("known_at", "ascending")]
FIRST_SEEN = pa.schema([("customer_id", pa.string()), ("known_at", pa.int64())])


def merge_states(old: pa.Table | None, new: Sequence[pa.Table]) -> pa.Table:
    """Return all states, sorted; of two for one customer and moment, the later ingested.

    Raises
    ------
    BadInputError
        An attribute is text in one table and a number in another.
    """
    tables = [*([old] if old is not None else []), *new]
    types = attribute_types(tables)
    wanted = pa.schema([*FIRST_SEEN, *(pa.field(name, kind) for name, kind in types.items())])
    if not tables:
        return wanted.empty_table()
    # The latest ingested stand first, and the first of each (customer, moment) stays.
    rows = pa.concat_tables([_conform(table, wanted) for table in reversed(tables)])
    who, when = duplicates.codes(rows["customer_id"]), comparable(rows["known_at"])
    _, first = np.unique(np.stack([who, when]), axis=1, return_index=True)
    return rows.take(pa.array(np.sort(first))).sort_by(_ORDER).combine_chunks()


def every_state(stated: pa.Table, first_seen: pa.Table) -> pa.Table:
    """Return the stated customers and, without attributes, those of whom only events are known."""
    known = pc.is_in(first_seen["customer_id"], value_set=stated["customer_id"].combine_chunks())
    others = _conform(first_seen.filter(pc.invert(known)), stated.schema)
    return pa.concat_tables([stated, others]).sort_by(_ORDER).combine_chunks()


def check_consent(states: pa.Schema, source: Source) -> None:
    """Refuse a source that says it records consent and shows none.

    Raises
    ------
    BadInputError
        `consent` is ``"recorded"`` and no attribute's name begins with ``consent_``.
    """
    recorded = [name for name in states.names if name.startswith("consent_")]
    if source.consent == "recorded" and not recorded:
        raise BadInputError(
            f"{source.name!r} says that consent is recorded, but no customer carries any.",
            remedy="Give customers a column a channel and purpose, such as consent_email_offers, "
            "or state consent = 'assumed'.",
        )


def _conform(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    columns: list[Any] = []
    for field in wanted:
        if field.name in table.column_names:
            columns.append(table[field.name].cast(field.type))
        else:
            columns.append(pa.nulls(table.num_rows, field.type))
    return pa.Table.from_arrays(columns, schema=wanted)


def attribute_types(tables: Sequence[pa.Table]) -> dict[str, pa.DataType]:
    """Return the attribute columns of several tables of customers and their types.

    Raises
    ------
    BadInputError
        One attribute is text in one table and a number in another.
    """
    found: dict[str, pa.DataType] = {}
    for table in tables:
        for field in table.schema:
            if field.name in REQUIRED_OF_CUSTOMERS:
                continue
            if found.setdefault(field.name, field.type) != field.type:
                raise BadInputError(
                    f"The attribute {field.name!r} was {found[field.name]} and is now "
                    f"{field.type}.",
                    remedy="Give it the same type in every batch.",
                )
    return found
