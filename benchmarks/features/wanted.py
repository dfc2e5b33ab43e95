"""The features that are measured, and the same in plain words for the peers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from features.clock import parse_duration
from features.declare import events
from features.feature import Aggregate, Arithmetic, Feature
from features.frame import plan_for
from features.kernel.states import HOUR
from features.local_time import DERIVED
from features.log import EventLog
from features.window import DAY

THREADS = 2

orders, lines, visits = events("order"), events("order_line"), events("visit")
emails, contacts, tickets = events("email"), events("contact"), events("ticket")
returns, surveys = events("return"), events("survey")

FEATURES: tuple[Feature, ...] = (
    *(orders.count(last=last) for last in ("14d", "30d", "90d", "180d", "365d")),
    *(orders.sum("amount", last=last, unit="currency") for last in ("30d", "90d", "365d")),
    orders.mean("amount", last="365d", unit="currency"),
    orders.max("amount", last="365d", unit="currency"),
    orders.min("amount", last="365d", unit="currency"),
    orders.std("amount", last="365d", unit="currency"),
    orders.days_since_last(),
    orders.days_since_first(),
    orders.gap_mean(last="365d"),
    orders.count(last="30d") / orders.count(last="90d"),
    orders.count(last="365d", channel="web"),
    lines.distinct("category", last="90d"),
    lines.distinct("category", last="365d"),
    lines.sum("quantity", last="90d", unit="items"),
    lines.sum("amount", last="365d", unit="currency"),
    lines.max("amount", last="365d", unit="currency"),
    lines.count(last="90d", channel="web"),
    lines.count(last="365d"),
    visits.count(last="7d"),
    visits.count(last="30d"),
    visits.count(last="90d"),
    visits.count(last="90d", channel="app"),
    visits.days_since_last(),
    visits.distinct("channel", last="90d"),
    emails.count(last="30d"),
    emails.count(last="90d"),
    emails.days_since_last(),
    emails.distinct("campaign_id", last="365d"),
    contacts.count(last="90d"),
    contacts.count(last="365d"),
    contacts.days_since_last(),
    tickets.count(last="90d"),
    tickets.count(last="365d"),
    tickets.days_since_last(),
    returns.count(last="180d"),
    returns.sum("amount", last="365d", unit="currency"),
    returns.count(last="180d") / orders.count(last="180d"),
    surveys.last("quantity", unit="points"),
)


def columns_read(log: EventLog, features: Sequence[Feature] = FEATURES) -> list[str]:
    """Return the columns of the log that a build of features reads."""
    return [name for name in plan_for(log, features).columns if name not in DERIVED]


def question(log: EventLog, as_of: int) -> dict[str, Any]:
    """Return what the peers are asked: files, moment and features, in plain words.

    A feature is ``{"name", "kind", "fold", "column", "start", "where", "scale"}`` with codes for
    texts and microseconds for times, or ``{"name", "left", "right"}`` for a ratio of two others.
    """
    assert max(len(log.dictionaries[name]) for name in ("category", "campaign_id")) < 64
    return {
        "threads": THREADS,
        "files": files(log),
        "as_of": as_of,
        "columns": columns_read(log),
        "features": [_in_words(log, feature, as_of) for feature in FEATURES],
    }


def files(log: EventLog) -> list[list[Any]]:
    """Return each Parquet file of a log, and how many customers the files before it hold."""
    found: list[list[Any]] = []
    before = 0
    for parts in log.content["buckets"]:
        for entry in parts:
            path = log.home / "log" / str(entry["file"])
            found.append([str(path.resolve()), before])
            before += customers_in(path)
    return found


def customers_in(path: Path) -> int:
    """Return how many customers a file of events holds: its numbers begin at 0."""
    with pq.ParquetFile(path) as file:
        last = file.read_row_group(file.num_row_groups - 1, columns=["customer"])
    return int(np.asarray(last["customer"]).max()) + 1


def _in_words(log: EventLog, feature: Feature, as_of: int) -> dict[str, Any]:
    if isinstance(feature, Arithmetic):
        return {"name": feature.name, "left": feature.left.name, "right": feature.right.name}
    assert isinstance(feature, Aggregate)
    assert not feature.window.forward
    start = None
    if feature.window.last is not None:
        start = as_of - parse_duration(feature.window.last)
        assert as_of - start >= 7 * DAY
        start = start // HOUR * HOUR
    return {
        "name": feature.name,
        "kind": log.dictionaries["kind"].code(feature.kind),
        "fold": feature.fold,
        "column": feature.column,
        "start": start,
        "where": {n: log.dictionaries[n].code(str(text)) for n, text in feature.filters},
        "scale": 100 if feature.unit == "currency" else 1,
    }
