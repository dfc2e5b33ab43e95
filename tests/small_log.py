"""Small event logs for tests, written through the public ingest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.clock import parse_instant
from features.contract import Batch
from features.ingest import ingest
from features.log import EventLog
from features.source import Source
from features.spine import Spine

SHOP = Source(
    name="shop",
    currency="EUR",
    timezone="Europe/Berlin",
    consent="assumed",
    clocks=1,
    frozen_at=None,
    statements=("Consent is assumed.",),
)
PROPERTIES = {
    "store": "text",
    "placement": "text",
    "brand": "text",
    "discount": "integer",
    "coupon_discount": "integer",
}
"""The properties of The Complete Journey, so that the catalogue's features work."""


def write_small_log(
    home: Path,
    events: Sequence[Mapping[str, Any]],
    customers: Sequence[Mapping[str, Any]] = (),
    campaigns: Sequence[Mapping[str, Any]] = (),
    spines: Mapping[str, Spine] | None = None,
    source: Source = SHOP,
    properties: Mapping[str, str] | None = None,
) -> EventLog:
    """Return a log of a few events; every row must be sound, or this fails.

    Parameters
    ----------
    home : Path
        Usually ``tmp_path``. Called again, it appends.
    events : sequence of dict
        ``customer_id``, ``kind``, ``occurred_at`` (microseconds UTC or ISO text) and any other
        event column or property. ``event_id`` is the row's number where it is left out.
    customers : sequence of dict
        ``customer_id``, ``known_at`` and attributes (text or number).
    campaigns : sequence of dict
        ``campaign_id``, ``starts_at``, ``ends_at`` and ``type``, ``channel``, ``cost``, ``offer``.
    """
    numbered = [{"event_id": f"e{row:06d}", **event} for row, event in enumerate(events)]
    zone = source.timezone
    done = ingest(
        source,
        _batches("events", numbered, zone),
        home,
        customers=_batches("customers", customers, zone),
        campaigns=_batches("campaigns", campaigns, zone),
        spines=spines,
        properties=PROPERTIES if properties is None else properties,
    )
    if done.quarantine is not None:
        raise AssertionError(done.quarantine.read_text())
    return done.log


def batch(file: str, rows: Sequence[Mapping[str, Any]]) -> Batch:
    """Return rows as a batch with every column that one of them has."""
    names = dict.fromkeys(name for row in rows for name in row)
    return Batch(file, pa.table({name: [row.get(name) for row in rows] for name in names}))


def _batches(file: str, rows: Sequence[Mapping[str, Any]], timezone: str) -> list[Batch]:
    exact = [
        {
            name: parse_instant(value, timezone)
            if name.endswith("_at") and value is not None
            else value
            for name, value in row.items()
        }
        for row in rows
    ]
    return [batch(file, exact)] if rows else []
