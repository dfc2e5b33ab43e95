"""The grocer's days and weeks, and what every report made from its data must say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from features.clock import parse_instant
from features.source import Source

TIMEZONE = "America/New_York"
_FIRST_DAY, _LAST_DAY = date(2016, 10, 1), date(2018, 12, 31)
_WEEK_ONE = date(2017, 1, 1)  # a Sunday, and all of its week that the data hold
_WEEK_TWO = date(2017, 1, 2)
WEEKS = range(1, 54)


def midnight(day: date) -> int:
    """Return when a day begins at the stores, in microseconds UTC.

    Examples
    --------
    >>> midnight(date(2017, 7, 4)) - midnight(date(2017, 7, 3)) == 24 * 3_600_000_000
    True
    """
    return parse_instant(day.isoformat(), TIMEZONE)


STARTS_AT = midnight(_WEEK_ONE)
FROZEN_AT = midnight(date(2018, 1, 1))
KNOWN_AT = midnight(date(2016, 12, 31))
"""From when on the households' attributes count as known; the data give them no date."""

SOURCE = Source(
    name="complete-journey",
    currency="USD",
    timezone=TIMEZONE,
    consent="assumed",
    clocks=1,
    frozen_at=FROZEN_AT,
    statements=(
        "The Complete Journey is simulated from real shopping, for learning: decide nothing "
        "about real customers by it.",
        "The data end at midnight before 2018-01-01; that moment is their present.",
        "Consent is assumed: the data hold none.",
        "There is one clock: an event counts as known when it happened, a redemption at the end "
        "of its day.",
        "Households' attributes have no date: they count as known from 2016-12-31 on.",
        "Who shops at a store counts as having seen its mailer, and buying an advertised category "
        "there that week stands in for a click.",
        "The latest mailer stands in for the coming one.",
    ),
)


def days() -> pa.Table:
    """Return for each date, as the files spell it (`written`), when it began and ended."""
    dates = [_FIRST_DAY + timedelta(n) for n in range((_LAST_DAY - _FIRST_DAY).days)]
    as_written = [int(datetime(d.year, d.month, d.day, tzinfo=UTC).timestamp()) for d in dates]
    return pa.table(
        {
            "written": pa.array([second * 1_000_000 for second in as_written], pa.int64()),
            "starts_at": pa.array([midnight(d) for d in dates], pa.int64()),
            "ends_at": pa.array([midnight(d + timedelta(1)) for d in dates], pa.int64()),
        }
    )


def week_start(week: int) -> int:
    """Return when a numbered week begins; week 1 is one Sunday, later ones begin on Mondays.

    Examples
    --------
    >>> week_start(2) == midnight(date(2017, 1, 2)), week_start(54) == FROZEN_AT
    (True, True)
    """
    return midnight(_WEEK_ONE if week == 1 else _WEEK_TWO + timedelta(weeks=week - 2))


def weeks() -> pa.Table:
    """Return when each numbered week began."""
    return pa.table(
        {
            "week": pa.array(list(WEEKS), pa.int64()),
            "starts_at": pa.array([week_start(week) for week in WEEKS], pa.int64()),
        }
    )
