"""A made-up shop's year, small enough for tests and rich enough to train every model on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from features.clock import parse_instant
from features.log import EventLog
from features.spine import Spine
from tests.small_log import SHOP, write_small_log

DAY = 86_400_000_000
WEEK = 7 * DAY
STARTS = parse_instant("2023-01-02T00:00:00Z")
ENDS = STARTS + 52 * WEEK
CATEGORIES = np.array(["BREAD", "CHEESE", "COFFEE", "FRUIT", "SOAP", "WINE"], dtype=object)
STORES = ("north", "south")
PLACEMENTS = ("front page", "interior page", "back page")
TYPES = ("Type A", "Type B", "Type C")
AGES = ("19-24", "25-34", "35-44", None)
OPEN_CAMPAIGN = "11"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Household:
    """Who comes by habit, drifts away, and redeems what suits them."""

    name: str
    a_week: float
    leaves: int
    taste: Any
    store: str
    age: str | None


def write_company(home: Path, customers: int = 300, random_state: int = 0) -> EventLog:
    """Return the log of a year of a shop; the same seed gives the same year.

    It has orders, lines, campaigns with contacts and redemptions (campaign 11 is open at the end),
    impressions, attributes, and the spines ``lead``, ``impression`` and ``placement``.
    """
    rng = np.random.default_rng(random_state)
    households = [_household(number, rng) for number in range(customers)]
    campaigns = [_campaign(number) for number in range(11)]
    shopping = [event for household in households for event in _orders(household, rng)]
    answers = [e for campaign in campaigns for e in _campaign_events(campaign, households, rng)]
    adverts = [advert for household in households for advert in _adverts(household, rng)]
    shown = [advert for advert in adverts if advert["occurred_at"] < ENDS]
    to_come = [advert for advert in adverts if advert["occurred_at"] == ENDS]
    return write_small_log(
        home,
        [*shopping, *answers, *shown],
        [{"customer_id": h.name, "known_at": STARTS - DAY, "age": h.age} for h in households],
        campaigns,
        spines={
            "lead": _spine(
                "lead", [e for e in answers if e["kind"] == "contact"], ("campaign_id",)
            ),
            "impression": _spine("impression", shown, ("category", "placement", "store")),
            "placement": _spine("placement", to_come, ("category", "placement", "store")),
        },
        source=replace(SHOP, frozen_at=ENDS),
    )


def _household(number: int, rng: np.random.Generator) -> Household:
    return Household(
        name=f"c{number:04d}",
        a_week=float(rng.gamma(2.0, 0.5)),
        leaves=STARTS + int(rng.exponential(80) * WEEK),
        taste=rng.dirichlet(np.full(len(CATEGORIES), 0.6)),
        store=str(rng.choice(STORES)),
        age=AGES[int(rng.integers(len(AGES)))],
    )


def _orders(household: Household, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    moments = rng.integers(STARTS, ENDS, rng.poisson(household.a_week * 52))
    for moment in moments[moments < household.leaves].tolist():
        wanted = rng.choice(CATEGORIES, int(rng.integers(1, 4)), p=household.taste)
        prices = rng.integers(80, 2_000, len(wanted)).tolist()
        shared = {
            "customer_id": household.name,
            "occurred_at": moment,
            "channel": "store",
            "store": household.store,
            "coupon_discount": 0,
        }
        yield shared | _priced("order", sum(prices), len(prices))
        for category, price in zip(wanted.tolist(), prices, strict=True):
            item = {"item": f"{category}-{price % 7}", "category": category}
            brand = {"brand": "own" if price % 3 else "national"}
            yield shared | item | brand | _priced("order_line", price, 1)


def _priced(kind: str, amount: int, quantity: int) -> dict[str, Any]:
    return {"kind": kind, "amount": amount, "quantity": quantity, "discount": amount // 9}


def _campaign(number: int) -> dict[str, Any]:
    starts = STARTS + (30 + 31 * number) * DAY
    return {
        "campaign_id": str(number + 1),
        "starts_at": starts,
        "ends_at": starts + 28 * DAY,
        "type": TYPES[number % 3],
        "channel": "coupon mailing",
        "cost": 50,
        "offer": "6 coupons",
    }


def _campaign_events(
    campaign: dict[str, Any], households: list[Household], rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    about = {"campaign_id": campaign["campaign_id"], "category": campaign["type"]}
    for household in households:
        if rng.random() < 0.4:
            continue
        who = about | {"customer_id": household.name}
        yield who | {"kind": "contact", "occurred_at": campaign["starts_at"]}
        margin = -2.6 + 1.4 * household.a_week + (campaign["type"] == "Type A")
        when = campaign["starts_at"] + int(rng.integers(1, 27)) * DAY
        if rng.random() < 1 / (1 + np.exp(-margin)) and when < min(ENDS, household.leaves):
            yield who | {"kind": "redemption", "occurred_at": when}


def _adverts(household: Household, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Two a week from the fourteenth week on, and two for the week that begins at the end."""
    for week in range(13, 53):
        for category in rng.choice(CATEGORIES, 2, replace=False).tolist():
            yield {
                "customer_id": household.name,
                "kind": "impression",
                "occurred_at": STARTS + week * WEEK,
                "category": category,
                "placement": str(rng.choice(PLACEMENTS)),
                "store": household.store,
                "channel": "mailer",
            }


def _spine(entity: str, rows: Rows, context: tuple[str, ...]) -> Spine:
    def column(name: str) -> Any:
        return np.array([row[name] for row in rows], dtype=object)

    when = np.array([row["occurred_at"] for row in rows], dtype=np.int64)
    names = ["/".join(str(row[c]) for c in ("customer_id", *context)) for row in rows]
    ids = np.array([f"{n}@{at}" for n, at in zip(names, when.tolist(), strict=True)], dtype=object)
    return Spine(entity, ids, column("customer_id"), when, {name: column(name) for name in context})
