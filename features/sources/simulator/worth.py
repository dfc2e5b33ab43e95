"""What customers are worth: the expected orders of a year, by simulating on from what is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from features.sources.simulator import baskets, posterior
from features.sources.simulator.company import week_start
from features.sources.simulator.life import Life
from features.sources.simulator.stream import customer_names

YEAR = 52
FUTURES = 16
SCHEMA = pa.schema(
    [
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("as_of", pa.int64(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("standard_error", pa.float64(), nullable=False),
    ]
)


def worth(life: Life, futures: int = FUTURES, weeks: int = YEAR) -> pa.Table:
    """Return what each known customer's orders of the coming weeks amount to on average, cents.

    Each future is drawn anew from what can be observed now; in it a week counts with its chance
    of an order times the order's expected amount, so that only the path varies.

    Parameters
    ----------
    life : Life
    futures : int
        How many are drawn, at least 2; `standard_error` is that of their mean.
    weeks : int
        At most `company.AFTER` less the weeks of a campaign.
    """
    sums = np.zeros((futures, len(life.who)))
    for number in range(futures):
        salted = replace(life.who, salt=number + 1, since=life.week)
        future = life.branch(salted, weeks)
        for _ in range(weeks):
            chance = posterior.order_now(future)
            sums[number] += chance * baskets.worth(future.history, future.week)
            future.advance()
    whose = np.flatnonzero(life.who.joins < life.week)
    found = sums[:, whose]
    return pa.table(
        {
            "customer_id": customer_names(life.who.numbers[whose]),
            "as_of": np.full(len(whose), week_start(life.week)),
            "value": found.mean(axis=0),
            "standard_error": found.std(axis=0, ddof=1) / np.sqrt(futures),
        },
        schema=SCHEMA,
    )
