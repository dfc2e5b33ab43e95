"""Which categories the mailer shows to whom, drawn at random week by week."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from features.sources.simulator.chance import Integers, Stream
from features.sources.simulator.people import People
from features.sources.simulator.ways import CATEGORIES, PLACEMENTS

MAILED = 0.25
"""Chance a week of getting the mailer; it shows two of the eleven advertised categories."""
ADVERTISED = len(CATEGORIES) - 1
SHOWN_GIVEN_MAILER = 2 / ADVERTISED


class Adverts(NamedTuple):
    """Advertisements of a week, one row each.

    Attributes
    ----------
    whose : ndarray of int64
        Positions of the customers; each has two rows, one behind the other.
    category : ndarray of int64
        Position in `CATEGORIES`.
    place : ndarray of int64
        Position in `PLACEMENTS`.
    """

    whose: Integers
    category: Integers
    place: Integers


def adverts(who: People, week: int, everyone: bool = False) -> Adverts:
    """Return what a week's mailer shows: to those drawn, or to everyone it could be sent to."""
    known = who.joins < week
    mailed = known if everyone else known & (who.draw(Stream.MAILER, week) < MAILED)
    whose = np.flatnonzero(mailed)
    first = (who.draw_of(Stream.SHOWN, week, whose) * ADVERTISED).astype(np.int64)
    apart = 1 + (who.draw_of(Stream.SHOWN, week, whose, 1) * (ADVERTISED - 1)).astype(np.int64)
    category = 1 + np.stack([first, (first + apart) % ADVERTISED], axis=1)
    place = np.stack(
        [
            (who.draw_of(Stream.PLACE, week, whose, part) * len(PLACEMENTS)).astype(np.int64)
            for part in (0, 1)
        ],
        axis=1,
    )
    return Adverts(np.repeat(whose, 2), category.ravel(), place.ravel())
