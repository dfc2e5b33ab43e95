"""Events as they are made, and in the order of the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.kernel import NULL
from features.sources.simulator.chance import Integers, Stream, key, uniform
from features.sources.simulator.company import DAY, SECOND, STARTS_AT, WEEK, Company
from features.sources.simulator.words import KIND

CODES = ("channel", "item", "category", "campaign_id", "store", "placement", "brand")
NUMBERS = ("amount", "quantity", "discount", "coupon_discount")
PROPERTIES = {
    **dict.fromkeys(("store", "placement", "brand"), "text"),
    **dict.fromkeys(("discount", "coupon_discount"), "integer"),
}
MOST_OF_ONE = 1_000_000
"""Events of one customer that ids have room for."""
WITHIN_ITS_WEEK = ("order", "order_line", "visit", "ticket", "survey")
"""Kinds that probabilities depend on: late ones are known at the end of their week at the latest,
so that whatever a probability depends on is observable when a week begins."""
AT_ONCE = ("impression", "contact", "opportunity", "opportunity_won", "opportunity_lost")
LAG, LONGEST_LAG = 4.0, 45.0
"""Mean of a late event's lag, which is exponential, and its maximum: days."""
_STEP = np.uint64(0xD1342543DE82EF95)


class Pieces:
    """Events of some customers in the order in which they were made."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, Integers, Integers, dict[str, Any]]] = []

    def add(self, kind: str, whose: Integers, occurred_at: Integers, **columns: Any) -> None:
        """Add events of one kind.

        Parameters
        ----------
        kind : str
        whose : ndarray of int64
            Positions of the customers.
        occurred_at : ndarray of int64
            Microseconds UTC.
        **columns : int or ndarray of int
            Codes and numbers; what is not given is missing.
        """
        if len(whose):
            self._pieces.append((KIND[kind], whose, occurred_at, columns))

    def sorted(self, company: Company, numbers: Integers) -> dict[str, NDArray[Any]]:
        """Return the events that were recorded before the end, by customer and time.

        Returns
        -------
        dict of str to ndarray
            ``customer`` (number), ``event`` (number: grows in the order of the rows), the
            instants, ``kind`` and all of `CODES` (int32, -1 missing), `NUMBERS` (int64).
        """
        sizes = [len(piece[1]) for piece in self._pieces]
        total = sum(sizes)
        ends = np.cumsum(sizes)
        whose = _joined([piece[1] for piece in self._pieces])
        occurred = _joined([piece[2] for piece in self._pieces])
        # Equal moments stay in the order in which they were made, which chunks do not change.
        order = np.lexsort((occurred, whose))
        kind = np.repeat(np.array([piece[0] for piece in self._pieces], np.int32), sizes)[order]
        whose, occurred = whose[order], occurred[order]
        sequence = np.arange(total) - np.searchsorted(whose, whose, side="left")
        customer = numbers[whose]
        recorded = _recorded(company, customer, sequence, kind, occurred)
        kept = np.flatnonzero(np.maximum(recorded, occurred) < company.ends_at)
        order = order[kept]
        found: dict[str, NDArray[Any]] = {
            "customer": customer[kept],
            "event": (customer * MOST_OF_ONE + sequence)[kept],
            "occurred_at": occurred[kept],
            "recorded_at": recorded[kept],
            "kind": kind[kept],
        }
        for names, dtype, missing in ((CODES, np.int32, -1), (NUMBERS, np.int64, NULL)):
            for name in names:
                values = np.full(total, missing, dtype=dtype)
                for end, size, piece in zip(ends, sizes, self._pieces, strict=True):
                    if name in piece[3]:
                        values[end - size : end] = piece[3][name]
                found[name] = values[order]
        return found


def _joined(parts: list[Integers]) -> Integers:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _recorded(
    company: Company,
    customer: Integers,
    sequence: Integers,
    kind: NDArray[np.int32],
    occurred: Integers,
) -> Integers:
    """Return when each event became known, microseconds UTC."""
    among = sequence.astype(np.uint64) * _STEP
    u = uniform(among + np.uint64(key(company.seed, Stream.LATE)), customer)
    late = u < company.late
    lag = (1 + (u * 2**20).astype(np.int64) % 20) * SECOND
    days = -LAG * np.log1p(-uniform(among + np.uint64(key(company.seed, Stream.LAG)), customer))
    lag[late] = (np.minimum(days, LONGEST_LAG)[late] * (DAY // SECOND)).astype(np.int64) * SECOND
    recorded = occurred + lag
    within = _is(kind, WITHIN_ITS_WEEK)
    week_ends = occurred + WEEK - (occurred - STARTS_AT) % WEEK
    recorded = np.where(within, np.minimum(recorded, week_ends - SECOND), recorded)
    recorded = np.where(_is(kind, AT_ONCE), occurred, recorded)
    # A redemption is known when its day has ended, as where coupons are counted at night.
    day_ends = occurred + DAY - (occurred - STARTS_AT) % DAY
    recorded = np.where(kind == KIND["redemption"], day_ends - SECOND, recorded)
    return np.asarray(np.maximum(recorded, occurred))


def _is(kind: NDArray[np.int32], names: tuple[str, ...]) -> NDArray[np.bool_]:
    marked = np.zeros(len(KIND), dtype=bool)
    marked[[KIND[name] for name in names]] = True
    return np.asarray(marked[kind])


def row_counts(columns: Mapping[str, NDArray[Any]]) -> int:
    """Return how many events some columns hold."""
    return len(columns["event"])
