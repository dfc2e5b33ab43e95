"""The company that is simulated: its size, its calendar and its campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from features.clock import parse_instant
from features.errors import BadInputError

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY
STARTS_AT = parse_instant("2024-04-01T00:00:00Z")
"""A Monday; every week of the company begins at a Monday's midnight UTC."""
TIMEZONE = "Europe/Berlin"
FEWEST_DAYS = 210
CAMPAIGN_WEEKS = 4
AFTER = 56
"""Weeks after the end that are still known to the calendar, for what customers are worth."""


class Campaign(NamedTuple):
    """Four weeks in which whoever was drawn is contacted on the first day.

    Attributes
    ----------
    number : int
        From 0; its id is the number after that.
    week : int
        The week at whose beginning it starts.
    kind : int
        Position in `CAMPAIGN_TYPES`.
    """

    number: int
    week: int
    kind: int

    @property
    def name(self) -> str:
        """Its id."""
        return str(self.number + 1)

    @property
    def starts_at(self) -> int:
        """When contacts are made, microseconds UTC."""
        return STARTS_AT + self.week * WEEK

    @property
    def ends_at(self) -> int:
        """The first moment after it, microseconds UTC."""
        return self.starts_at + CAMPAIGN_WEEKS * WEEK


CAMPAIGN_TYPES = ("Type A", "Type B", "Type C")
CAMPAIGN_CHANNELS = ("coupon mailing", "email", "coupon mailing")
CAMPAIGN_COSTS = (60, 2, 60)
"""Minor units a contact."""
CONTACTED = 0.5
"""Chance of being contacted, of those who agreed to the campaign's channel: drawn at random."""


@dataclass(frozen=True)
class Company:
    """What is simulated; equal companies have equal events.

    Parameters
    ----------
    customers : int
    days : int
        Whole weeks of it are simulated.
    seed : int
    drift : bool
        Whether customers' ways change for good at 70 % of the time.
    late : float
        Share of events that become known late.

    Raises
    ------
    BadInputError
        There are no customers, too few days, or the share is none.
    """

    customers: int = 5_000
    days: int = 728
    seed: int = 0
    drift: bool = False
    late: float = 0.03

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("customers", self.customers, 1, 99_999_999),
            ("days", self.days, FEWEST_DAYS, 7_300),
            ("seed", self.seed, 0, 2**63 - 1),
            ("late", self.late, 0, 1),
        ):
            if not least <= value <= most:
                raise BadInputError(
                    f"{name} was given as {value}.",
                    remedy=f"Give a number from {least:,} to {most:,}.",
                )

    @property
    def name(self) -> str:
        """What tells this company from every other, so that no log mixes two of them.

        Examples
        --------
        >>> Company(seed=7).name
        'simulator-5000-104w-seed7'
        """
        late = "" if self.late == Company.late else f"-late{self.late:g}"
        drift = "-drift" if self.drift else ""
        return f"simulator-{self.customers}-{self.weeks}w-seed{self.seed}{drift}{late}"

    @property
    def weeks(self) -> int:
        """How many weeks have happened."""
        return self.days // 7

    @property
    def ends_at(self) -> int:
        """When the data end, microseconds UTC."""
        return STARTS_AT + self.weeks * WEEK

    @property
    def drift_week(self) -> int:
        """The first week in which customers' ways are other than before."""
        return int(0.7 * self.weeks) if self.drift else self.weeks + AFTER + 1

    def drifted(self, week: int) -> bool:
        """Return whether a week lies after the change."""
        return week >= self.drift_week

    @cached_property
    def campaigns(self) -> tuple[Campaign, ...]:
        """Every campaign of the calendar: one every four weeks, one of them open at the end."""
        first = 8 + (self.weeks - 2) % CAMPAIGN_WEEKS
        starts = range(first, self.weeks + AFTER, CAMPAIGN_WEEKS)
        return tuple(Campaign(n, week, n % 3) for n, week in enumerate(starts))

    def running(self, week: int) -> Campaign | None:
        """Return the campaign of a week; None before the first."""
        number = (week - self.campaigns[0].week) // CAMPAIGN_WEEKS
        return self.campaigns[number] if 0 <= number < len(self.campaigns) else None


def week_start(week: int) -> int:
    """Return when a week begins, microseconds UTC."""
    return STARTS_AT + week * WEEK
