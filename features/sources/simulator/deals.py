"""Sales opportunities: opened at random, judged when the next week begins, won or lost later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.sources.simulator import ways
from features.sources.simulator.chance import Floats, Integers, Stream, logistic, noise
from features.sources.simulator.company import DAY, SECOND, WEEK, week_start
from features.sources.simulator.people import People
from features.sources.simulator.pieces import Pieces
from features.sources.simulator.words import CHANNEL, PRODUCT_CODE, PRODUCTS

if TYPE_CHECKING:
    from features.sources.simulator.life import Life

APART = 10
"""Weeks between two moments at which a customer can open an opportunity."""
OPENED = 0.04
CLOSED = 48
"""Days in which an opportunity is won or lost from the second day on that it is judged, so that a
customer has one at a time."""


class Deals(NamedTuple):
    """Opportunities opened in one week, one row each.

    Attributes
    ----------
    whose, product : ndarray of int64
    price : ndarray of int64
        Cents.
    """

    whose: Integers
    product: Integers
    price: Integers


def opened(who: People, week: int) -> Deals:
    """Return the opportunities that are opened within a week."""
    may = (who.numbers % APART == week % APART) & (who.joins < week)
    whose = np.flatnonzero(may & (who.draw(Stream.OPENING, week) < OPENED))
    price = 50_000 + (who.draw_of(Stream.SIZE_OF_DEAL, week, whose) ** 2 * 450_000).astype(np.int64)
    product = (who.draw_of(Stream.PRODUCT, week, whose) * len(PRODUCTS)).astype(np.int64)
    return Deals(whose, product, price)


def margin(life: Life, week: int, found: Deals) -> Floats:
    """Return the margin of being won, of opportunities that are judged when a week begins."""
    past = life.history
    return ways.win_margin(
        ways.ways(life.who.company, week),
        past.orders(week)[found.whose],
        past.visits(week)[found.whose],
        found.price / 100_000,
    )


def tell(pieces: Pieces, life: Life) -> None:
    """Add the opportunities opened in the week that comes next, and the ends of those before."""
    who, week = life.who, life.week
    found = opened(who, week)
    u = who.draw_of(Stream.OPENING_AT, week, found.whose)
    at = week_start(week) + (u * (WEEK // SECOND)).astype(np.int64) * SECOND
    _tell(pieces, "opportunity", found, at)
    if week:
        judged = opened(who, week - 1)
        won = who.draw_of(Stream.WIN, week, judged.whose) < chance(life, week, judged)
        days = 1 + who.draw_of(Stream.CLOSED_AT, week, judged.whose) * CLOSED
        closed = week_start(week) + (days * (DAY // SECOND)).astype(np.int64) * SECOND
        for kind, those in (("opportunity_won", won), ("opportunity_lost", ~won)):
            _tell(pieces, kind, Deals(*(column[those] for column in judged)), closed[those])


def _tell(pieces: Pieces, kind: str, found: Deals, at: Integers) -> None:
    category = PRODUCT_CODE + found.product
    phone = CHANNEL["phone"]
    pieces.add(kind, found.whose, at, amount=found.price, category=category, channel=phone)


def chance(life: Life, week: int, found: Deals) -> Floats:
    """Return the realised chance of being won."""
    u = life.who.draw_of(Stream.WIN_NOISE, week, found.whose)
    return logistic(margin(life, week, found) + noise(u, ways.NOISE["win"]))
