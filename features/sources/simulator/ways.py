"""The stated probabilities: every margin as a function of what can be observed.

A margin plus the noise of `NOISE` goes through the logistic function; docs/simulator.md has the
formulas in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Any

import numpy as np

from features.sources.simulator.chance import Flags, Floats, Integers
from features.sources.simulator.company import Company
from features.sources.simulator.people import People

CATEGORIES = (
    "GROCERY", "BREAD", "CHEESE", "COFFEE", "FISH", "FRUIT", "MEAT", "PETS", "SOAP", "SWEETS",
    "TOYS", "WINE",
)  # fmt: skip
"""The first is in every order and is never advertised."""
PLACEMENTS = ("front page", "interior page", "back page")
HOME_STORE = 0.87
"""Chance that an order comes from the customer's home store."""
LONGEST = 52
"""Weeks from which on it does not matter any more when the last order was."""
NOISE = {"order": 0.5, "visit": 0.5, "response": 0.6, "basket": 0.4, "win": 0.6}
"""Standard deviation of what nobody can know, on the margin's scale, by probability."""

_AGE = np.array([0.25, 0.15, 0.0, 0.0, -0.1, -0.3, 0.0])  # the last is the unknown (-1)
_INCOME = np.append(np.linspace(-0.3, 0.3, 12), 0.0)
_KIDS = np.array([0.0, 0.1, 0.25, 0.35, 0.0])
_ANSWERS_BY_AGE = np.array([0.3, 0.2, 0.0, 0.0, -0.2, -0.5, 0.0])
_LIFT_BY_AGE = np.array([0.2, 0.1, 0.0, 0.0, -0.1, -0.9, 0.0])
_SURVEY = np.array([-0.5, 0.0, 0.3])


@dataclass(frozen=True)
class Ways:
    """The coefficients of one era; drift replaces them from one week on."""

    order: float = -1.55
    order_frequency: float = 0.95
    order_recency: float = -0.4
    order_overdue: float = -0.35
    order_visits: float = 0.3
    order_tickets: float = -0.5
    season: float = 0.15
    lift: tuple[float, float, float] = (0.5, 0.15, 0.35)
    visit: float = -2.2
    visit_frequency: float = 0.5
    visit_habit: float = 0.4
    response: float = -3.9
    response_type: tuple[float, float, float] = (0.5, -0.4, 0.0)
    response_frequency: float = 0.65
    response_recency: float = -0.3
    response_habit: float = 1.0
    response_fatigue: float = -0.3
    response_lift: tuple[float, float, float] = (2.6, 1.6, 2.0)
    basket_taste: float = 1.0
    basket_advert: tuple[float, float, float] = (1.0, 0.5, 0.3)
    basket_reminder: float = 0.7
    win: float = -1.6
    win_frequency: float = 0.5
    win_visits: float = 0.35
    win_price: float = -0.5


BEFORE = Ways()
AFTERWARDS = Ways(
    order=-1.8,
    order_overdue=-0.5,
    order_tickets=-0.8,
    lift=(0.25, 0.1, 0.15),
    response=-4.2,
    response_habit=0.6,
    response_fatigue=-0.5,
    basket_taste=0.75,
    basket_advert=(0.7, 0.4, 0.3),
    win=-1.9,
)
_BASKET = np.array([0.0, -2.3, -3.4, -3.2, -4.0, -2.5, -3.1, -4.0, -3.7, -3.1, -4.3, -3.8])


def ways(company: Company, week: int) -> Ways:
    """Return the coefficients that hold in a week."""
    return AFTERWARDS if company.drifted(week) else BEFORE


def season(week: int) -> float:
    """Return the year's wave, 1 in the middle of December and -1 in the middle of June."""
    return cos(2 * pi * (week - 37) / 52.1775)


def person_margin(who: People) -> Floats:
    """Return what a customer's attributes add to the margin of an order."""
    told = who.demographics
    return np.asarray(_AGE[told["age"]] + _INCOME[told["income"]] + _KIDS[told["kids_count"]])


def recency(weeks: Any) -> Floats:
    """Return the log of the weeks since the last order's week, at most that of a year."""
    return np.asarray(np.log(np.minimum(weeks, LONGEST)), dtype=np.float64)


