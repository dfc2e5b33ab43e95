"""Instants and durations as people write them, kept as int64 microseconds UTC."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.errors import BadInputError
from features.source import Source

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNITS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_UNITS["w"] = 7 * _UNITS["d"]
_DURATION = re.compile(r"(\d{1,9})([smhdw])")

EARLIEST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
LATEST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""Instants outside are no calendar dates, and are refused wherever they come in."""


def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises
    ------
    BadInputError
        No zone has this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInputError(
            f"{name!r} is no time zone.", remedy="Give an IANA name such as 'Europe/Berlin'."
        ) from error


def parse_instant(value: str | int, timezone: str = "UTC") -> int:
    """Return microseconds UTC of a date, of an ISO 8601 time, or of microseconds themselves.

    Parameters
    ----------
    value : str or int
        A date means its midnight. A time without an offset is local to `timezone`; of the two
        instants that a clock set back gives, the earlier.
    timezone : str
        IANA name.

    Raises
    ------
    BadInputError
        `value` is no date or time, or lies outside the years 1 to 9999.

    Examples
    --------
    >>> parse_instant("2017-12-04", "America/New_York")
    1512363600000000
    >>> parse_instant("2017-12-04T05:00:00Z") == parse_instant(1512363600000000)
    True
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _no_instant(value)
    if isinstance(value, int):
        instant = value
    else:
        try:
            moment = datetime.fromisoformat(value.strip())
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone(timezone))
            instant = (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND
        except (ValueError, OverflowError) as error:
            raise _no_instant(value) from error
    if not EARLIEST <= instant <= LATEST:
        raise _no_instant(value)
    return instant


def _no_instant(value: object) -> BadInputError:
    return BadInputError(
        f"{value!r} is no date or time.",
        remedy="Write it like 2017-12-04 or 2017-12-04T05:00:00Z, or as microseconds UTC.",
    )


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> int:
    """Return the microseconds of a duration: a whole number and one of ``s m h d w``.

    Raises
    ------
    BadInputError
        `text` is no duration.

    Examples
    --------
    >>> parse_duration("90s"), parse_duration("28d") == 28 * 24 * parse_duration("1h")
    (90000000, True)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadInputError(
            f"{text!r} is no duration.",
            remedy="Write a whole number and a unit (s, m, h, d or w), such as '28d'.",
        )
    return int(match[1]) * _UNITS[match[2]]


def to_iso(instant: int) -> str:
    """Return an instant as people read it, in UTC; fractions of a second only where it has some.

    Examples
    --------
    >>> to_iso(1512363600000000)
    '2017-12-04T05:00:00Z'
    """
    seconds, micros = divmod(int(instant), 1_000_000)
    text = _second(seconds)
    return f"{text}.{micros:06d}Z" if micros else f"{text}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    # Many instants are told within one second, each served score's for one.
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


def follows_events(clock: str, source: Source) -> bool:
    """Return whether time moves with the events that arrive, and not with the wall clock.

    Examples
    --------
    >>> shop = Source("shop", "EUR", "Europe/Berlin", "assumed", 1, frozen_at=None)
    >>> follows_events("auto", shop), follows_events("data", shop)
    (False, True)
    """
    return clock == "data" or (clock == "auto" and source.frozen_at is not None)


def now(
    clock: str,
    source: Source,
    wall: Callable[[], int] = time.time_ns,
    last_instant: int | None = None,
) -> int:
    """Return the present moment, in microseconds UTC.

    Parameters
    ----------
    clock : {"auto", "wall", "data"}
        ``"auto"`` is where the source ends if it is frozen, else the wall clock. ``"data"`` is
        where the source ends; for one that goes on, just after `last_instant`. A frozen source to
        which something was added later ends just after that.
    source : Source
    wall : callable
        Nanoseconds since 1970, as `time.time_ns`.
    last_instant : int or None
        The last instant in the log, microseconds UTC.

    Raises
    ------
    BadInputError
        `clock` is another word, or ``"data"`` while nothing says where the data end.

    Examples
    --------
    >>> shop = Source("shop", "EUR", "Europe/Berlin", "assumed", 1, frozen_at=None)
    >>> now("auto", shop, wall=lambda: 5_000)
    5
    >>> now("data", shop, last_instant=41)
    42
    """
    if clock not in ("auto", "wall", "data"):
        raise BadInputError(
            f"{clock!r} is no clock.", remedy="Set NEXTBEST_CLOCK to auto, wall or data."
        )
    if clock != "wall" and source.frozen_at is not None:
        if last_instant is None or last_instant <= source.frozen_at:
            return source.frozen_at
        return last_instant + 1
    if clock != "data":
        return wall() // 1000
    if last_instant is None:
        raise BadInputError(
            f"The clock is to stand where {source.name!r} ends, but that source goes on.",
            remedy="Set NEXTBEST_CLOCK=wall, or give the source a frozen_at.",
        )
    return last_instant + 1
