"""The features in DuckDB: one SQL statement, one GROUP BY, each aggregate with its FILTER."""

from __future__ import annotations

from typing import Any

import duckdb

DAY = 86_400_000_000
connection = duckdb.connect()


def setup(question: dict[str, Any]) -> None:
    """Use as many threads as the others, and keep no order that nobody asked for."""
    connection.execute(f"SET threads = {question['threads']}")
    connection.execute("SET preserve_insertion_order = false")


def snapshot(question: dict[str, Any]) -> Any:
    """Return a table of all customers' features, in memory, as Arrow."""
    return connection.sql(statement(question)).to_arrow_table()


def scan(question: dict[str, Any]) -> Any:
    """Return the sums of every column that a build reads: the least that reading costs."""
    files = ", ".join(f"'{path}'" for path, _ in question["files"])
    sums = ", ".join(f"sum({name}) AS {name}" for name in question["columns"])
    return connection.sql(f"SELECT {sums} FROM read_parquet([{files}])").to_arrow_table()


def statement(question: dict[str, Any]) -> str:
    """Return the query."""
    as_of = question["as_of"]
    files = ", ".join(f"'{path}'" for path, _ in question["files"])
    befores = ", ".join(f"('{path}', {before})" for path, before in question["files"])
    columns = ", ".join(question["columns"])
    simple = [feature for feature in question["features"] if "fold" in feature]
    ratios = [feature for feature in question["features"] if "left" in feature]
    aggregates = ", ".join(f'{_aggregate(f, as_of)} AS "{f["name"]}"' for f in simple)
    divided = "".join(
        f', "{f["left"]}" / nullif("{f["right"]}", 0) AS "{f["name"]}"' for f in ratios
    )
    return (
        f"WITH parts(filename, before) AS (VALUES {befores}), "
        f"events AS (SELECT (customer + before)::INTEGER AS customer, {columns} "
        f"FROM read_parquet([{files}], filename = true) JOIN parts USING (filename)), "
        f"grouped AS (SELECT customer, {aggregates} FROM events "
        f"WHERE occurred_at < {as_of} AND recorded_at < {as_of} GROUP BY customer) "
        f"SELECT *{divided} FROM grouped"
    )


def _aggregate(feature: dict[str, Any], as_of: int) -> str:
    # Measured: CASE inside an aggregate is faster than FILTER behind it, and bits of codes below
    # 64 are faster than count(DISTINCT ...).
    conditions = [f"kind = {feature['kind']}"]
    if feature["start"] is not None:
        conditions.append(f"occurred_at >= {feature['start']}")
    conditions += [f"{name} = {code}" for name, code in feature["where"].items()]
    chosen = " AND ".join(conditions)
    column, scale, fold = feature["column"], feature["scale"], feature["fold"]

    def only(value: str, more: str = "") -> str:
        return f"CASE WHEN {chosen}{more} THEN {value} END"

    first, last = f"min({only('occurred_at')})", f"max({only('occurred_at')})"
    count = f"count({only('1')})"
    bit = only(f"1::UBIGINT << {column}", f" AND {column} >= 0")
    texts = {
        "count": count,
        "days_since_last": f"({as_of} - {last}) / {DAY}",
        "days_since_first": f"({as_of} - {first}) / {DAY}",
        "gap_mean": f"({last} - {first}) / nullif(({count} - 1) * {DAY}, 0)",
        "sum": f"coalesce(sum({only(column)}), 0)::BIGINT",
        "mean": f"avg({only(column)})",
        "std": f"stddev_samp({only(column)})",
        "max": f"max({only(column)})",
        "min": f"min({only(column)})",
        "distinct": f"coalesce(bit_count(bit_or({bit})), 0)",
        "last": f"arg_max({column}, occurred_at) FILTER ({chosen})",
    }
    return texts[fold] if scale == 1 else f"({texts[fold]}) / {scale}"
