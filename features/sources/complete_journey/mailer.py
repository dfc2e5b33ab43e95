"""Weekly mailers: which category stood where for whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.clock import parse_duration
from features.contract import Batch
from features.errors import BadInputError
from features.sources.complete_journey.dates import FROZEN_AT, STARTS_AT, WEEKS, week_start
from features.sources.complete_journey.files import fetch
from features.spine import Spine

HISTORY = "90d"
PLACEMENTS = {
    "A": "interior page feature",
    "C": "interior page line item",
    "D": "front page feature",
    "F": "back page feature",
    "H": "wrap front feature",
    "J": "wrap interior coupon",
    "L": "wrap back feature",
    "P": "interior page coupon",
    "X": "free on interior page",
    "Z": "free on front page, back page or wrap",
}
"""What the mailers' letters mean, by the data's documentation; "0" is not in the mailer."""

# One placement a (week, store, category): the one with the most entries, of equal ones the first
# letter.
_MAILERS = """
SELECT week, store_id, category, letter
FROM (
    SELECT week, store_id, product_category AS category, mailer_location AS letter,
        row_number() OVER (
            PARTITION BY week, store_id, product_category ORDER BY count(*) DESC, mailer_location
        ) AS place
    FROM promotions JOIN products USING (product_id)
    WHERE mailer_location <> '0' AND product_category IS NOT NULL AND week >= $first_week
    GROUP BY week, store_id, product_category, mailer_location
)
WHERE place = 1
ORDER BY week, store_id, category
"""

# A household's store: of the orders in the 90 days before, the most; then the latest used; then
# the smallest number.
_STORES = """
SELECT week, household_id, store_id
FROM (
    SELECT week, household_id, store_id, row_number() OVER (
        PARTITION BY week, household_id ORDER BY count(*) DESC, max(moment) DESC, store_id
    ) AS place
    FROM (
        SELECT DISTINCT basket_id, household_id, store_id,
            epoch_us(transaction_timestamp) AS moment
        FROM transactions
    ) JOIN (
        SELECT unnest($weeks) AS week, unnest($moments) AS as_of
    ) ON moment >= as_of - $history AND moment < as_of
    GROUP BY week, household_id, store_id
)
WHERE place = 1
ORDER BY week, household_id
"""


class Impressions(NamedTuple):
    """Categories as they stood before households: one row each.

    Attributes
    ----------
    week, household, store : ndarray of int64
    as_of : ndarray of int64
        When it is judged, microseconds UTC.
    category, placement : ndarray of str
    """

    week: NDArray[np.int64]
    household: NDArray[np.int64]
    store: NDArray[np.int64]
    as_of: NDArray[np.int64]
    category: NDArray[Any]
    placement: NDArray[Any]


def past(database: Any) -> Enumeration:
    """Return all impressions of the weeks that have 90 days of data before them.

    A household sees the mailer of the store it used most in the 90 days before the week, and is
    judged when the week begins.
    """
    first = STARTS_AT + parse_duration(HISTORY)
    return Enumeration(
        database, {week: week_start(week) for week in WEEKS if week_start(week) >= first}
    )


def current(database: Any) -> Impressions:
    """Return the latest week's mailer for each household, judged when the data end."""
    latest = Enumeration(database, {WEEKS[-1]: FROZEN_AT})
    return latest.rows(np.arange(latest.total))


class Enumeration:
    """All impressions of some weeks, none of them made before it is asked for.

    Their order is fixed: by week, household and category.

    Parameters
    ----------
    database : DuckDB connection
    judged : dict of int to int
        For each week the moment at which its rows are judged, microseconds UTC.

    Attributes
    ----------
    total : int
        How many there are.
    """

    def __init__(self, database: Any, judged: dict[int, int]) -> None:
        self._judged = judged
        mailers = fetch(database, _MAILERS, first_week=min(judged))
        self._category, self._letter = _texts(mailers["category"]), _texts(mailers["letter"])
        self._stores = fetch(
            database,
            _STORES,
            weeks=list(judged),
            moments=list(judged.values()),
            history=parse_duration(HISTORY),
        )
        mailer = _key(mailers)
        key = _key(self._stores)
        self._first = np.searchsorted(mailer, key, side="left")
        counts = np.searchsorted(mailer, key, side="right") - self._first
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts
        self.total = int(self._ends[-1]) if len(counts) else 0

    def draw(self, size: int, seed: int) -> Impressions:
        """Return a random sample without replacement; everything if there is not as much.

        Raises
        ------
        BadInputError
            `size` or `seed` is negative.
        """
        for name, value in (("impressions", size), ("seed", seed)):
            if value < 0:
                raise BadInputError(
                    f"{name} was given as {value}.", remedy="Give a whole number of 0 or more."
                )
        if size >= self.total:
            return self.rows(np.arange(self.total))
        random = np.random.default_rng(seed)
        return self.rows(np.sort(random.choice(self.total, size, replace=False, shuffle=False)))

    def rows(self, chosen: NDArray[np.int64]) -> Impressions:
        """Return the impressions that stand at some places of the order."""
        seen_by = np.searchsorted(self._ends, chosen, side="right")
        shown = self._first[seen_by] + chosen - self._starts[seen_by]
        week, household, store = (
            self._stores[name].to_numpy()[seen_by] for name in ("week", "household_id", "store_id")
        )
        as_of = np.array([self._judged.get(n, 0) for n in range(WEEKS[-1] + 1)], dtype=np.int64)
        placements = np.array([PLACEMENTS[letter] for letter in self._letter], dtype=object)
        return Impressions(
            week, household, store, as_of[week], self._category[shown], placements[shown]
        )


def batches(drawn: Impressions) -> Iterator[Batch]:
    """Yield impressions as events: what a household saw when the week began."""
    yield Batch(
        "promotions.parquet (mailers)",
        pa.table(
            {
                "event_id": _ids("impression", drawn),
                "customer_id": drawn.household,
                "kind": ["impression"] * len(drawn.week),
                "occurred_at": drawn.as_of,
                "channel": ["mailer"] * len(drawn.week),
                "category": pa.array(drawn.category, pa.string()),
                "store": drawn.store,
                "placement": pa.array(drawn.placement, pa.string()),
            }
        ),
    )


def spine(drawn: Impressions, name: str) -> Spine:
    """Return impressions as rows to be judged, each at its own moment; `name` begins their ids."""
    return Spine(
        "impression",
        np.array(_ids(name, drawn), dtype=object),
        _as_text(drawn.household),
        drawn.as_of,
        {
            "category": drawn.category,
            "placement": drawn.placement,
            "store": _as_text(drawn.store),
        },
    )


def _ids(name: str, drawn: Impressions) -> list[str]:
    return [
        f"{name}-{week}-{household}-{category}"
        for week, household, category in zip(
            drawn.week.tolist(), drawn.household.tolist(), drawn.category, strict=True
        )
    ]


def _key(table: pa.Table) -> NDArray[np.int64]:
    """One number a (week, store), in the order of the two."""
    store = table["store_id"].to_numpy()
    return np.asarray(table["week"].to_numpy() * 1_000_000 + store, dtype=np.int64)


def _texts(column: pa.ChunkedArray) -> NDArray[Any]:
    flat = column.combine_chunks().dictionary_encode()
    return np.asarray(np.array(flat.dictionary.to_pylist(), dtype=object)[flat.indices.to_numpy()])


def _as_text(numbers: NDArray[np.int64]) -> NDArray[Any]:
    distinct, rows = np.unique(numbers, return_inverse=True)
    return np.asarray(np.array([str(number) for number in distinct], dtype=object)[rows])
