"""A simulated company's events: the same however they are cut, and as the contract wants them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from features.errors import BadInputError
from features.sources.simulator import tables
from features.sources.simulator.company import DAY, HOUR, WEEK, Company, week_start
from features.sources.simulator.history import History
from features.sources.simulator.hours import in_week, offsets
from features.sources.simulator.life import Life
from features.sources.simulator.people import AGREES, EMAIL, MAIL, WITHDRAWS, ZONES, people
from features.sources.simulator.pieces import LONGEST_LAG, WITHIN_ITS_WEEK
from features.sources.simulator.stream import chunks, customer_names
from features.sources.simulator.words import KIND, KINDS

SMALL = Company(customers=90, days=364, seed=2)
Columns = Mapping[str, Any]


def events(
    company: Company, first: int = 0, last: int | None = None, together: int = 90
) -> Columns:
    parts = [chunk.columns for chunk in chunks(company, first, last, together)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture(scope="module")
def simulated() -> Columns:
    return events(SMALL)


def same(one: Columns, other: Columns) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(values, other[name]) for name, values in one.items()
    )


@pytest.mark.parametrize("together", [5, 64])
def test_events_are_the_same_however_many_customers_are_simulated_at_a_time(
    simulated: Columns, together: int
) -> None:
    assert same(events(SMALL, together=together), simulated)


def test_processes_may_share_the_customers(simulated: Columns) -> None:
    halves = [events(SMALL, 0, 31), events(SMALL, 31)]
    joined = {name: np.concatenate([half[name] for half in halves]) for name in simulated}
    assert same(joined, simulated)


def test_a_seed_gives_its_own_company_and_always_the_same(simulated: Columns) -> None:
    assert same(events(SMALL), simulated)
    assert not same(events(Company(customers=90, days=364, seed=3)), simulated)


def test_more_customers_leave_the_others_what_they_were(simulated: Columns) -> None:
    assert same(events(Company(customers=500, days=364, seed=2), 0, 90), simulated)


def test_drift_changes_nothing_before_its_week_and_much_after(simulated: Columns) -> None:
    company = Company(customers=90, days=364, seed=2, drift=True)
    drifted = events(company)
    begins = week_start(company.drift_week)

    def rows(columns: Columns, later: bool) -> set[tuple[int, int, int]]:
        kept = (columns["occurred_at"] >= begins) == later
        names = ("customer", "occurred_at", "kind")
        return set(zip(*(columns[name][kept].tolist() for name in names), strict=True))

    # A redemption's moment is drawn when its campaign begins, which may lie before.
    assert rows(drifted, later=False) == rows(simulated, later=False)
    assert len(rows(drifted, later=True) ^ rows(simulated, later=True)) > 100


def test_memory_does_not_grow_with_the_number_of_customers() -> None:
    def peak(customers: int) -> int:
        tracemalloc.start()
        for _ in chunks(Company(customers=customers, days=210), together=100):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(1_200) < 1.25 * peak(300)


def test_rows_are_in_the_order_of_customers_times_and_ids(simulated: Columns) -> None:
    names = tables.event_names(simulated["event"]).to_pylist()
    keys = list(
        zip(simulated["customer"].tolist(), simulated["occurred_at"].tolist(), names, strict=True)
    )
    assert keys == sorted(keys)
    assert all(one < other for one, other in pairwise(names))
    assert customer_names(np.array([9, 10])) == sorted(customer_names(np.array([10, 9])))


def test_what_probabilities_depend_on_is_known_when_its_week_ends(simulated: Columns) -> None:
    week = (simulated["occurred_at"] - week_start(0)) // WEEK
    seen = np.isin(simulated["kind"], [KIND[name] for name in WITHIN_ITS_WEEK])
    assert (simulated["recorded_at"] < week_start(0) + (week + 1) * WEEK)[seen].all()
    assert set(WITHIN_ITS_WEEK) <= set(KINDS)


def test_some_events_are_known_late(simulated: Columns) -> None:
    lag = simulated["recorded_at"] - simulated["occurred_at"]
    assert lag.min() >= 0
    opened = lag[np.isin(simulated["kind"], [KIND["open"], KIND["email"]])]
    assert 0.01 < (opened > HOUR).mean() < 0.06
    assert 2 * DAY < opened.max() <= LONGEST_LAG * DAY
    on_time = events(Company(customers=90, days=364, seed=2, late=0))
    orders = on_time["kind"] == KIND["order"]
    assert (on_time["recorded_at"] - on_time["occurred_at"])[orders].max() < HOUR
    ids = set(on_time["event"].tolist())
    assert ids >= set(simulated["event"].tolist())


def test_nothing_is_known_before_its_customer_or_after_the_end(simulated: Columns) -> None:
    joins = week_start(0) + people(SMALL, 0, 90).joins * WEEK
    assert (simulated["occurred_at"] >= joins[simulated["customer"]]).all()
    assert simulated["recorded_at"].max() < SMALL.ends_at


def test_every_kind_happens() -> None:
    found = events(Company(customers=600, days=364))
    assert set(found["kind"].tolist()) == set(range(len(KINDS)))


def test_an_order_is_the_sum_of_its_lines(simulated: Columns) -> None:
    kind = simulated["kind"]
    totals: dict[tuple[int, int], list[int]] = {}
    names = ("customer", "occurred_at", "amount", "discount", "coupon_discount", "quantity")
    rows = zip(kind.tolist(), *(simulated[name].tolist() for name in names), strict=True)
    orders = {}
    for what, who, when, amount, discount, coupon, quantity in rows:
        if what == KIND["order"]:
            orders[who, when] = [amount, discount, coupon, quantity]
        elif what == KIND["order_line"]:
            total = totals.setdefault((who, when), [0, 0, 0, 0])
            for place, part in enumerate((amount, discount, coupon, 1)):
                total[place] += part
    assert orders == totals


def counted(columns: Columns, kind: str, who: int, as_of: int, days: int) -> int:
    """How many events the feature algebra counts: both clocks before `as_of`."""
    return int(
        (
            (columns["customer"] == who)
            & (columns["kind"] == KIND[kind])
            & (columns["occurred_at"] >= as_of - days * DAY)
            & (columns["occurred_at"] < as_of)
            & (columns["recorded_at"] < as_of)
        ).sum()
    )


def test_what_decides_is_what_features_count(simulated: Columns) -> None:
    checked = 0

    def compare(life: Life) -> None:
        nonlocal checked
        week, past = life.week, life.history
        if week not in (1, 12, 13, 14, 30, 52):
            return
        as_of = week_start(week)
        for who in range(0, 90, 3):
            count = (counted(simulated, kind, who, as_of, 90) for kind in ("order", "ticket"))
            assert [past.orders(week)[who], past.tickets(week)[who]] == list(count)
            assert past.visits(week)[who] == counted(simulated, "visit", who, as_of, 28)
            lines = past.lines(week, np.array([who]))[0].sum()
            assert lines == counted(simulated, "order_line", who, as_of, 90)
            checked += 1

    for _ in chunks(SMALL, together=90, before_week=compare):
        pass
    assert checked == 180


def test_a_campaign_counts_earlier_contacts_and_redemptions_as_features_do(
    simulated: Columns,
) -> None:
    def compare(life: Life) -> None:
        campaign = SMALL.running(life.week)
        if campaign is None or campaign.week != life.week or life.week >= SMALL.weeks:
            return
        past: History = life.history
        for who in range(90):
            contacts = counted(simulated, "contact", who, campaign.starts_at, 90)
            redeemed = counted(simulated, "redemption", who, campaign.starts_at, 365)
            assert past.contacts(campaign.number)[who] == contacts
            assert past.redemptions(campaign.number)[who] == redeemed

    for _ in chunks(SMALL, together=90, before_week=compare):
        pass
    assert (simulated["kind"] == KIND["redemption"]).sum() > 5


def test_only_who_agreed_is_contacted_and_agreement_changes(simulated: Columns) -> None:
    who = people(SMALL, 0, 90)
    states = next(tables.customers(SMALL)).table.to_pylist()
    contacts = np.flatnonzero(simulated["kind"] == KIND["contact"])
    assert len(contacts) > 100
    for row in contacts.tolist():
        campaign = SMALL.campaigns[simulated["campaign_id"][row]]
        name = customer_names(simulated["customer"][[row]])[0]
        known = [
            state
            for state in states
            if state["customer_id"] == name and state["known_at"] < campaign.starts_at
        ]
        latest = max(known, key=lambda state: state["known_at"])
        channel = "email" if campaign.kind == 1 else "mail"
        assert latest[f"consent_{channel}_offers"] == 1.0
    changed = (who.consents[:, 1:] != who.consents[:, :-1]).mean(axis=(1, 2))
    assert min(WITHDRAWS, AGREES) < changed[EMAIL] < max(WITHDRAWS, AGREES) * 1.2
    assert changed[MAIL] > 0
    assert all("consent_email_offers" not in b.table.column_names
               for b in tables.customers(SMALL, consent=False))  # fmt: skip


def test_hours_are_those_of_the_customers_own_zone() -> None:
    who = people(Company(customers=4_000), 0, 4_000)
    everyone = np.arange(4_000)
    at = in_week(who, 0, everyone, np.random.default_rng(0).random(4_000))
    assert at.min() >= 0
    assert at.max() < WEEK
    local = (at // HOUR * HOUR + offsets(0)[who.zones] * 1_000_000) % DAY // HOUR
    asleep = (local < 6) | (local > 23)
    assert asleep.mean() < 0.05
    assert len(set(who.zones.tolist())) == len(ZONES)
    # In April New York is four hours behind, in winter five.
    assert offsets(0)[ZONES.index("America/New_York")] == -4 * 3_600
    assert offsets(40)[ZONES.index("America/New_York")] == -5 * 3_600


@pytest.mark.parametrize(
    ("field", "value"), [("customers", 0), ("days", 200), ("seed", -1), ("late", 1.5)]
)
def test_an_impossible_company_is_refused(field: str, value: float) -> None:
    with pytest.raises(BadInputError, match=f"{field} was given as"):
        Company(**{field: value})
