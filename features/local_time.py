"""The hour of the week at which something happened, where the customer lives.

It belongs to the event and never changes: the customer's time zone is the one that was known when
the event was recorded, else the source's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from features.dictionary import Dictionary
from features.kernel.states import HOUR

Integers = NDArray[np.int64]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = tuple(f"{day}_{hour:02d}" for day in DAYS for hour in range(24))
"""The 168 hours of a week, by code."""
DAYPARTS = tuple(
    f"{days}_{part}"
    for days in ("weekday", "weekend")
    for part in ("night", "morning", "afternoon", "evening")
)
"""Six hours each from midnight on, on working days and at weekends, by code."""
DERIVED = {"hour_of_week": Dictionary(list(HOURS)), "daypart": Dictionary(list(DAYPARTS))}
"""Columns of codes that no log stores: they follow from occurred_at and the time zone."""

_EPOCH_HOUR = 72  # 1970-01-01 was a Thursday
_SECOND = 1_000_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2100


def derive(name: str, occurred_at: Integers, offset: Integers | int) -> Integers:
    """Return the codes of a derived column.

    Parameters
    ----------
    name : {"hour_of_week", "daypart"}
    occurred_at : ndarray of int64, shape (n,)
        Microseconds UTC.
    offset : ndarray of int64, shape (n,), or int
        Microseconds that local time is ahead of UTC.

    Examples
    --------
    >>> monday_at_five = np.array([1_512_363_600_000_000])
    >>> [HOURS[code] for code in derive("hour_of_week", monday_at_five, 9 * HOUR)]
    ['mon_14']
    """
    hour = ((occurred_at + offset) // HOUR + _EPOCH_HOUR) % 168
    if name == "hour_of_week":
        return hour
    return (hour >= 5 * 24) * 4 + hour % 24 // 6


def offsets_of(zones: Sequence[str], zone: Integers, instants: Integers) -> Integers:
    """Return how far local time is ahead of UTC at each instant, in microseconds.

    Parameters
    ----------
    zones : sequence of str
        IANA names.
    zone : ndarray of int64, shape (n,)
        Which of them holds for each instant.
    instants : ndarray of int64, shape (n,)
    """
    out = np.empty(len(instants), np.int64)
    for number, name in enumerate(zones):
        own = zone == number
        since, offset = transitions(name)
        out[own] = offset[np.searchsorted(since, instants[own], side="right") - 1]
    return out


@lru_cache(maxsize=512)
def transitions(zone: str) -> tuple[Integers, Integers]:
    """Return since when (microseconds UTC) each offset (microseconds) of a time zone holds.

    The first holds since ever. Exact from 1970 to 2100.
    """
    known = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta:
        return at.astimezone(known).utcoffset() or timedelta()

    step = timedelta(days=7)
    at = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    since, offsets = [-(2**62)], [_micros(offset(at))]
    while at.year < _LAST_YEAR:
        before, after = at, at + step
        if offset(after) != offset(before):
            last = offset(after)
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) // 2
                middle = middle.replace(microsecond=0)
                if middle in (before, after):
                    break
                if offset(middle) == last:
                    after = middle
                else:
                    before = middle
            since.append(_micros(after - datetime(1970, 1, 1, tzinfo=UTC)))
            offsets.append(_micros(last))
        at += step
    return np.array(since, np.int64), np.array(offsets, np.int64)


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def is_zone(name: Any) -> bool:
    """Return whether a value names a time zone."""
    if not isinstance(name, str) or not name:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
