"""When in the week things happen: habits of the hour, in each customer's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from features.clock import zone
from features.sources.simulator.chance import Floats, Integers
from features.sources.simulator.company import SECOND, WEEK, week_start
from features.sources.simulator.people import ZONES, People

_SECONDS = WEEK // SECOND
_DAYS = np.array([0.9, 0.8, 0.9, 1.0, 1.4, 1.6, 0.6])


def _habits() -> Floats:
    """Cumulated shares of the week's hours from Monday on, for morning and for evening people."""
    hour = np.arange(24)
    awake = np.where((hour >= 7) & (hour <= 22), 1.0, 0.05)
    shares = []
    for peak in (10, 19):
        day = awake * (0.2 + np.exp(-(((hour - peak) / 2.5) ** 2)))
        week = (_DAYS[:, None] * day).ravel()
        shares.append(np.cumsum(week / week.sum()))
    return np.array(shares)


HABITS = _habits()
"""float64[2, 168]."""


@lru_cache(maxsize=512)
def offsets(week: int) -> Integers:
    """Return the seconds by which each of `ZONES` is ahead of UTC when a week begins."""
    moment = datetime.fromtimestamp(week_start(week) // SECOND, UTC)
    ahead = [moment.astimezone(zone(name)).utcoffset() for name in ZONES]
    return np.array([0 if each is None else each.total_seconds() for each in ahead], np.int64)


def in_week(who: People, week: int, chosen: Integers, u: Floats) -> Integers:
    """Return when in a week something happens by a customer's habit, microseconds from its start.

    The habit is one of local hours; what falls out of the UTC week at one end comes in at the
    other, so that a week's decision always happens within the week.
    """
    hour = np.empty(len(chosen), dtype=np.int64)
    within = np.empty(len(chosen))
    evening = who.evening[chosen]
    for late, shares in enumerate(HABITS):
        those = np.flatnonzero(evening == bool(late))
        found = np.minimum(np.searchsorted(shares, u[those], side="right"), 167)
        begins = np.where(found > 0, shares[found - 1], 0.0)
        hour[those] = found
        within[those] = (u[those] - begins) / (shares[found] - begins)
    local = hour * 3_600 + np.minimum(within * 3_600, 3_599).astype(np.int64)
    return (local - offsets(week)[who.zones[chosen]]) % _SECONDS * SECOND
