"""The features in Polars: one lazy query, one group_by, each aggregation on a masked column."""

from __future__ import annotations

from typing import Any

import polars as pl

DAY = 86_400_000_000


def setup(question: dict[str, Any]) -> None:
    """Do nothing: POLARS_MAX_THREADS was set before."""


def snapshot(question: dict[str, Any]) -> Any:
    """Return a table of all customers' features, in memory, as Arrow."""
    as_of = question["as_of"]
    scans = [
        pl.scan_parquet(path)
        .select("customer", *question["columns"])
        .with_columns(pl.col("customer") + before)
        for path, before in question["files"]
    ]
    known = (pl.col("occurred_at") < as_of) & (pl.col("recorded_at") < as_of)
    simple = [feature for feature in question["features"] if "fold" in feature]
    ratios = [feature for feature in question["features"] if "left" in feature]
    made = {feature["name"] for feature in simple}
    grouped = (
        pl.concat(scans)
        .filter(known)
        .group_by("customer")
        .agg(_aggregate(feature, as_of).alias(feature["name"]) for feature in simple)
    )
    divided = grouped.with_columns(
        pl.when(pl.col(feature["right"]) != 0)
        .then(pl.col(feature["left"]) / pl.col(feature["right"]))
        .alias(feature["name"])
        for feature in ratios
        if {feature["left"], feature["right"]} <= made
    )
    return divided.collect(engine=question.get("engine", "streaming")).to_arrow()


def _aggregate(feature: dict[str, Any], as_of: int) -> pl.Expr:
    chosen = pl.col("kind") == feature["kind"]
    if feature["start"] is not None:
        chosen &= pl.col("occurred_at") >= feature["start"]
    for name, code in feature["where"].items():
        chosen &= pl.col(name) == code
    fold, scale = feature["fold"], feature["scale"]
    count = chosen.sum().cast(pl.Int64)
    when = pl.when(chosen).then(pl.col("occurred_at"))
    column = pl.col(feature["column"] or "customer")
    value = pl.when(chosen).then(column)
    made = {
        "count": lambda: count,
        "days_since_last": lambda: (as_of - when.max()) / DAY,
        "days_since_first": lambda: (as_of - when.min()) / DAY,
        "gap_mean": lambda: pl.when(count > 1).then(
            (when.max() - when.min()) / ((count - 1) * DAY)
        ),
        "sum": value.sum,
        "mean": value.mean,
        "max": value.max,
        "min": value.min,
        "std": value.std,
        "distinct": lambda: (
            pl.when(chosen & (column >= 0)).then(column).drop_nulls().n_unique().cast(pl.Int64)
        ),
        # The files are sorted by customer and time.
        "last": lambda: value.drop_nulls().last().cast(pl.Float64),
    }[fold]()
    return made if scale == 1 else made / scale
