"""The features in pandas: masked columns, one groupby on a sorted key for each aggregation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

DAY = 86_400_000_000


def setup(question: dict[str, Any]) -> None:
    """Read with as many threads as the others."""
    pa.set_cpu_count(question["threads"])


def snapshot(question: dict[str, Any]) -> Any:
    """Return a frame of all customers' features."""
    as_of = question["as_of"]
    events = _read(question)
    events = events[(events["occurred_at"] < as_of) & (events["recorded_at"] < as_of)]
    of_kind = {
        kind: events[events["kind"] == kind]
        for kind in {feature["kind"] for feature in question["features"] if "fold" in feature}
    }
    made: dict[str, Any] = {}
    for feature in question["features"]:
        if "fold" in feature:
            made[feature["name"]] = _aggregate(feature, of_kind[feature["kind"]], as_of)
    everybody = pd.Index(events["customer"].unique(), name="customer")
    table = pd.DataFrame({n: column.reindex(everybody) for n, column in made.items()}, copy=False)
    for feature in question["features"]:
        if "left" in feature:
            left, right = table[feature["left"]], table[feature["right"]]
            table[feature["name"]] = left.fillna(0) / right.where(right != 0)
        elif feature["fold"] in ("count", "distinct", "sum"):
            table[feature["name"]] = table[feature["name"]].fillna(0)
    return table.reset_index()


def _read(question: dict[str, Any]) -> pd.DataFrame:
    tables = []
    for path, before in question["files"]:
        table = pq.read_table(path, columns=["customer", *question["columns"]])
        numbers = pa.array(table["customer"].to_numpy() + np.int32(before))
        tables.append(table.set_column(0, "customer", numbers))
    return pa.concat_tables(tables).to_pandas(split_blocks=True, self_destruct=True)


def _aggregate(feature: dict[str, Any], events: pd.DataFrame, as_of: int) -> Any:
    if feature["start"] is not None:
        events = events[events["occurred_at"] >= feature["start"]]
    for name, code in feature["where"].items():
        events = events[events[name] == code]
    fold, column, scale = feature["fold"], feature["column"], feature["scale"]
    if fold == "distinct":
        pairs = events.loc[events[column] >= 0, ["customer", column]].drop_duplicates()
        return pairs.groupby("customer", sort=False).size()
    groups = events.groupby("customer", sort=False)
    if fold == "count":
        return groups.size()
    times = groups["occurred_at"]
    if fold == "days_since_last":
        return (as_of - times.max()) / DAY
    if fold == "days_since_first":
        return (as_of - times.min()) / DAY
    if fold == "gap_mean":
        sizes = groups.size()
        return (times.max() - times.min()) / ((sizes.where(sizes > 1) - 1) * DAY)
    # "last" is right because the files are sorted by customer and time.
    values = getattr(groups[column], fold)()
    return values if scale == 1 else values / scale
