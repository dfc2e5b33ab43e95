"""Dates that nobody could have known at the row's moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from models.finding import Finding, severity
from training.leaks.columns import Floats, Rows, Seen
from training.leaks.telling import spread

DAY = 86_400_000_000
ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
FIRST, LAST = 315_532_800_000_000, 4_102_444_800_000_000  # 1980 and 2100, in microseconds
SHARE = 0.01
MOST = 0.9
TELLS = 0.55
SURE = 5.0


def known_too_late(rows: Rows) -> Iterator[Finding]:
    """Yield dates that lie after the answer, or after the row's moment."""
    for column in rows.columns:
        instants = _instants(column, rows) if column.stated else None
        if instants is None or not column.known.any():
            continue
        # A day's grace: a date alone is the end of its day.
        late = instants > rows.matures_at + DAY
        ahead = instants > rows.as_of + DAY
        known = float(column.known.sum())
        n_late, n_ahead = float(late.sum()) / known, float(ahead.sum()) / known
        if max(n_late, n_ahead) < SHARE:
            continue
        value = _tells(late if n_late >= SHARE else ahead, rows.y)
        sure = value - 0.5 >= SURE * spread(rows.y.sum(), (1 - rows.y).sum())
        all_late = rows.decided and n_late >= MOST
        severe = (value >= TELLS and sure) or all_late
        yield Finding(
            column.name,
            "known too late",
            severity(float(severe), 1.0),
            f"{n_ahead:.1%} of its dates lie after the row's moment and {n_late:.1%} after the "
            f"answer was known; being so tells the answer with an AUC of {value:.3f}.",
            "Exclude it, or take the value it had at the row's moment; a plan may have been known "
            "before.",
            max(n_late, n_ahead),
        )


def _instants(column: Seen, rows: Rows) -> Floats | None:
    """When, in microseconds UTC; None for what is no date. NaN compares as not later."""
    if column.texts:
        asked = column.texts[:: max(1, len(column.texts) // 100)]
        if sum(ISO.fullmatch(text.strip()) is not None for text in asked) < 0.9 * len(asked):
            return None
        stamps = pd.to_datetime(
            pd.Series(column.texts), errors="coerce", utc=True, format="ISO8601"
        )
        moments = np.where(stamps.isna(), np.nan, stamps.astype("int64") / _per_microsecond(stamps))
        codes = np.where(column.known, column.values, 0).astype(np.intp)
        return np.where(column.known, moments[codes], np.nan)
    known = column.values[column.known]
    if column.feature.unit == "days" and column.feature.dtype in ("int", "float"):
        if "since" not in column.name:
            return None
        return rows.as_of - column.values * DAY
    if len(known) and known.min() >= FIRST and known.max() <= LAST:
        return column.values
    return None


def _per_microsecond(stamps: pd.Series) -> int:
    return {"ns": 1_000, "us": 1}[stamps.dt.unit]


def _tells(late: np.ndarray, y: Floats) -> float:
    return 0.5 + abs(float(late[y == 1].mean()) - float(late[y == 0].mean())) / 2
