"""An order's consequences within its week, and all of it as events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.sources.simulator import baskets, hours, ways
from features.sources.simulator.adverts import Adverts
from features.sources.simulator.chance import Flags, Integers, Stream
from features.sources.simulator.company import SECOND, WEEK, week_start
from features.sources.simulator.people import People
from features.sources.simulator.pieces import Pieces
from features.sources.simulator.words import CHANNEL, TICKET_CODE, WEB

TICKET, RETURN, SURVEY = 0.06, 0.05, 0.1
"""Chance of each after an order, in the same week."""


class Shopped(NamedTuple):
    """The orders of a week and what came of them, one row an order.

    Attributes
    ----------
    who : People
    week : int
    buyers : ndarray of int64
        Positions of the customers.
    filled : ndarray of bool, shape (m, categories)
    when, complained_at : ndarray of int64
        Microseconds from the week's beginning.
    complained, asked : ndarray of bool
        Whether there was a ticket; whether a survey was answered.
    answers : ndarray of int64
        0 to 10, worse after a ticket.
    """

    who: People
    week: int
    buyers: Integers
    filled: Flags
    when: Integers
    complained: Flags
    complained_at: Integers
    asked: Flags
    answers: Integers

    def after(self, stream: Stream) -> Integers:
        """Return a moment between each order and the end of the week, from its beginning."""
        return _after(self.who, self.week, self.buyers, self.when, stream)


def shop(who: People, week: int, buyers: Integers, filled: Flags) -> Shopped:
    """Return when in a week its orders are made, and what comes of them."""
    when = hours.in_week(who, week, buyers, who.draw_of(Stream.ORDERED_AT, week, buyers))
    complained = who.draw_of(Stream.TICKET, week, buyers) < TICKET
    u = who.draw_of(Stream.ANSWER, week, buyers)
    return Shopped(
        who,
        week,
        buyers,
        filled,
        when,
        complained,
        _after(who, week, buyers, when, Stream.TICKET_AT),
        who.draw_of(Stream.SURVEY, week, buyers) < SURVEY,
        np.floor(11 * np.where(complained, u**1.5, u**0.5)).astype(np.int64),
    )


def tell_adverts(pieces: Pieces, who: People, week: int, shown: Adverts) -> None:
    """Add a week's advertisements."""
    pieces.add(
        "impression",
        shown.whose,
        np.full(len(shown.whose), week_start(week)),
        channel=CHANNEL["mailer"],
        category=shown.category,
        placement=shown.place,
        store=who.stores[shown.whose],
    )


def tell(pieces: Pieces, shopped: Shopped) -> None:
    """Add a week's orders, their lines, returns, tickets and surveys."""
    who, week, buyers = shopped.who, shopped.week, shopped.buyers
    start = week_start(week)
    lines = baskets.lines(who, week, buyers, shopped.filled)
    home = ways.is_home(who.draw_of(Stream.WHERE, week, buyers))
    # Of the others an equal share comes from each other store and from the web.
    other = (who.draw_of(Stream.OTHER_STORE, week, buyers) * WEB).astype(np.int64)
    store = np.where(home, who.stores[buyers], (who.stores[buyers] + 1 + other) % (WEB + 1))
    channel = np.where(store == WEB, CHANNEL["web"], CHANNEL["store"])
    sums = {
        name: np.bincount(lines.order, getattr(lines, name), len(buyers)).astype(np.int64)
        for name in ("amount", "discount", "coupon_discount")
    }
    count = np.bincount(lines.order, minlength=len(buyers))
    at = start + shopped.when
    pieces.add("order", buyers, at, quantity=count, store=store, channel=channel, **sums)
    pieces.add(
        "order_line",
        buyers[lines.order],
        at[lines.order],
        store=store[lines.order],
        channel=channel[lines.order],
        item=lines.item,
        category=lines.category,
        quantity=lines.quantity,
        amount=lines.amount,
        discount=lines.discount,
        coupon_discount=lines.coupon_discount,
        brand=lines.private.astype(np.int64),
    )
    back = np.flatnonzero(who.draw_of(Stream.RETURN, week, buyers) < RETURN)
    first = np.searchsorted(lines.order, back)
    pieces.add(
        "return",
        buyers[back],
        start + shopped.after(Stream.RETURN_AT)[back],
        channel=channel[back],
        store=store[back],
        category=lines.category[first],
        item=lines.item[first],
        amount=lines.amount[first],
        quantity=lines.quantity[first],
    )
    told = np.flatnonzero(shopped.complained)
    kinds = (who.draw_of(Stream.TICKET_KIND, week, buyers[told]) * 3).astype(np.int64)
    pieces.add(
        "ticket",
        buyers[told],
        start + shopped.complained_at[told],
        channel=CHANNEL["phone"],
        category=TICKET_CODE + kinds,
    )
    asked = np.flatnonzero(shopped.asked)
    pieces.add(
        "survey",
        buyers[asked],
        start + shopped.after(Stream.SURVEY_AT)[asked],
        channel=CHANNEL["email"],
        quantity=shopped.answers[asked],
    )


def _after(who: People, week: int, buyers: Integers, when: Integers, stream: Stream) -> Integers:
    u = who.draw_of(stream, week, buyers)
    return when + (u * ((WEEK - when) // SECOND - 1)).astype(np.int64) * SECOND
