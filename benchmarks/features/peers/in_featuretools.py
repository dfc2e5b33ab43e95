"""The features in featuretools: one matrix at one cutoff, on a sample of the customers.

Days since an event, gaps and ratios are left out: they would need primitives of one's own.
"""

from __future__ import annotations

import warnings
from typing import Any

import featuretools as ft
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

PRIMITIVES = {
    "count": ft.primitives.Count,
    "sum": ft.primitives.Sum,
    "mean": ft.primitives.Mean,
    "max": ft.primitives.Max,
    "min": ft.primitives.Min,
    "std": ft.primitives.Std,
    "distinct": ft.primitives.NumUnique,
    "last": ft.primitives.Last,
}
held: list[Any] = []


def setup(question: dict[str, Any]) -> None:
    """Read the sample's events: one table for each kind, filter and window that features need.

    It is not counted as time: featuretools reads no Parquet.
    """
    warnings.simplefilter("ignore")
    path, _ = question["files"][0]
    table = pq.read_table(path, columns=["customer", *question["columns"]])
    # A missing number would become a float on the way; nothing reads it where it is missing.
    events = pd.DataFrame(
        {
            n: np.asarray(table[n].fill_null(0) if table[n].null_count else table[n])
            for n in table.column_names
        }
    )
    events = events[events["customer"] < question["sample"]]
    as_of = question["as_of"]
    events = events[(events["occurred_at"] < as_of) & (events["recorded_at"] < as_of)]
    entities = ft.EntitySet("company")
    everybody = pd.DataFrame({"customer": np.arange(question["sample"])})
    entities = entities.add_dataframe(everybody, "customers", index="customer")
    streams: dict[str, str] = {}
    features = []
    for wanted in question["features"]:
        if wanted.get("fold") not in PRIMITIVES:
            continue
        chosen = events[events["kind"] == wanted["kind"]]
        if wanted["start"] is not None:
            chosen = chosen[chosen["occurred_at"] >= wanted["start"]]
        for name, code in wanted["where"].items():
            chosen = chosen[chosen[name] == code]
        key = str((wanted["kind"], wanted["start"], wanted["where"]))
        if key not in streams:
            streams[key] = f"events {len(streams)}"
            logical = dict.fromkeys(("channel", "category", "campaign_id"), "Categorical")
            entities = entities.add_dataframe(
                chosen.reset_index(drop=True), streams[key], index="number", make_index=True,
                logical_types=logical,
            )  # fmt: skip
            entities = entities.add_relationship("customers", "customer", streams[key], "customer")
        source = entities[streams[key]].ww[wanted["column"] or "number"]
        base = (
            ft.Feature(entities[streams[key]].ww["number"]) if wanted["fold"] == "count" else None
        )
        base = base or ft.Feature(source)
        features.append(
            ft.Feature(
                base, parent_dataframe_name="customers", primitive=PRIMITIVES[wanted["fold"]]
            )
        )
    held[:] = [entities, features]


def snapshot(question: dict[str, Any]) -> Any:
    """Return the matrix of the sample's customers."""
    entities, features = held
    matrix = ft.calculate_feature_matrix(features, entities, verbose=False)
    return pa.table({str(name): np.asarray(matrix[name], dtype=float) for name in matrix})
