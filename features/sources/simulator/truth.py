"""The truth about every row that a model judges, as tables."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.sources.simulator import baskets, deals, posterior, ways
from features.sources.simulator.adverts import SHOWN_GIVEN_MAILER, adverts
from features.sources.simulator.chance import Floats, Integers, expected, logistic, noise
from features.sources.simulator.company import CONTACTED, week_start
from features.sources.simulator.life import Life
from features.sources.simulator.stream import customer_names
from features.sources.simulator.ways import CATEGORIES

HISTORY = 13
"""The first week that is judged: 90 days of events lie before it."""
SCHEMA = pa.schema(
    [
        pa.field("entity", pa.string(), nullable=False),
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("as_of", pa.int64(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),
        pa.field("realised", pa.float64(), nullable=False),
        pa.field("treated", pa.bool_()),
        pa.field("propensity", pa.float64()),
        pa.field("probability_treated", pa.float64()),
        pa.field("probability_control", pa.float64()),
        pa.field("value", pa.float64()),
        pa.field("churn_treated", pa.float64()),
        pa.field("churn_control", pa.float64()),
    ]
)
"""`docs/simulator.md` says what each column means."""
MODELS = ("churn", "lead_score", "ctr", "win_probability")


class Row(NamedTuple):
    """What the rows of one moment and kind are called."""

    entity: str
    prefix: str
    whose: Integers
    suffix: Any = ""


def rows(life: Life) -> dict[str, list[pa.Table]]:
    """Return the rows that are judged when the week that comes next begins, by model."""
    judged: dict[str, list[pa.Table]] = {name: [] for name in MODELS}
    week, company = life.week, life.who.company
    campaign = company.running(week)
    starts = campaign is not None and campaign.week == week < company.weeks
    if week >= HISTORY or starts:
        worth, staying = baskets.worth(life.history, week), posterior.no_order(life)
        if week >= HISTORY:
            judged["churn"].append(churn(life, worth, staying))
            judged["ctr"].append(impressions(life))
        if starts:
            judged["lead_score"].append(leads(life, worth, staying))
    if week:
        judged["win_probability"].append(opportunities(life))
    return judged


def churn(life: Life, worth: Floats, staying: posterior.Staying) -> pa.Table:
    """Return the truth about every customer with an order in the last 90 days."""
    who, week = life.who, life.week
    whose = np.flatnonzero((who.joins < week) & (life.history.orders(week) > 0))
    stamp = str(np.datetime64(week_start(week) // 1_000_000, "s"))
    return _table(
        life,
        Row("customer", "", whose, f"@{stamp}"),
        probability=staying.probability[whose],
        realised=staying.realised[whose],
        probability_treated=staying.contacted[whose],
        probability_control=staying.left[whose],
        value=worth[whose],
    )


def leads(life: Life, worth: Floats, staying: posterior.Staying) -> pa.Table:
    """Return the truth about everyone whom the campaign that begins could contact."""
    who = life.who
    campaign = who.company.running(life.week)
    assert campaign is not None
    whose = np.flatnonzero(who.eligible[campaign.number])
    treated = who.contacted[campaign.number][whose]
    size = ways.NOISE["response"]
    contacted, left = (
        expected(margin, size)[whose] for margin in life.response_margins(campaign, noisy=False)
    )
    realised = logistic(np.where(treated, *(m[whose] for m in life.response_margins(campaign))))
    return _table(
        life,
        Row("lead", f"lead-{campaign.name}-", whose),
        probability=np.where(treated, contacted, left),
        realised=realised,
        treated=treated,
        propensity=np.full(len(whose), CONTACTED),
        probability_treated=contacted,
        probability_control=left,
        value=worth[whose],
        churn_treated=staying.contacted[whose],
        churn_control=staying.left[whose],
    )


def impressions(life: Life) -> pa.Table:
    """Return the truth about a week's advertisements; those of the week to come at the end."""
    who, week = life.who, life.week
    coming = week == who.company.weeks
    shown = adverts(who, week, everyone=coming)
    at = np.arange(len(shown.whose)), shown.category
    before = life.history.lines(week, shown.whose)
    margin = baskets.margins(life.history, week, shown.whose, before)[at]
    strength = ways.advert_margin(ways.ways(who.company, week), shown.place, before[at])
    size = ways.NOISE["basket"]
    bought = posterior.order_now(life)[shown.whose] * ways.HOME_STORE
    deviation = noise(baskets.deviations(who, week, shown.whose, shown.category), size)
    ordered = life.order_chance(week)[shown.whose] * ways.HOME_STORE
    named = np.array(CATEGORIES, dtype=object)[shown.category]
    return _table(
        life,
        Row("impression", f"{'placement' if coming else 'impression'}-{week}-", shown.whose,
            "-" + named),
        probability=bought * expected(margin + strength, size),
        realised=ordered * logistic(margin + strength + deviation),
        treated=np.ones(len(shown.whose), dtype=bool),
        propensity=np.full(len(shown.whose), SHOWN_GIVEN_MAILER),
        probability_treated=bought * expected(margin + strength, size),
        probability_control=bought * expected(margin, size),
        value=baskets.PRICES[shown.category] * baskets.level(who)[shown.whose] * baskets.PAID,
    )  # fmt: skip


def opportunities(life: Life) -> pa.Table:
    """Return the truth about the opportunities of the week before."""
    found = deals.opened(life.who, life.week - 1)
    return _table(
        life,
        Row("opportunity", f"opportunity-{life.week}-", found.whose),
        probability=expected(deals.margin(life, life.week, found), ways.NOISE["win"]),
        realised=deals.chance(life, life.week, found),
        value=found.price.astype(np.float64),
    )


def _table(life: Life, row: Row, **columns: NDArray[Any]) -> pa.Table:
    n = len(row.whose)
    names = pa.array(customer_names(life.who.numbers[row.whose]), pa.string())
    suffix = pa.scalar(row.suffix) if isinstance(row.suffix, str) else pa.array(row.suffix)
    given: dict[str, Any] = {
        "entity": pa.repeat(row.entity, n),
        "row_id": pc.binary_join_element_wise(row.prefix, names, suffix, "") if n else names,
        "customer_id": names,
        "as_of": np.full(n, week_start(life.week)),
        **columns,
    }
    return pa.table(
        [
            pa.array(given[field.name], field.type)
            if field.name in given
            else pa.nulls(n, field.type)
            for field in SCHEMA
        ],
        schema=SCHEMA,
    )
