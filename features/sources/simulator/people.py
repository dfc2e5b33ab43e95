"""Who the customers are, what they agreed to and who is contacted: known without simulating."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.profile import INCOMES
from features.sources.simulator.chance import Flags, Floats, Integers, Stream, key, uniform
from features.sources.simulator.company import AFTER, CAMPAIGN_CHANNELS, CONTACTED, Company

Codes = NDArray[np.int8]

LEVELS: dict[str, tuple[str, ...]] = {
    "age": ("19-24", "25-34", "35-44", "45-54", "55-64", "65+"),
    "income": INCOMES,
    "home_ownership": ("Homeowner", "Renter"),
    "marital_status": ("Married", "Unmarried"),
    "household_size": ("1", "2", "3", "4", "5+"),
    "household_comp": ("1 Adult No Kids", "2 Adults No Kids", "Adults with Kids"),
    "kids_count": ("0", "1", "2", "3+"),
}
"""The levels of each demographic attribute; missing, for 15 of 100 customers, is code -1."""
ZONES = ("Europe/Berlin", "Europe/London", "Europe/Lisbon", "America/New_York", "Asia/Seoul")
_ZONE_SHARES = (0.5, 0.2, 0.1, 0.12, 0.08)
_AGE_SHARES = (0.1, 0.2, 0.22, 0.2, 0.15, 0.13)
_SIZE_SHARES = (0.25, 0.35, 0.15, 0.15, 0.1)
STORES = tuple(f"s{number:02d}" for number in range(1, 21))
UNKNOWN = 0.15
PROSPECTS = 0.08
CONSENT_CHANNELS = ("email", "mail")
AGREED_AT_FIRST = (0.7, 0.8)
WITHDRAWS, AGREES = 0.004, 0.002
"""Chance a week that a consent is withdrawn, and that it is given; the same for everybody."""
MAIL, EMAIL = 1, 0
CHANNEL_OF_TYPE = tuple(EMAIL if channel == "email" else MAIL for channel in CAMPAIGN_CHANNELS)


@dataclass(frozen=True)
class People:
    """Some customers and everything about them that is drawn once.

    Attributes
    ----------
    company : Company
    numbers : ndarray of int64, shape (n,)
        From 0; a customer's id is made of it.
    salt, since : int
        From the week `since` on other futures are drawn than those that happen; 0 is what happens.
    """

    company: Company
    numbers: Integers
    salt: int = 0
    since: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    def draw(self, stream: Stream, week: int = -1, part: int = 0) -> Floats:
        """Return a number in [0, 1) for each customer, for one purpose in one week."""
        salt = self.salt if week >= self.since else 0
        return uniform(key(self.company.seed, salt, stream, week, part), self.numbers)

    def draw_of(self, stream: Stream, week: int, chosen: Integers, part: int = 0) -> Floats:
        """Return the same numbers for some positions alone."""
        salt = self.salt if week >= self.since else 0
        return uniform(key(self.company.seed, salt, stream, week, part), self.numbers[chosen])

    @cached_property
    def joins(self) -> Integers:
        """The week in which each becomes known: nearly half of them in the first eight."""
        u = self.draw(Stream.JOINS)
        early = 0.45
        weeks = self.company.weeks
        return np.where(u < early, u / early * 8, (u - early) / (1 - early) * weeks).astype(
            np.int64
        )

    @cached_property
    def prospects(self) -> Flags:
        """Who is known without having ordered."""
        return self.draw(Stream.PROSPECT) < PROSPECTS

    @cached_property
    def demographics(self) -> dict[str, Codes]:
        """The code of each attribute of `LEVELS`."""
        age = _level(self.draw(Stream.AGE), _AGE_SHARES)
        u = self.draw(Stream.INCOME)
        income = np.clip(np.floor(u * 9 + np.minimum(age, 3)), 0, 11).astype(np.int8)
        size = _level(self.draw(Stream.SIZE), _SIZE_SHARES)
        kids = np.clip(size - 1 - (size > 1), 0, 3).astype(np.int8)
        found = {
            "age": age,
            "income": income,
            "home_ownership": _level(self.draw(Stream.HOME), (0.6, 0.4)),
            "marital_status": _level(self.draw(Stream.MARRIED), (0.55, 0.45)),
            "household_size": size,
            "household_comp": np.where(kids > 0, 2, np.minimum(size, 1)).astype(np.int8),
            "kids_count": kids,
        }
        unknown = self.draw(Stream.KNOWN) < UNKNOWN
        return {n: np.where(unknown, -1, codes).astype(np.int8) for n, codes in found.items()}

    @cached_property
    def zones(self) -> Codes:
        """Position in `ZONES`."""
        return _level(self.draw(Stream.ZONE), _ZONE_SHARES)

    @cached_property
    def evening(self) -> Flags:
        """Whose hours are late ones; hours depend on nothing else."""
        return self.draw(Stream.HABIT) < 0.5

    @cached_property
    def stores(self) -> Integers:
        """Position in `STORES` of the home store: seven of eight orders come from there."""
        return (self.draw(Stream.STORE) * len(STORES)).astype(np.int64)

    @cached_property
    def consents(self) -> Flags:
        """Whether each had agreed when a week began, bool[channel, week, n].

        A change into a week becomes known within the week before it.
        """
        weeks = self.company.weeks + AFTER
        agreed = np.empty((len(CONSENT_CHANNELS), weeks, len(self)), dtype=bool)
        for channel, at_first in enumerate(AGREED_AT_FIRST):
            now = self.draw(Stream.CONSENT, -1, channel) < at_first
            for week in range(weeks):
                # The change into the week `since` belongs to the past already.
                u = self.draw(Stream.CONSENT, week - 1, channel) if week else np.ones(len(self))
                now = now ^ (u < np.where(now, WITHDRAWS, AGREES))
                agreed[channel, week] = now
        return agreed

    @cached_property
    def eligible(self) -> Flags:
        """Who could be contacted in each campaign: known and agreed, bool[campaign, n]."""
        campaigns = self.company.campaigns
        return np.array(
            [
                (self.joins < c.week) & self.consents[CHANNEL_OF_TYPE[c.kind], c.week]
                for c in campaigns
            ]
        )

    @cached_property
    def contacted(self) -> Flags:
        """Who is contacted: a random half of those who could be, bool[campaign, n]."""
        drawn = [self.draw(Stream.CONTACT, c.week) < CONTACTED for c in self.company.campaigns]
        return np.array(drawn) & self.eligible


def people(company: Company, first: int, last: int) -> People:
    """Return the customers with numbers ``first <= number < last``."""
    return People(company, np.arange(first, min(last, company.customers), dtype=np.int64))


def still_agrees(agreed: Flags, weeks: int) -> Floats:
    """Return the chance of having agreed some weeks later, given the present state.

    Examples
    --------
    >>> still_agrees(np.array([True, False]), 1).round(6).tolist()
    [0.996, 0.002]
    """
    settled = AGREES / (AGREES + WITHDRAWS)
    memory = (1.0 - AGREES - WITHDRAWS) ** weeks
    return np.asarray(settled + (agreed - settled) * memory)


def _level(u: Floats, shares: tuple[float, ...]) -> Codes:
    return np.searchsorted(np.cumsum(shares)[:-1], u, side="right").astype(np.int8)
