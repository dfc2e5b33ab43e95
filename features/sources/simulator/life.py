"""Some customers' weeks, one after another: what was decided by what could be observed."""

from __future__ import annotations

import numpy as np

from features.sources.simulator import baskets, browsing, deals, shopping, ways
from features.sources.simulator.adverts import adverts
from features.sources.simulator.chance import Floats, Stream, logistic, noise
from features.sources.simulator.company import DAY, SECOND, Campaign
from features.sources.simulator.history import History
from features.sources.simulator.people import People
from features.sources.simulator.pieces import Pieces
from features.sources.simulator.words import CAMPAIGN_CHANNEL, TYPE_CODE


class Life:
    """Some customers from the company's first week on.

    Attributes
    ----------
    who : People
    history : History
        As observable when `week` begins.
    week : int
        The week that comes next.
    """

    def __init__(self, who: People, weeks: int) -> None:
        self.who = who
        self.history = History(who, weeks)
        self.week = 0
        self.person = ways.person_margin(who)

    def branch(self, who: People, weeks: int) -> Life:
        """Return a life with the same past, and room for weeks that `who` draws."""
        other = Life.__new__(Life)
        other.who, other.history = who, self.history.longer(who, weeks)
        other.week, other.person = self.week, self.person
        return other

    def lifted(self, week: int) -> Floats:
        """Return what contacts add to the margin of an order in a week."""
        campaign = self.who.company.running(week)
        if campaign is None:
            return np.zeros(len(self.who))
        way = ways.ways(self.who.company, week)
        contacted = self.who.contacted[campaign.number]
        return np.where(contacted, ways.lift(way, campaign.kind, self.who), 0.0)

    def order_margin(self, week: int, seen: int | None = None) -> Floats:
        """Return the margin of an order without visits and contact, see `ways.order_margin`.

        Parameters
        ----------
        week : int
        seen : int, optional
            An earlier week, for what follows if there is no order from it on.
        """
        past = self.history
        return ways.order_margin(
            ways.ways(self.who.company, week),
            week,
            self.person,
            past.orders(week, seen),
            past.gone(week),
            past.tickets(week, seen),
            past.survey,
        )

    def order_chance(self, week: int) -> Floats:
        """Return the realised chance of an order in the week that comes next."""
        way = ways.ways(self.who.company, week)
        margin = self.order_margin(week) + self.lifted(week)
        margin += way.order_visits * self.history.visits(week)
        return logistic(margin + self.deviation(Stream.ORDER_NOISE, "order", week))

    def visit_chance(self, week: int) -> Floats:
        """Return the realised chance of a visit in the week that comes next."""
        past = self.history
        way = ways.ways(self.who.company, week)
        margin = ways.visit_margin(way, week, past.orders(week), past.visits(week))
        return logistic(margin + self.deviation(Stream.VISIT_NOISE, "visit", week))

    def deviation(self, stream: Stream, what: str, week: int) -> Floats:
        """Return the noise of a probability in a week."""
        return noise(self.who.draw(stream, week), ways.NOISE[what])

    def advance(self, pieces: Pieces | None = None) -> None:
        """Let the next week happen; its events are added to `pieces`."""
        who, past, week = self.who, self.history, self.week
        campaign = who.company.running(week)
        if campaign is not None and campaign.week == week:
            self._answer(campaign, pieces)
        known = who.joins < week
        new = (who.joins == week) & ~who.prospects
        ordered = known & (who.draw(Stream.ORDER, week) < self.order_chance(week))
        visited = known & (who.draw(Stream.VISIT, week) < self.visit_chance(week))
        buyers = np.flatnonzero(ordered | new)
        shown = adverts(who, week)
        filled = baskets.fill(past, week, buyers, shown)
        shopped = shopping.shop(who, week, buyers, filled)
        if pieces is not None:
            deals.tell(pieces, self)
            shopping.tell_adverts(pieces, who, week, shown)
            shopping.tell(pieces, shopped)
            browsing.tell(pieces, who, week, np.flatnonzero(visited))
        past.close(
            week,
            visited,
            buyers,
            filled,
            shopped.when >= DAY,
            shopped.complained,
            shopped.complained & (shopped.complained_at >= DAY),
        )
        past.survey[buyers[shopped.asked]] = ways.survey_level(shopped.answers[shopped.asked])
        self.week += 1

    def response_margins(self, campaign: Campaign, noisy: bool = True) -> tuple[Floats, Floats]:
        """Return the margins of a redemption if contacted and if not, with or without noise."""
        way = ways.ways(self.who.company, campaign.week)
        past, week = self.history, campaign.week
        contacted, left = ways.response_margins(
            way, campaign.kind, self.who, past.orders(week), past.gone(week),
            past.redemptions(campaign.number), past.contacts(campaign.number),
        )  # fmt: skip
        if noisy:
            deviation = self.deviation(Stream.RESPONSE_NOISE, "response", week)
            contacted, left = contacted + deviation, left + deviation
        return contacted, left

    def _answer(self, campaign: Campaign, pieces: Pieces | None) -> None:
        who, week = self.who, campaign.week
        contacted = who.contacted[campaign.number]
        margin = np.where(contacted, *self.response_margins(campaign))
        redeems = (who.joins < week) & (who.draw(Stream.RESPONSE, week) < logistic(margin))
        self.history.redeemed[campaign.number] = redeems
        if pieces is None:
            return
        about = {
            "channel": CAMPAIGN_CHANNEL[campaign.kind],
            "category": TYPE_CODE + campaign.kind,
            "campaign_id": campaign.number,
        }
        mailed = np.flatnonzero(contacted)
        pieces.add("contact", mailed, np.full(len(mailed), campaign.starts_at), **about)
        whose = np.flatnonzero(redeems)
        # In the first 26 of 28 days: 365 days before a campaign then are 13 whole campaigns.
        u = who.draw_of(Stream.RESPONDED_AT, week, whose)
        at = campaign.starts_at + (u**2 * 26 * DAY // SECOND).astype(np.int64) * SECOND
        pieces.add("redemption", whose, at, **about)
