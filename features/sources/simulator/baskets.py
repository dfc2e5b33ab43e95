"""What is in an order, and what an order is worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.sources.simulator import ways
from features.sources.simulator.adverts import Adverts
from features.sources.simulator.chance import (
    Flags,
    Floats,
    Integers,
    Stream,
    expected,
    key,
    logistic,
    noise,
    uniform,
)
from features.sources.simulator.history import History
from features.sources.simulator.people import People

N = len(ways.CATEGORIES)
ITEMS = 20
"""Items of each category."""
PRICES = np.array([1_400, 350, 700, 650, 1_250, 500, 1_300, 900, 450, 400, 1_600, 1_100])
"""Mean price of an item of each category in cents."""
TWO, DISCOUNTED, DISCOUNT, COUPON, COUPON_WORTH = 0.25, 0.2, 0.2, 0.04, 50
"""Chance of two items, of a discount, its share; chance of a coupon and what it is worth."""
PAID = (1 + TWO) * (1 - DISCOUNTED * DISCOUNT)
"""What a line costs on average, in prices of an item."""
_ALL = np.arange(N)


class Lines(NamedTuple):
    """Order lines, one row each, by order and category.

    Attributes
    ----------
    order : ndarray of int64
        Position of the order.
    category, item, quantity, amount, discount, coupon_discount : ndarray of int64
        Amounts in cents; `amount` is what was paid.
    private : ndarray of bool
        Whether it is the shop's own brand.
    """

    order: Integers
    category: Integers
    item: Integers
    quantity: Integers
    amount: Integers
    discount: Integers
    coupon_discount: Integers
    private: Flags


def margins(history: History, week: int, chosen: Integers, lines: Integers) -> Floats:
    """Return the margin of each category being in an order of a week, float64[m, categories].

    `lines` are those of the last 90 days, int64[m, categories].
    """
    way = ways.ways(history.who.company, week)
    kids = history.who.demographics["kids_count"][chosen][:, None]
    return ways.basket_margin(way, _ALL[None, :], kids, lines)


def fill(history: History, week: int, buyers: Integers, shown: Adverts) -> Flags:
    """Return which categories are in the orders of a week, bool[m, categories]."""
    who = history.who
    bought = history.lines(week, buyers)
    margin = margins(history, week, buyers, bought)
    row = np.full(len(who), -1)
    row[buyers] = np.arange(len(buyers))
    seen = np.flatnonzero(row[shown.whose] >= 0)
    at = row[shown.whose[seen]], shown.category[seen]
    way = ways.ways(who.company, week)
    margin[at] += ways.advert_margin(way, shown.place[seen], bought[at])
    margin += noise(_draws(who, Stream.BASKET_NOISE, week, buyers), ways.NOISE["basket"])
    filled = _draws(who, Stream.BASKET, week, buyers) < logistic(margin)
    filled[:, 0] = True
    return filled


def deviations(who: People, week: int, chosen: Integers, category: Integers) -> Floats:
    """Return the draws behind the noise of single categories in the orders of a week."""
    return uniform(_keys(who, Stream.BASKET_NOISE, week)[category], who.numbers[chosen])


def _draws(who: People, stream: Stream, week: int, chosen: Integers) -> Floats:
    return uniform(_keys(who, stream, week)[None, :], who.numbers[chosen][:, None])


def _keys(who: People, stream: Stream, week: int) -> np.ndarray:
    salt = who.salt if week >= who.since else 0
    parts = [key(who.company.seed, salt, stream, week, category) for category in range(N)]
    return np.array(parts, dtype=np.uint64)


def level(who: People) -> Floats:
    """Return how dear a customer buys, 1 on average: it grows with income."""
    income = who.demographics["income"].astype(np.int64)
    return np.where(income < 0, 1.0, 0.8 + 0.4 * income / 11)


def lines(who: People, week: int, buyers: Integers, filled: Flags) -> Lines:
    """Return the lines of the orders of a week."""
    order, category = np.nonzero(filled)
    numbers = who.numbers[buyers[order]]

    def draw(stream: Stream) -> Floats:
        return uniform(_keys(who, stream, week)[category], numbers)

    price = PRICES[category] * level(who)[buyers[order]] * (0.75 + 0.5 * draw(Stream.PRICE))
    quantity = 1 + (draw(Stream.QUANTITY) < TWO).astype(np.int64)
    full = np.rint(price).astype(np.int64) * quantity
    lowered = draw(Stream.DISCOUNT) < DISCOUNTED
    discount = np.where(lowered, np.rint(full * DISCOUNT), 0).astype(np.int64)
    return Lines(
        order,
        category,
        category * ITEMS + (draw(Stream.ITEM) * ITEMS).astype(np.int64),
        quantity,
        full - discount,
        discount,
        np.where(draw(Stream.COUPON) < COUPON, COUPON_WORTH, 0),
        draw(Stream.BRAND) < 0.3,
    )


def worth(history: History, week: int) -> Floats:
    """Return the expected amount of an order of a week without advertisement, cents: exact.

    Rounding to whole cents apart, which averages out.
    """
    everyone = np.arange(len(history.who))
    margin = margins(history, week, everyone, history.lines(week, everyone))
    share = expected(margin, ways.NOISE["basket"])
    share[:, 0] = 1.0
    return np.asarray(share @ (PRICES * PAID) * level(history.who))
