"""Single values as callers send them, turned into what the contract keeps, or refused in words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from features.clock import EARLIEST, LATEST, zone
from features.errors import BadInputError

LONGEST_TEXT = 200
TOP = 2**63 - 1
EXACT = 2**53  # up to here every whole number is a float of its own
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Check = Callable[[Any], Any]


class WrongError(ValueError):
    """A value that its field does not take; `detail` and `remedy` repeat nothing of it."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy


def text(value: Any) -> str | None:
    """Return a text; None for one that is blank, which is no value."""
    if not isinstance(value, str):
        raise WrongError("must be text", "Put it in double quotes.")
    if len(value) > LONGEST_TEXT:
        raise WrongError(
            f"must have at most {LONGEST_TEXT} characters", "Send a code or a name, not prose."
        )
    if "\0" in value or not (value.isascii() or _is_unicode(value)):
        raise WrongError("must be Unicode without NUL", "Leave such characters out.")
    return value if value.strip() else None


def _is_unicode(value: str) -> bool:
    try:
        return bool(value.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def integer(value: Any) -> int:
    """Return a whole number of 64 bits; the lowest of them stands for "missing" and is refused."""
    if type(value) is float and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    if type(value) is not int or not -TOP <= value <= TOP:
        raise WrongError(
            "must be a whole number of 64 bits", "Send money in minor units, such as cents: 1999."
        )
    return value


def natural(value: Any) -> int:
    """Return a whole number of 0 or more."""
    number = integer(value)
    if number < 0:
        raise WrongError(
            "must not be negative",
            "Send 0 or more; what was brought back is an event of its own kind.",
        )
    return number


def instant(value: Any) -> int:
    """Return microseconds UTC of microseconds, or of an ISO 8601 time with its offset.

    Examples
    --------
    >>> instant("2017-12-04T06:00:00+01:00") == instant(1512363600000000)
    True
    """
    found = value
    if isinstance(value, str):
        found = _moment(value) if len(value) <= LONGEST_TEXT else None
    elif type(value) is float and value.is_integer() and abs(value) < EXACT:
        found = int(value)
    if type(found) is not int or not EARLIEST <= found <= LATEST:
        raise WrongError(
            "must be a moment between the years 1 and 9999",
            "Write it with its offset, as 2017-12-04T05:00:00Z, or as microseconds UTC.",
        )
    return found


def _moment(value: str) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
        return None if moment.tzinfo is None else (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


def ours(value: Any) -> int:
    """Refuse what only this service may say."""
    raise WrongError("is given by this service", "Leave it out.")


def flag(value: Any) -> float:
    """Return 1.0 for true and 0.0 for false."""
    if not isinstance(value, bool):
        raise WrongError("must be true or false", "Send true, false, or null if unknown.")
    return float(value)


def attribute(value: Any) -> str | float | None:
    """Return an attribute's value: text, or a number of 64-bit floating point."""
    if isinstance(value, str):
        return text(value)
    if not isinstance(value, bool | int | float) or abs(value) > TOP or not math.isfinite(value):
        raise WrongError(
            "must be text, a number, true or false", "Send one value; null if unknown."
        )
    return float(value)


def time_zone(value: Any) -> str:
    """Return the IANA name of a time zone."""
    name = text(value) or ""
    if not _is_zone(name):
        raise WrongError("must be a time zone", "Send an IANA name such as Europe/Berlin.")
    return name


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except BadInputError:
        return False
    return True


def name_of(name: str) -> str:
    """Return a name that an attribute may have."""
    if not NAME.fullmatch(name):
        raise WrongError(
            "has a name that cannot be one",
            "Use at most 80 letters, digits and underscores, no digit first.",
        )
    return name
