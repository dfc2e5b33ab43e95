"""The company's events as coded columns, customers by customers, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.sources.simulator.company import Company
from features.sources.simulator.life import Life
from features.sources.simulator.people import People, people
from features.sources.simulator.pieces import Pieces

TOGETHER = 2_048
"""Customers simulated at a time; it changes speed and memory, and no event."""


class Chunk(NamedTuple):
    """All events of some customers.

    Attributes
    ----------
    who : People
    columns : dict of str to ndarray
        By customer and time, see `Pieces.sorted`; what the codes mean says `words.vocabularies`.
    """

    who: People
    columns: dict[str, NDArray[Any]]


def chunks(
    company: Company,
    first: int = 0,
    last: int | None = None,
    together: int = TOGETHER,
    before_week: Callable[[Life], None] | None = None,
) -> Iterator[Chunk]:
    """Yield the events of the customers ``first <= number < last``, some customers at a time.

    Processes may share the work by numbers; nothing depends on where they are cut.

    Parameters
    ----------
    before_week : callable, optional
        Called with each life when a week begins, the end of the last week included.

    Examples
    --------
    >>> company = Company(customers=3, days=210)
    >>> [len(chunk.who) for chunk in chunks(company, together=2)]
    [2, 1]
    """
    ends = company.customers if last is None else min(last, company.customers)
    for begins in range(first, ends, together):
        who = people(company, begins, min(begins + together, ends))
        life, pieces = Life(who, company.weeks), Pieces()
        for _ in range(company.weeks):
            if before_week is not None:
                before_week(life)
            life.advance(pieces)
        if before_week is not None:
            before_week(life)
        yield Chunk(who, pieces.sorted(company, who.numbers))


def customer_names(numbers: NDArray[np.int64]) -> list[str]:
    """Return the ids of customers, those of `features.bulk`; as texts they sort as numbers do.

    Examples
    --------
    >>> customer_names(np.array([7, 4096]))
    ['c000000007', 'c000004096']
    """
    return [f"c{number:09d}" for number in numbers.tolist()]
