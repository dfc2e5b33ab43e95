"""Visits to the web shop, and the newsletters that some of them come from, as events."""

from __future__ import annotations

import numpy as np

from features.sources.simulator import hours
from features.sources.simulator.chance import Integers, Stream
from features.sources.simulator.company import DAY, HOUR, SECOND, week_start
from features.sources.simulator.people import EMAIL, People
from features.sources.simulator.pieces import Pieces
from features.sources.simulator.words import CHANNEL

OPENS, CLICKS = 0.18, 0.2
"""Chance that a newsletter is opened, and that a visit in its week begins with a click in it."""
SENT = DAY + 9 * HOUR
"""Newsletters go out on every other week's Tuesday, at nine where the customer lives."""


def tell(pieces: Pieces, who: People, week: int, visitors: Integers) -> None:
    """Add a week's visits, newsletters, openings and clicks."""
    start = week_start(week)
    at = start + hours.in_week(who, week, visitors, who.draw_of(Stream.VISIT_AT, week, visitors))
    channel = np.full(len(visitors), CHANNEL["web"])
    if week % 2 == 0:
        sent = (who.joins < week) & who.consents[EMAIL, week]
        clicked = sent[visitors] & (who.draw_of(Stream.CLICK, week, visitors) < CLICKS)
        opened = sent & (who.draw(Stream.OPEN, week) < OPENS)
        opened[visitors[clicked]] = True
        waits = (who.draw(Stream.OPENED_AT, week) * 2 * DAY // SECOND).astype(np.int64) * SECOND
        arrived = start + SENT - hours.offsets(week)[who.zones] * SECOND
        at = np.where(clicked, (arrived + waits + 90 * SECOND)[visitors], at)
        channel = np.where(clicked, CHANNEL["email"], channel)
        for kind, those, moments in (
            ("email", np.flatnonzero(sent), arrived),
            ("open", np.flatnonzero(opened), arrived + waits),
            ("click", visitors[clicked], arrived + waits + 60 * SECOND),
        ):
            pieces.add(kind, those, moments[those], channel=CHANNEL["email"])
    pages = 1 + (who.draw_of(Stream.PAGES, week, visitors) ** 2 * 12).astype(np.int64)
    pieces.add("visit", visitors, at, channel=channel, quantity=pages)
