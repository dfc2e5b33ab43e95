"""Spines as files of the log."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.clock import EARLIEST, LATEST
from features.errors import BadInputError
from features.spine import Spine

_CONTEXT = "context."


def check(name: str, spine: Spine) -> None:
    """Refuse a spine whose rows cannot be told apart or belong to nobody.

    Raises
    ------
    BadInputError
        A row id is missing or there twice, a customer is missing, a moment is no date.
    """
    ids, customers = spine.row_id, spine.customer_id
    for row, (row_id, customer_id) in enumerate(zip(ids, customers, strict=True), start=1):
        for column, value in (("row_id", row_id), ("customer_id", customer_id)):
            if not isinstance(value, str) or not value:
                raise BadInputError(
                    f"Spine {name!r}, row {row}: the {column} is {value!r}.",
                    remedy="Give every row a text.",
                )
    if len(set(ids)) != len(ids):
        [(row_id, times)] = Counter(ids).most_common(1)
        raise BadInputError(
            f"Spine {name!r}: the row_id {row_id!r} is there {times} times.",
            remedy="Give every row its own.",
        )
    outside = np.flatnonzero((spine.as_of < EARLIEST) | (spine.as_of > LATEST))
    if len(outside):
        raise BadInputError(
            f"Spine {name!r}, row {outside[0] + 1}: as_of {spine.as_of[outside[0]]} is no date.",
            remedy="Give microseconds UTC.",
        )


def table_of(spine: Spine) -> pa.Table:
    """Return a spine as a table; context columns are text, int64 or float64."""
    columns: dict[str, Any] = {
        "row_id": pa.array(spine.row_id, pa.string()),
        "customer_id": _text(spine.customer_id),
        "as_of": pa.array(spine.as_of, pa.int64()),
    }
    for name, values in spine.context.items():
        columns[_CONTEXT + name] = _text(values) if values.dtype == object else pa.array(values)
    return pa.table(columns)


def load(path: Path, entity: str) -> Spine:
    """Return the spine of a file that holds what `table_of` gave."""
    table = pq.read_table(path)
    context = {
        name.removeprefix(_CONTEXT): _values(table[name])
        for name in table.column_names
        if name.startswith(_CONTEXT)
    }
    row_id, customer_id = _values(table["row_id"]), _values(table["customer_id"])
    ids = table["customer_id"].unify_dictionaries().combine_chunks()
    return Spine(entity, row_id, customer_id, _values(table["as_of"]), context, ids)


def _text(values: NDArray[Any]) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


def _values(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.to_numpy())
    if pa.types.is_dictionary(column.type):
        # One Python string a distinct text, however many rows show it.
        flat = column.unify_dictionaries().combine_chunks()
        texts = np.array([*flat.dictionary.to_pylist(), None], dtype=object)
        return np.asarray(texts[flat.indices.fill_null(len(texts) - 1).to_numpy()])
    return np.asarray(column.to_numpy(), dtype=object)
