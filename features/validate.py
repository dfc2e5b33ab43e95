"""What a row of events, customers or campaigns must fulfil before it may enter the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features import contract, convert, duplicates
from features.contract import Batch
from features.kernel import NULL
from features.quarantine import Findings, rows_of
from features.source import Source

ROW = "_row"
"""Column of checked tables: the number of the row in its file."""
_TIME = "Write it as 2017-12-04T05:00:00Z, or as microseconds UTC."
_INT64 = "Give a whole number of at most 18 digits."


def events(
    batch: Batch, source: Source, properties: Mapping[str, str]
) -> tuple[pa.Table, Findings]:
    """Return the rows of a batch that keep the event contract, and what is wrong with the others.

    Parameters
    ----------
    batch : Batch
        With `contract.REQUIRED_OF_EVENTS`, any other event column, and properties.
    source : Source
        Its `timezone` reads local times; with one clock, a missing `recorded_at` is `occurred_at`.
    properties : dict of str to {"text", "integer"}
        The source's own columns.

    Returns
    -------
    table : pyarrow.Table
        Columns of `contract.event_schema` and the row number; batch order. Among rows with one
        `event_id` the first, if all agree; none, if they contradict each other.
    findings : Findings

    Raises
    ------
    BadInputError
        The batch as a whole is wrong: a column missing, unknown, or of an unusable type.
    """
    schema = contract.event_schema(properties)
    contract.check_columns(batch, "events", contract.REQUIRED_OF_EVENTS, schema.names)
    findings = Findings(batch)
    columns: dict[str, pa.Array] = {}
    numbers: dict[str, NDArray[np.int64]] = {}
    for field in schema:
        if field.type == pa.string():
            columns[field.name] = _texts(batch, field.name)
        elif field.name in contract.TIMES:
            required = field.name == "occurred_at" or source.clocks == 2
            numbers[field.name] = _instants(batch, findings, field.name, source, required)
        else:
            numbers[field.name] = _integers(batch, findings, field.name)
    for name in ("event_id", "customer_id", "kind"):
        _require(findings, name, columns[name])
    occurred, recorded = numbers["occurred_at"], numbers["recorded_at"]
    if source.clocks == 1:
        recorded = numbers["recorded_at"] = np.where(recorded == NULL, occurred, recorded)
    findings.reject(
        "recorded_at",
        (recorded < occurred) & (recorded != NULL) & (occurred != NULL),
        "It was recorded before it occurred.",
        "Check the two clocks and their time zones; recorded_at is when it became known.",
    )
    findings.reject(
        "quantity",
        (numbers["quantity"] < 0) & (numbers["quantity"] != NULL),
        "The quantity is negative.",
        "Give what was bought as a quantity of 0 or more, and what was brought back as an event "
        "of its own kind.",
    )
    for name, values in numbers.items():
        columns[name] = _nullable(values)
    table = pa.table({name: columns[name] for name in schema.names}, schema=_loose(schema))
    return _without_duplicates(table, findings, "event_id", batch), findings


def customers(batch: Batch, source: Source) -> tuple[pa.Table, Findings]:
    """Return the customer states of a batch that are sound, and what is wrong with the others.

    Attributes become text or float64 (truth values 1.0 and 0.0); missing is a value.

    Raises
    ------
    BadInputError
        A column is missing or of an unusable type.
    """
    contract.check_columns(batch, "customers", contract.REQUIRED_OF_CUSTOMERS, None)
    findings = Findings(batch)
    columns = {"customer_id": _texts(batch, "customer_id")}
    _require(findings, "customer_id", columns["customer_id"])
    columns["known_at"] = _nullable(_instants(batch, findings, "known_at", source))
    for name in batch.table.column_names:
        if name not in columns:
            columns[name] = _attribute(batch, findings, name)
    table = pa.table(columns)
    return _without_duplicates(table, findings, ("customer_id", "known_at"), batch), findings


def campaigns(batch: Batch, source: Source) -> tuple[pa.Table, Findings]:
    """Return the campaigns of a batch that are sound, and what is wrong with the others.

    Raises
    ------
    BadInputError
        A column is missing, unknown, or of an unusable type.
    """
    contract.check_columns(
        batch, "campaigns", contract.REQUIRED_OF_CAMPAIGNS, contract.CAMPAIGN_COLUMNS
    )
    findings = Findings(batch)
    columns = {name: _texts(batch, name) for name in ("campaign_id", "type", "channel", "offer")}
    _require(findings, "campaign_id", columns["campaign_id"])
    bounds = {}
    for name in ("starts_at", "ends_at"):
        bounds[name] = _instants(batch, findings, name, source)
        columns[name] = _nullable(bounds[name])
    known = (bounds["starts_at"] != NULL) & (bounds["ends_at"] != NULL)
    findings.reject(
        "ends_at",
        known & (bounds["ends_at"] <= bounds["starts_at"]),
        "The campaign ends before it starts.",
        "Give an end after the start; it is the first moment that is no longer in the campaign.",
    )
    cost = _integers(batch, findings, "cost")
    findings.reject(
        "cost",
        (cost < 0) & (cost != NULL),
        "The cost is negative.",
        "Give the cost of one contact in minor units.",
    )
    columns["cost"] = _nullable(cost)
    table = pa.table({name: columns[name] for name in contract.CAMPAIGNS.names})
    return _without_duplicates(table, findings, "campaign_id", batch), findings


def _without_duplicates(
    table: pa.Table, findings: Findings, identity: str | Sequence[str], batch: Batch
) -> pa.Table:
    """Reject rows that contradict each other, and leave repeated ones out."""
    names = [identity] if isinstance(identity, str) else list(identity)
    numbered = table.append_column(
        ROW, pa.array(np.arange(table.num_rows, dtype=np.int64) + batch.first_row)
    )
    sound = np.flatnonzero(~findings.bad)
    kept = rows_of(numbered, ~findings.bad)
    key = _identity(kept, names)
    if len(np.unique(key)) == len(key):
        return kept
    content = {name: comparable(kept[name]) for name in table.column_names if name not in names}
    found = duplicates.find(key, content)
    contradicted = np.isin(found.first, found.first[found.conflicting])
    rejected = np.zeros(len(findings.bad), dtype=bool)
    rejected[sound[contradicted]] = True
    findings.reject(
        names[0],
        rejected,
        f"Rows of one batch share this {' and '.join(names)} and contradict each other.",
        "Keep the right one; a correction is an event with an event_id of its own."
        if names == ["event_id"]
        else "Keep the right one.",
    )
    return rows_of(kept, ~(contradicted | found.repeated))


def _identity(table: pa.Table, names: Sequence[str]) -> NDArray[np.int64]:
    key = duplicates.codes(table[names[0]])
    for name in names[1:]:
        _, ranks = np.unique(comparable(table[name]), return_inverse=True)
        key = key * (int(ranks.max(initial=0)) + 1) + ranks
    return key


def comparable(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return int64 values that are equal where those of a column are, nulls included."""
    if pa.types.is_string(column.type):
        return duplicates.codes(column)
    if pa.types.is_floating(column.type):
        bits = pc.fill_null(column, float("nan")).to_numpy().view(np.int64)
        return np.asarray(bits, dtype=np.int64)
    return np.asarray(pc.fill_null(column.cast(pa.int64()), NULL).to_numpy(), dtype=np.int64)


