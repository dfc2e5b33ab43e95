"""What the best possible model would answer: exact chances given what can be observed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.sources.simulator import ways
from features.sources.simulator.chance import Floats, Stream, expected, logistic
from features.sources.simulator.company import CONTACTED, Campaign
from features.sources.simulator.life import Life
from features.sources.simulator.people import CHANNEL_OF_TYPE, still_agrees

HORIZON = 4
"""Weeks in which a customer without an order has churned."""


class Staying(NamedTuple):
    """The chance of no order in the coming 28 days, each float64[n].

    Attributes
    ----------
    probability : ndarray
        Given what can be observed: noise, coming visits and the coming contact averaged out.
    contacted, left : ndarray
        The same if the campaign that begins within these days contacts the customer, and if it
        does not; equal where no campaign begins.
    realised : ndarray
        With the noise, the visits and the contact that come about where no order is made.
    """

    probability: Floats
    contacted: Floats
    left: Floats
    realised: Floats


def no_order(life: Life) -> Staying:
    """Return the chances of no order in the four weeks that come next.

    Until there is an order, everything that an order depends on is known but three things: its
    noise, whether the weeks before it hold a visit, and whether the campaign that begins
    meanwhile contacts the customer. Each of them has a few values, so the mean is a finite sum.
    """
    who, now = life.who, life.week
    company = who.company
    margins = [life.order_margin(now + ahead, seen=now) for ahead in range(HORIZON)]
    running = [company.running(now + ahead) for ahead in range(HORIZON)]
    coming = next((c for c in running if c is not None and c.week >= now), None)
    known = [
        np.zeros(len(who)) if c is None or c is coming else life.lifted(now + ahead)
        for ahead, c in enumerate(running)
    ]
    lifts = [
        ways.lift(ways.ways(company, now + ahead), c.kind, who)
        if c is not None and c is coming
        else np.zeros(len(who))
        for ahead, c in enumerate(running)
    ]
    left = _over_paths(life, [m + k for m, k in zip(margins, known, strict=True)])
    if coming is None:
        return Staying(left, left, left, _realised(life, margins, known))
    contacted = _over_paths(
        life, [m + k + up for m, k, up in zip(margins, known, lifts, strict=True)]
    )
    share = contact_share(life, coming)
    drawn = who.contacted[coming.number]
    happens = [k + np.where(drawn, up, 0.0) for k, up in zip(known, lifts, strict=True)]
    mixed = share * contacted + (1.0 - share) * left
    return Staying(mixed, contacted, left, _realised(life, margins, happens))


def contact_share(life: Life, campaign: Campaign) -> Floats:
    """Return the chance of being contacted in a coming campaign, given the present consent."""
    who = life.who
    channel = CHANNEL_OF_TYPE[campaign.kind]
    agreed = who.consents[channel, life.week]
    return CONTACTED * still_agrees(agreed, campaign.week - life.week)


def order_now(life: Life) -> Floats:
    """Return the chance of an order in the week that comes next, given what can be observed."""
    who, week = life.who, life.week
    way = ways.ways(who.company, week)
    margin = life.order_margin(week) + way.order_visits * life.history.visits(week)
    campaign = who.company.running(week)
    if campaign is None or campaign.week < week:
        return expected(margin + life.lifted(week), ways.NOISE["order"])
    share = contact_share(life, campaign)
    lifted = expected(margin + ways.lift(way, campaign.kind, who), ways.NOISE["order"])
    return np.asarray(
        share * lifted + (1.0 - share) * expected(margin, ways.NOISE["order"]), np.float64
    )


def _over_paths(life: Life, margins: list[Floats]) -> Floats:
    """Mean over noise and visits of the product of the chances of no order."""
    past, now = life.history, life.week
    company = life.who.company
    # By the number of visits since now: two ways to the same number continue alike.
    stays: dict[int, Floats] = {0: np.ones(len(life.who))}
    for ahead, margin in enumerate(margins):
        week = now + ahead
        way = ways.ways(company, week)
        seen = past.visits(week, now)
        orders = past.orders(week, now)
        following: dict[int, Floats] = {}
        for since, weight in stays.items():
            visits = seen + since
            ordering = expected(margin + way.order_visits * visits, ways.NOISE["order"])
            none = weight * (1.0 - ordering)
            visiting = ways.visit_margin(way, week, orders, visits)
            visit = expected(visiting, ways.NOISE["visit"])
            for came, share in ((1, visit), (0, 1.0 - visit)):
                so_far = following.get(since + came, 0.0)
                following[since + came] = np.asarray(so_far + none * share)
        stays = following
    return np.asarray(sum(stays.values()))


def _realised(life: Life, margins: list[Floats], lifts: list[Floats]) -> Floats:
    """Return the product with the noise, visits and contacts that come about without an order."""
    who, past, now = life.who, life.history, life.week
    stays = np.ones(len(who))
    came = np.zeros(len(who), dtype=np.int64)
    for ahead, (margin, up) in enumerate(zip(margins, lifts, strict=True)):
        week = now + ahead
        way = ways.ways(who.company, week)
        visits = past.visits(week, now) + came
        ordering = margin + up + way.order_visits * visits
        stays *= 1.0 - logistic(ordering + life.deviation(Stream.ORDER_NOISE, "order", week))
        visiting = ways.visit_margin(way, week, past.orders(week, now), visits)
        chance = logistic(visiting + life.deviation(Stream.VISIT_NOISE, "visit", week))
        came = came + (who.draw(Stream.VISIT, week) < chance)
    return stays
