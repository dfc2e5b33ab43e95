"""Hypothesis strategies that make event logs with every edge the contract knows."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

DAY = 86_400_000_000
HOUR = 3_600_000_000
NOW = 1_512_363_600_000_000  # 2017-12-04T05:00:00Z
KINDS = (
    "order", "order_line", "contact", "redemption", "impression", "return", "ticket", "survey",
    "visit", "email", "open", "click",
)  # fmt: skip
CATEGORIES = ("Type A", "BEEF", "CHEESE", None)
WINDOWS = (7, 14, 28, 30, 90, 180, 365)
CAMPAIGNS = {
    "1": {"type": "Type A", "channel": "mail", "starts_at": NOW, "ends_at": NOW + 20 * DAY},
    "2": {"type": "Type B", "channel": "mail", "starts_at": NOW - DAY, "ends_at": NOW + 2 * DAY},
}

# On and beside the edges of windows, full hours, equal instants, and anywhere.
_edges = st.builds(
    lambda days, hours, beside: NOW - days * DAY + hours * HOUR + beside,
    st.sampled_from((0, *WINDOWS, -2, -20, *(-day for day in WINDOWS))),
    st.sampled_from((0, 0, 1, -1)),
    st.sampled_from((0, 0, 1, -1, HOUR // 2)),
)
_anywhere = st.integers(NOW - 400 * DAY, NOW + 60 * DAY)
instants = st.one_of(_edges, _anywhere)
_late = st.sampled_from((0, 0, 0, 1, HOUR, DAY, 40 * DAY))
_numbers = st.one_of(st.none(), st.integers(-500, 5_000))


@st.composite
def event(draw: Any, number: int, customers: tuple[str, ...] = ("a", "b")) -> dict[str, Any]:
    occurred_at = draw(instants)
    return {
        "event_id": f"{draw(st.integers(0, 3))}-{number}",
        "customer_id": draw(st.sampled_from(customers)),
        "kind": draw(st.sampled_from(KINDS)),
        "occurred_at": occurred_at,
        "recorded_at": occurred_at + draw(_late),
        "amount": draw(_numbers),
        "quantity": draw(_numbers),
        "discount": draw(_numbers),
        "coupon_discount": draw(_numbers),
        "category": draw(st.sampled_from(CATEGORIES)),
        "campaign_id": draw(st.sampled_from(("1", "2", None))),
        "store": draw(st.sampled_from(("s1", "s2"))),
        "brand": draw(st.sampled_from(("Private", "National"))),
        "placement": draw(st.sampled_from(("A", "D"))),
        "item": draw(st.sampled_from(("i1", "i2"))),
        "channel": None,
    }


@st.composite
def events(draw: Any, most: int = 24) -> list[dict[str, Any]]:
    return [draw(event(number)) for number in range(draw(st.integers(0, most)))]


changes = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(("a", "c")),
            "known_at": st.one_of(st.just(NOW), st.integers(NOW - 90 * DAY, NOW + DAY)),
            "age": st.sampled_from(("19-24", "65+", None)),
            "income": st.sampled_from(("35-49K", None)),
            "timezone": st.sampled_from(("Asia/Seoul", "America/New_York", "Asia/Kolkata", None)),
        }
    ),
    max_size=4,
    unique_by=lambda change: (change["customer_id"], change["known_at"]),
)

rows = st.lists(
    st.fixed_dictionaries(
        {
            "customer_id": st.sampled_from(("a", "b", "c")),
            "as_of": st.one_of(st.just(NOW), st.just(NOW + 1), _edges, _anywhere),
            "category": st.sampled_from((*CATEGORIES, "never seen")),
            "store": st.sampled_from(("s1", "s2", "s9", None)),
            "placement": st.sampled_from(("A", None)),
            "campaign_id": st.sampled_from(("1", "2")),
        }
    ),
    min_size=1,
    max_size=6,
)