def _column(batch: Batch, name: str) -> pa.ChunkedArray:
    if name in batch.table.column_names:
        return batch.table[name]
    return pa.chunked_array([pa.nulls(batch.table.num_rows)])


def _where(batch: Batch, name: str) -> str:
    return f"{batch.file}: the column {name!r}"


def _texts(batch: Batch, name: str) -> pa.Array:
    return convert.texts(_column(batch, name), _where(batch, name))


def _integers(batch: Batch, findings: Findings, name: str) -> NDArray[np.int64]:
    found = convert.integers(_column(batch, name), _where(batch, name))
    unit = " of minor units (cents)" if name in ("amount", "cost") else ""
    findings.reject(
        name, found.wrong, f"The value is no whole number{unit} within 64 bits.", _INT64
    )
    return found.values


def _instants(
    batch: Batch, findings: Findings, name: str, source: Source, required: bool = True
) -> NDArray[np.int64]:
    found = convert.instants(_column(batch, name), _where(batch, name), source.timezone)
    findings.reject(name, found.wrong, "The value is no date or time.", _TIME)
    missing = (found.values == NULL) & ~found.wrong
    findings.reject(name, missing & required, f"The {name} is missing.", _TIME)
    return found.values


def _attribute(batch: Batch, findings: Findings, name: str) -> pa.Array:
    kind = batch.table.schema.field(name).type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        column = _column(batch, name).cast(pa.float64()).combine_chunks()
        values = pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False)
        findings.reject(
            name, ~np.isfinite(values), "The value is not finite.", "Leave it empty if unknown."
        )
        return column
    return _texts(batch, name)


def _require(findings: Findings, name: str, column: pa.Array) -> None:
    missing = np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), dtype=bool)
    findings.reject(name, missing, f"The {name} is missing.", f"Give every row a {name}.")


def _nullable(values: NDArray[np.int64]) -> pa.Array:
    missing = values == NULL
    return pa.array(values, mask=missing) if missing.any() else pa.array(values)


def _loose(schema: pa.Schema) -> pa.Schema:
    """The schema while rejected rows, with their holes, are still among the others."""
    return pa.schema([field.with_nullable(True) for field in schema])
