"""Tables of all customers' features at given moments, for people who like to look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from features.catalog import CATALOG
from features.clock import to_iso
from features.feature import Feature
from features.frame import Progress, frame
from features.log import EventLog
from features.spine import grid


def snapshot(
    log: EventLog,
    as_ofs: Sequence[int],
    features: Sequence[Feature] | None = None,
    *,
    progress: Progress | None = None,
    threads: int = 2,
) -> pd.DataFrame:
    """Return the features of all customers at each of some moments.

    Parameters
    ----------
    log : EventLog
    as_ofs : sequence of int
        Microseconds UTC.
    features : sequence of Feature, optional
        By default all of the catalogue that need no context.

    Returns
    -------
    DataFrame
        One row a customer and moment, with customer_id, as_of (microseconds UTC) and a column
        each feature.
    """
    chosen = tuple(f for f in CATALOG if not f.reads) if features is None else tuple(features)
    customers = sorted(set(log.customers.column("customer_id").to_pylist()))
    spine = grid(customers, as_ofs)
    table = frame(log, spine, chosen, progress=progress, threads=threads)
    table.insert(0, "customer_id", spine.customer_id)
    table.insert(1, "as_of", spine.as_of)
    return table


def write_snapshot(log: EventLog, home: Path, as_of: int) -> Path:
    """Write the snapshot of one moment as Parquet under ``<home>/features`` and return its path."""
    folder = home / "features"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{to_iso(as_of).replace(':', '')}.parquet"
    draft = path.with_suffix(".draft")
    snapshot(log, [as_of]).to_parquet(draft)
    draft.replace(path)
    return path