def order_margin(
    way: Ways,
    week: int,
    person: Floats,
    orders: Any,
    gone: Any,
    tickets: Any,
    survey: Any,
) -> Floats:
    """Return the margin of an order in a week, without visits and contact.

    Parameters
    ----------
    orders, tickets : ndarray of int
        Of the last 90 days.
    gone : ndarray of int
        Weeks since the week of the last order, `LONGEST` if there was none.
    survey : ndarray of int
        0, 1, 2 for a last answer up to 6, of 7 or 8 (or none), of 9 or 10.
    """
    often, long = np.log1p(orders), recency(gone)
    return np.asarray(
        way.order
        + way.season * season(week)
        + person
        + way.order_frequency * often
        + way.order_recency * long
        + way.order_overdue * often * long
        + way.order_tickets * np.minimum(tickets, 3)
        + _SURVEY[survey]
    )


def lift(way: Ways, kind: int, who: People) -> Floats:
    """Return what a contact adds to the margin of an order in each of the campaign's weeks."""
    return np.asarray(way.lift[kind] + _LIFT_BY_AGE[who.demographics["age"]])


def visit_margin(way: Ways, week: int, orders: Any, visits: Any) -> Floats:
    """Return the margin of a visit in a week; `visits` are those of the last 28 days."""
    return np.asarray(
        way.visit
        + way.season * season(week)
        + way.visit_frequency * np.log1p(orders)
        + way.visit_habit * visits
    )


def response_margins(
    way: Ways, kind: int, who: People, orders: Any, gone: Any, redeemed: Any, contacts: Any
) -> tuple[Floats, Floats]:
    """Return the margins of a redemption if contacted and if not.

    Parameters
    ----------
    kind : int
        The campaign's type.
    orders, contacts : ndarray of int
        Of the last 90 days.
    redeemed : ndarray of int
        Redemptions of the last 365 days.
    """
    contacted = (
        way.response
        + way.response_type[kind]
        + _ANSWERS_BY_AGE[who.demographics["age"]] * (1.0 if kind == 0 else 0.5)
        + way.response_frequency * np.log1p(orders)
        + way.response_recency * recency(gone)
        + way.response_habit * np.log1p(redeemed)
        + way.response_fatigue * contacts
    )
    return contacted, contacted - way.response_lift[kind]


def basket_margin(way: Ways, category: Any, who: Integers | Any, lines: Any) -> Floats:
    """Return the margin of a category being in an order, without advertisement.

    Parameters
    ----------
    category : int or ndarray of int
        Position in `CATEGORIES`.
    who : ndarray of int
        The code of the customers' `kids_count`: families buy toys and sweets.
    lines : ndarray of int
        Lines of the category in the last 90 days.
    """
    for_children = np.isin(category, (9, 10)) * 1.5
    return np.asarray(
        _BASKET[category] + for_children * _KIDS[who] + way.basket_taste * np.log1p(lines)
    )


def advert_margin(way: Ways, place: Any, lines: Any) -> Floats:
    """Return what an advertisement adds to the margin of its category being in an order.

    Parameters
    ----------
    place : ndarray of int
        Position in `PLACEMENTS`.
    lines : ndarray of int
        Lines of the category in the last 90 days: whoever knows it is reminded.
    """
    strength = np.array(way.basket_advert)[place]
    return np.asarray(strength + way.basket_reminder * (np.asarray(lines) > 0))


def win_margin(way: Ways, orders: Any, visits: Any, price: Any) -> Floats:
    """Return the margin of an opportunity being won; `price` is in thousands of EUR."""
    return np.asarray(
        way.win
        + way.win_frequency * np.log1p(orders)
        + way.win_visits * visits
        + way.win_price * np.log(price)
    )


def survey_level(answers: Any) -> Integers:
    """Return 0 for answers up to 6, 1 for 7 and 8, 2 for 9 and 10."""
    return np.asarray((answers >= 7).astype(np.int64) + (answers >= 9))


def is_home(u: Floats) -> Flags:
    """Return whether an order comes from the home store."""
    return np.asarray(u < HOME_STORE)
