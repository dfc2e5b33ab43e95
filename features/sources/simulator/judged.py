"""Rows to be judged: leads, advertisements and opportunities, known without simulating."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.sources.simulator import deals
from features.sources.simulator.adverts import adverts
from features.sources.simulator.company import Company, week_start
from features.sources.simulator.people import STORES, People, people
from features.sources.simulator.stream import customer_names
from features.sources.simulator.truth import HISTORY
from features.sources.simulator.ways import CATEGORIES, PLACEMENTS
from features.sources.simulator.words import PRODUCTS
from features.spine import Spine

TOGETHER = 16_384
ENTITIES = {
    "lead": "lead",
    "held_out": "lead",
    "impression": "impression",
    "placement": "impression",
    "opportunity": "opportunity",
}
"""The spines of a simulated company and what their rows are.

`held_out` are those who could have been contacted and were not, drawn at random.
"""


class _Part(NamedTuple):
    """Rows of one moment: positions of their customers, beginnings and ends of ids, context."""

    whose: NDArray[np.int64]
    week: int
    prefix: str
    suffix: NDArray[Any] | None
    context: dict[str, NDArray[Any]]


def spines(company: Company, last: int | None = None) -> dict[str, Spine]:
    """Return every spine of a company, its rows by customer and time.

    Parameters
    ----------
    company : Company
    last : int, optional
        Rows of the customers with numbers below it alone; with 0 there is no spine.
    """
    ends = company.customers if last is None else min(last, company.customers)
    if not ends:
        return {}
    parts: dict[str, list[Spine]] = {name: [] for name in ENTITIES}
    for first in range(0, ends, TOGETHER):
        who = people(company, first, min(first + TOGETHER, ends))
        for name, found in (
            ("lead", _leads(who, contacted=True)),
            ("held_out", _leads(who, contacted=False)),
            ("impression", _impressions(who, range(HISTORY, company.weeks), "impression")),
            ("placement", _impressions(who, range(company.weeks, company.weeks + 1), "placement")),
            ("opportunity", _opportunities(who)),
        ):
            parts[name].append(_spine(ENTITIES[name], who, list(found)))
    return {name: _joined(several) for name, several in parts.items()}


def _leads(who: People, contacted: bool) -> Iterator[_Part]:
    for campaign in who.company.campaigns:
        if campaign.week < who.company.weeks:
            drawn = who.contacted[campaign.number] == contacted
            whose = np.flatnonzero(who.eligible[campaign.number] & drawn)
            names = np.full(len(whose), campaign.name, dtype=object)
            yield _Part(
                whose, campaign.week, f"lead-{campaign.name}-", None, {"campaign_id": names}
            )


def _impressions(who: People, weeks: range, name: str) -> Iterator[_Part]:
    for week in weeks:
        shown = adverts(who, week, everyone=name == "placement")
        category = np.array(CATEGORIES, dtype=object)[shown.category]
        context = {
            "category": category,
            "placement": np.array(PLACEMENTS, dtype=object)[shown.place],
            "store": np.array(STORES, dtype=object)[who.stores[shown.whose]],
        }
        yield _Part(shown.whose, week, f"{name}-{week}-", "-" + category, context)


def _opportunities(who: People) -> Iterator[_Part]:
    for week in range(1, who.company.weeks + 1):
        found = deals.opened(who, week - 1)
        context = {
            "category": np.array(PRODUCTS, dtype=object)[found.product],
            "price": found.price.astype(np.float64),
        }
        yield _Part(found.whose, week, f"opportunity-{week}-", None, context)


def _spine(entity: str, who: People, parts: list[_Part]) -> Spine:
    names = np.array(customer_names(who.numbers), dtype=object)
    ids = [
        part.prefix + names[part.whose] + ("" if part.suffix is None else part.suffix)
        for part in parts
    ]
    whose = np.concatenate([part.whose for part in parts])
    moments = np.repeat([week_start(p.week) for p in parts], [len(p.whose) for p in parts])
    spine = Spine(
        entity,
        np.concatenate(ids),
        names[whose],
        moments.astype(np.int64),
        {name: np.concatenate([part.context[name] for part in parts]) for name in parts[0].context},
    )
    return spine.take(np.argsort(whose, kind="stable"))


def _joined(parts: list[Spine]) -> Spine:
    return Spine(
        parts[0].entity,
        np.concatenate([part.row_id for part in parts]),
        np.concatenate([part.customer_id for part in parts]),
        np.concatenate([part.as_of for part in parts]),
        {name: np.concatenate([part.context[name] for part in parts]) for name in parts[0].context},
    )
