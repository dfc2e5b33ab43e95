"""Texts as moments: ISO 8601 and the ways spreadsheets write dates, never two ways at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.clock import EARLIEST, LATEST, zone
from features.kernel import NULL

DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
_ISO = re.compile(r"(?P<year>\d{4})(?P<by>[-/.])(?P<month>\d{1,2})(?P=by)(?P<day>\d{1,2})" + _TIME)
_TWO = re.compile(
    r"(?P<first>\d{1,2})(?P<by>[-/.])(?P<second_>\d{1,2})(?P=by)(?P<year>\d{4})" + _TIME
)
_WORD = re.compile(
    r"(?P<day>\d{1,2})[- ](?P<name>[A-Za-z]{3})[a-z]*\.?[-, ]+(?P<year>\d{4})" + _TIME
)
_NAME = re.compile(r"(?P<name>[A-Za-z]{3})[a-z]*\.? (?P<day>\d{1,2}),? (?P<year>\d{4})" + _TIME)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})")


class Moments(NamedTuple):
    """A column read as moments.

    Attributes
    ----------
    values : ndarray of int64
        Microseconds UTC; `kernel.NULL` where missing or no moment.
    wrong : ndarray of bool
        What is there and no moment.
    whole_day : ndarray of bool
        What names a day and no time; its value is the day's beginning.
    order : {"", "dmy", "mdy"}
        How dates such as 03/04/2024 were read; empty where there are none, or where the column
        does not show it: those are wrong.
    """

    values: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    whole_day: NDArray[np.bool_]
    order: str


def moments(
    texts: pa.Array, timezone_name: str, order: str = "", *, digits: bool = False
) -> Moments:
    """Return a column of texts (null where missing) as moments.

    Parameters
    ----------
    texts : pyarrow.Array of string
    timezone_name : str
        Of times that do not say theirs.
    order : {"", "dmy", "mdy"}
        By default what a day above 12 shows.
    digits : bool
        Whether 20240105, and seconds, milli- or microseconds since 1970, are moments too.

    Examples
    --------
    >>> found = moments(pa.array(["2024-01-05", "13/01/2024", "soon"]), "UTC")
    >>> found.order, found.wrong.tolist(), found.whole_day.tolist()
    ('dmy', [False, False, True], [True, True, False])
    """
    coded = texts.dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    order = order or _order(distinct)
    read = partial(_moment, zone=zone(timezone_name), order=order, digits=digits)
    found = [read(text.strip()) for text in distinct]
    codes = np.asarray(coded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False))
    values = np.array([NULL if each is None else each[0] for each in found] + [NULL], np.int64)
    days = np.array([each is not None and each[1] for each in found] + [False])
    wrong = np.array([each is None for each in found] + [False])
    return Moments(values[codes], wrong[codes], days[codes], order)


def ends_of_days(found: Moments) -> NDArray[np.int64]:
    """Return the values with the last microsecond of a day in place of its beginning.

    What is only known to have become known on a day counts once the day is over.
    """
    return np.where(found.whole_day, found.values + DAY - 1, found.values)


def _order(distinct: list[str]) -> str:
    first = second = 0
    dots = False
    for text in distinct:
        match = _TWO.fullmatch(text.strip())
        if match is not None:
            first, second = max(first, int(match["first"])), max(second, int(match["second_"]))
            dots |= match["by"] == "."
    if first > 12 or (dots and second <= 12):
        return "" if second > 12 else "dmy"
    return "mdy" if second > 12 else ""


def _moment(text: str, zone: ZoneInfo, order: str, digits: bool) -> tuple[int, bool] | None:
    match = _ISO.fullmatch(text) or _WORD.fullmatch(text) or _NAME.fullmatch(text)
    if match is None and order:
        match = _TWO.fullmatch(text)
    if match is None and digits:
        if not (text.isascii() and text.isdigit()):
            return None
        match = _COMPACT.fullmatch(text)
        if match is None:
            return _since_1970(text)
    if match is None:
        return None
    parts = match.groupdict()
    try:
        return _built(parts, zone, order), parts.get("hour") is None
    except (ValueError, OverflowError):
        return None


def _built(parts: dict[str, str | None], zone: ZoneInfo, order: str) -> int:
    if parts.get("name"):
        month = _MONTHS.index(str(parts["name"]).lower()) + 1
        day = int(str(parts["day"]))
    elif "first" in parts:
        one, two = int(str(parts["first"])), int(str(parts["second_"]))
        day, month = (one, two) if order == "dmy" else (two, one)
    else:
        month, day = int(str(parts["month"])), int(str(parts["day"]))
    hour = int(parts.get("hour") or 0)
    half = (parts.get("half") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half == "pm" else 0)
    micros = int(((parts.get("part") or "") + "000000")[:6])
    moment = datetime(
        int(str(parts["year"])), month, day, hour, int(parts.get("minute") or 0),
        int(parts.get("second") or 0), micros, tzinfo=_zone(parts.get("zone")) or zone,
    )  # fmt: skip
    instant = (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND
    if not EARLIEST <= instant <= LATEST:
        raise ValueError(instant)
    return instant


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in ("Z", "UTC"):
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:].strip(":") or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _since_1970(text: str) -> tuple[int, bool] | None:
    scale = {10: 1_000_000, 13: 1_000, 16: 1}.get(len(text))
    return None if scale is None else (int(text) * scale, False)
