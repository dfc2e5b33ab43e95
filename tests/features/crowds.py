"""Logs of many customers at once, so that one of hypothesis' examples judges dozens of histories.

Hypothesis draws a customer as a few bytes, and the tables here say what each byte means: drawing
every field by itself takes a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import chain
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.features.logs import CAMPAIGNS, DAY, HOUR, KINDS, NOW, WINDOWS

MOST_EVENTS, MOST_CHANGES, MOST_ROWS = 14, 3, 5
EVENT_BYTES, CHANGE_BYTES, ROW_BYTES = 10, 3, 4
HUGE = 24
"""How often a huge customer's events repeat."""

# Full hours, midnights and the edges of windows; instants at which clocks are changed.
SUMMER_ENDS = 1_509_238_800_000_000  # 2017-10-29T01:00Z, Europe/Berlin
WINTER_BEGINS = 1_509_861_600_000_000  # 2017-11-05T06:00Z, America/New_York
MIDNIGHT = NOW // DAY * DAY
BASES = (
    *([NOW] * 6), *(NOW - days * DAY for days in (*WINDOWS, *WINDOWS, 1, 1, 730)), NOW - DAY // 2,
    NOW + 2 * DAY, NOW + 20 * DAY, *(NOW + days * DAY for days in WINDOWS), MIDNIGHT,
    MIDNIGHT - 7 * DAY, SUMMER_ENDS, WINTER_BEGINS, NOW - 26 * HOUR,
)  # fmt: skip
BESIDE = (0, 0, 0, 1, -1, HOUR, -HOUR, HOUR // 2, -HOUR // 2, 90 * 60_000_001)
LATE = (0, 0, 0, 0, 1, HOUR, DAY, 40 * DAY)
AMOUNTS = (None, None, 0, 1, -1, 2**24 - 1, -(2**24))
ZONES = (
    None, "UTC", "Asia/Seoul", "America/New_York", "Europe/Berlin", "Asia/Kolkata",
    "Australia/Lord_Howe",
)  # fmt: skip
COMMON = (*(["order"] * 8), *(["order_line"] * 4), *KINDS)
STEPS = (HOUR // 2, HOUR, DAY, 7 * DAY, 30 * DAY)


class Customer(NamedTuple):
    """One example: a customer's events, attributes and rows, as dictionaries."""

    customer_id: str
    events: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    rows: list[dict[str, Any]]


class Crowd(tuple[Customer, ...]):
    """Some customers; where one fails a test, the test shows that one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} customers>"


def of(table: Sequence[Any], byte: int) -> Any:
    return table[byte % len(table)]


def instant(base: int, beside: int, before: int) -> int:
    """Return a moment on or beside an edge, that of the event before, or any."""
    if base >= 224:
        return before
    if base >= 160:
        return NOW - ((base - 160) * 256 + beside) * (400 * DAY // 16_384)
    return int(of(BASES, base) + of(BESIDE, beside))


def number(byte: int) -> int | None:
    return int(byte - 70) * 37 if byte >= 28 else of(AMOUNTS, byte)


def event(number_: int, who: str, data: bytes, before: int) -> dict[str, Any]:
    at = instant(data[0], data[1], before)
    late = of(LATE, data[2])
    return {
        "event_id": f"{who}-{data[9] % 4}-{number_}", "customer_id": who,
        "kind": of(COMMON, data[3]), "occurred_at": at,
        # Or recorded on the very edge of what many rows may know.
        "recorded_at": max(at, NOW) if data[2] >= 240 else at + late,
        "amount": number(data[4]), "quantity": number(data[5]), "discount": number(data[6]),
        "coupon_discount": number(data[6] ^ 255),
        "category": of(("Type A", "BEEF", "CHEESE", None), data[7]),
        "campaign_id": of(("1", "2", None), data[7] >> 2), "store": of(("s1", "s2"), data[8]),
        "brand": of(("Private", "National"), data[8] >> 1),
        "placement": of(("A", "D"), data[8] >> 2), "item": of(("i1", "i2"), data[8] >> 3),
    }  # fmt: skip


def change(who: str, data: bytes) -> dict[str, Any]:
    return {
        "customer_id": who, "known_at": instant(data[0], data[1], NOW),
        "age": of(("19-24", "65+", None), data[2]), "income": of(("35-49K", None), data[2] >> 2),
        "timezone": of(ZONES, data[2] >> 3),
    }  # fmt: skip


def row(who: str, data: bytes, own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a row: also at the very moment of one of the customer's events, by either clock."""
    at = instant(data[0], data[1], NOW + 1)
    if own and data[0] >= 192:
        at = own[data[1] % len(own)][("occurred_at", "recorded_at")[data[1] >> 7]]
    return {
        "customer_id": who, "as_of": at, "placement": of(("A", None), data[3] >> 4),
        "category": of(("Type A", "BEEF", "CHEESE", None, "never seen"), data[2]),
        "store": of(("s1", "s2", "s9", None), data[3]), "campaign_id": of(("1", "2"), data[3] >> 2),
    }  # fmt: skip


def customer(place: int, data: bytes, n_events: int, n_changes: int, n_rows: int) -> Customer:
    who = f"c{place:02d}"
    take = BytesIO(data).read
    shape = take(1)[0]
    events: list[dict[str, Any]] = []
    before = NOW
    for k in range(n_events):
        events.append(event(k, who, take(EVENT_BYTES), before))
        before = events[-1]["occurred_at"]
    if shape >= 248:
        events = _repeated(events, of(STEPS, shape))
    states = [change(who, take(CHANGE_BYTES)) for _ in range(n_changes)]
    changes = {state["known_at"]: state for state in states}
    rows = [row(who, take(ROW_BYTES), events) for _ in range(n_rows)]
    if 192 <= shape < 248:
        # Many moments, so that windows slide: some overlap, and some jump over every event.
        # Half of them by whole steps from an event, which then lies on the edges of windows.
        middle = events[0]["occurred_at"] if events and shape & 1 else rows[0]["as_of"]
        step = of(STEPS, shape >> 1)
        rows = [{**rows[0], "as_of": middle + k * step} for k in range(-5, 6)] + rows[1:]
    return Customer(who, events, list(changes.values()), rows)


def _repeated(events: Sequence[dict[str, Any]], step: int) -> list[dict[str, Any]]:
    return [
        {
            **given, "event_id": f"{given['event_id']}-{k}",
            "occurred_at": given["occurred_at"] - k * step,
            "recorded_at": given["recorded_at"] - k * step,
        }
        for k in range(HUGE)
        for given in events
    ]  # fmt: skip


@st.composite
def crowds(draw: Any, customers: int) -> Crowd:
    """Draw some customers: nobody's events, one event, many, or hundreds."""
    shapes = draw(st.binary(min_size=2 * customers, max_size=2 * customers))
    sizes = []
    for first, second in zip(shapes[::2], shapes[1::2], strict=True):
        n_events = of((0, 1, 2, *range(2, MOST_EVENTS + 1)), first)
        sizes.append((n_events, second % (MOST_CHANGES + 1), 1 + (second >> 2) % MOST_ROWS))
    lengths = [1 + EVENT_BYTES * e + CHANGE_BYTES * c + ROW_BYTES * r for e, c, r in sizes]
    return Crowd(
        customer(place, draw(st.binary(min_size=length, max_size=length)), *size)
        for place, (length, size) in enumerate(zip(lengths, sizes, strict=True))
    )


def all_of(crowd: Sequence[Customer], what: str) -> list[dict[str, Any]]:
    """Return the events, changes or rows of everybody."""
    return list(chain.from_iterable(getattr(one, what) for one in crowd))


def described(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's context, what is looked up of its campaign included."""
    looked_up = {f"campaign.{name}": v for name, v in CAMPAIGNS[row["campaign_id"]].items()}
    return {**row, **looked_up}
