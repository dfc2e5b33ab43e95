"""Simulated columns as the tables that every ingest takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.contract import Batch
from features.kernel import NULL
from features.sources.simulator.chance import Integers, Stream
from features.sources.simulator.company import (
    CAMPAIGN_CHANNELS,
    CAMPAIGN_COSTS,
    CAMPAIGN_TYPES,
    WEEK,
    Company,
    week_start,
)
from features.sources.simulator.people import (
    CONSENT_CHANNELS,
    LEVELS,
    STORES,
    ZONES,
    People,
    people,
)
from features.sources.simulator.pieces import CODES, NUMBERS
from features.sources.simulator.stream import Chunk, customer_names
from features.sources.simulator.words import vocabularies

TOGETHER = 16_384
"""Customers described at a time."""


def events(company: Company, chunk: Chunk) -> Batch:
    """Return a chunk's events as a batch."""
    columns, words = chunk.columns, vocabularies(company)
    table: dict[str, Any] = {
        "event_id": event_names(columns["event"]),
        "customer_id": _names(chunk.who, columns["customer"]),
        "occurred_at": columns["occurred_at"],
        "recorded_at": columns["recorded_at"],
    }
    for name in ("kind", *CODES):
        codes = columns[name]
        table[name] = pa.array(words[name]).take(pa.array(codes, mask=codes < 0))
    for name in NUMBERS:
        table[name] = pa.array(columns[name], mask=columns[name] == NULL)
    return Batch(
        f"simulated events from {customer_names(chunk.who.numbers[:1])[0]}", pa.table(table)
    )


def event_names(numbers: Integers) -> pa.Array:
    """Return the ids of events; as texts they sort as the numbers do.

    Examples
    --------
    >>> event_names(np.array([7_000_012])).to_pylist()
    ['e000000007000012']
    """
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 15, "0")
    return pc.binary_join_element_wise("e", digits, "")


def _names(who: People, numbers: Integers) -> pa.Array:
    return pa.array(customer_names(who.numbers)).take(pa.array(numbers - who.numbers[0]))


def customers(company: Company, consent: bool = True) -> Iterator[Batch]:
    """Yield every customer's states: one on joining, and one for each change of a consent."""
    for first in range(0, company.customers, TOGETHER):
        who = people(company, first, first + TOGETHER)
        known_at = week_start(0) + who.joins * WEEK
        whose = [np.arange(len(who))]
        when, states = [known_at], [_agreed(who, who.joins)]
        for week in range(1, company.weeks + 1) if consent else ():
            changed = (who.consents[:, week] != who.consents[:, week - 1]).any(axis=0)
            those = np.flatnonzero(changed & (who.joins < week))
            u = who.draw_of(Stream.CONSENTED_AT, week, those)
            # A change into a week is known in the week before: what was decided is observable.
            when.append(week_start(week) - 1 - (u * (WEEK - 2)).astype(np.int64))
            whose.append(those)
            states.append(_agreed(who, np.full(len(who), week))[:, those])
        chosen, agreed = np.concatenate(whose), np.concatenate(states, axis=1)
        table: dict[str, Any] = {
            "customer_id": _names(who, who.numbers[chosen]),
            "known_at": np.concatenate(when),
        }
        for name, codes in who.demographics.items():
            code = codes[chosen]
            table[name] = pa.array(LEVELS[name]).take(pa.array(code, mask=code < 0))
        table["timezone"] = pa.array(ZONES).take(pa.array(who.zones[chosen]))
        table["home_store"] = pa.array(STORES).take(pa.array(who.stores[chosen]))
        for channel, name in enumerate(CONSENT_CHANNELS) if consent else ():
            table[f"consent_{name}_offers"] = agreed[channel].astype(np.float64)
        yield Batch("simulated customers", pa.table(table), first + 1)


def _agreed(who: People, weeks: Integers) -> NDArray[np.bool_]:
    return who.consents[:, weeks, np.arange(len(who))]


def campaigns(company: Company) -> Batch:
    """Return the campaigns that began before the end."""
    known = [c for c in company.campaigns if c.week < company.weeks]
    return Batch(
        "simulated campaigns",
        pa.table(
            {
                "campaign_id": [c.name for c in known],
                "type": [CAMPAIGN_TYPES[c.kind] for c in known],
                "channel": [CAMPAIGN_CHANNELS[c.kind] for c in known],
                "starts_at": pa.array([c.starts_at for c in known], pa.int64()),
                "ends_at": pa.array([c.ends_at for c in known], pa.int64()),
                "cost": pa.array([CAMPAIGN_COSTS[c.kind] for c in known], pa.int64()),
                "offer": [f"offer {c.name}" for c in known],
            }
        ),
    )
