"""What can be observed of some customers when a week begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.sources.simulator.chance import Flags, Integers
from features.sources.simulator.people import People
from features.sources.simulator.ways import CATEGORIES, LONGEST

QUARTER, REST = 12, 13
"""90 days are 12 whole weeks and what happened in the week before them after its first day."""
NEVER = -1


class History:
    """Counts of some customers' events, week by week, as far as simulated.

    Every count stands for a window of the feature algebra: 90 days or 28 days before a week's
    beginning, to the microsecond.

    Parameters
    ----------
    who : People
    weeks : int
        How many weeks there is room for.

    Attributes
    ----------
    last_order : ndarray of int64, shape (n,)
        The week of the last order, `NEVER` if there was none.
    survey : ndarray of int64, shape (n,)
        The level of the last answer, see `ways.survey_level`.
    """

    def __init__(self, who: People, weeks: int) -> None:
        n, kinds = len(who), len(CATEGORIES)
        self.who = who
        self._orders = np.zeros((weeks + 1, n), dtype=np.int16)
        self._tickets = np.zeros((weeks + 1, n), dtype=np.int16)
        self._lines = np.zeros((weeks + 1, n, kinds), dtype=np.int16)
        self._late_orders = np.zeros((weeks, n), dtype=bool)
        self._late_tickets = np.zeros((weeks, n), dtype=bool)
        self._late_lines = np.zeros((weeks, n, kinds), dtype=bool)
        self.visited = np.zeros((weeks, n), dtype=bool)
        self.redeemed = np.zeros((len(who.company.campaigns), n), dtype=bool)
        self.last_order: Integers = np.full(n, NEVER, dtype=np.int64)
        self.survey: Integers = np.ones(n, dtype=np.int64)

    def longer(self, who: People, weeks: int) -> History:
        """Return the same history of the same customers, with room for more weeks."""
        room = len(self.visited)
        other = History(who, room + weeks)
        for name, found in vars(self).items():
            if isinstance(found, np.ndarray):
                getattr(other, name)[: len(found)] = found
        return other

    def orders(self, week: int, seen: int | None = None) -> Integers:
        """Return the orders of the 90 days before a week, if there were none from `seen` on."""
        return _quarter(self._orders, self._late_orders, week, week if seen is None else seen)

    def tickets(self, week: int, seen: int | None = None) -> Integers:
        """Return the tickets of the 90 days before a week, if there were none from `seen` on."""
        return _quarter(self._tickets, self._late_tickets, week, week if seen is None else seen)

    def lines(self, week: int, chosen: Integers) -> Integers:
        """Return the lines of each category in the 90 days before a week, int64[m, categories]."""
        begins = max(week - QUARTER, 0)
        found: Integers = self._lines[week, chosen].astype(np.int64) - self._lines[begins, chosen]
        if week >= REST:
            found += self._late_lines[week - REST, chosen]
        return found

    def visits(self, week: int, seen: int | None = None) -> Integers:
        """Return the visits of the 28 days before a week, those before the week `seen` alone."""
        return _sum(self.visited[max(week - 4, 0) : week if seen is None else seen])

    def gone(self, week: int) -> Integers:
        """Return the weeks since the week of the last order, `LONGEST` if there was none."""
        return np.asarray(np.where(self.last_order == NEVER, LONGEST, week - self.last_order))

    def contacts(self, number: int) -> Integers:
        """Return the contacts of the 90 days before a campaign: those of the three before it."""
        return _sum(self.who.contacted[max(number - 3, 0) : number])

    def redemptions(self, number: int) -> Integers:
        """Return the redemptions of the 365 days before a campaign."""
        return _sum(self.redeemed[max(number - 13, 0) : number])

    def close(
        self,
        week: int,
        visited: Flags,
        buyers: Integers,
        baskets: Flags,
        late: Flags,
        complained: Flags,
        complained_late: Flags,
    ) -> None:
        """Enter a week.

        Parameters
        ----------
        visited : ndarray of bool, shape (n,)
        buyers : ndarray of int64, shape (m,)
            Positions of those who ordered.
        baskets : ndarray of bool, shape (m, categories)
        late, complained, complained_late : ndarray of bool, shape (m,)
            Whether the order came after the week's first day; whether there was a ticket, and
            whether it came after that day.
        """
        for counts in (self._orders, self._tickets, self._lines):
            counts[week + 1] = counts[week]
        self._orders[week + 1, buyers] += 1
        self._lines[week + 1, buyers] += baskets
        self._tickets[week + 1, buyers] += complained
        self._late_orders[week, buyers] = late
        self._late_lines[week, buyers] = baskets & late[:, None]
        self._late_tickets[week, buyers] = complained_late
        self.visited[week] = visited
        self.last_order[buyers] = week


def _sum(weeks: Flags) -> Integers:
    return np.asarray(weeks.sum(axis=0, dtype=np.int64))


def _quarter(counts: NDArray[np.int16], late: Flags, week: int, seen: int) -> Integers:
    begins = min(max(week - QUARTER, 0), seen)
    found: Integers = (counts[seen] - counts[begins]).astype(np.int64)
    if REST <= week < REST + seen:
        found += late[week - REST]
    return found
