"""python -m serving forget: erase a customer from the log of scores, or all that is old."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from features.clock import parse_instant
from features.served import ServedStore

if TYPE_CHECKING:
    from serving.settings import ServingSettings


def run(customer: str | None, before: str | None, settings: ServingSettings) -> int:
    """Erase, and print how much; returns 0.

    Parameters
    ----------
    customer : str or None
        Whose scores.
    before : str or None
        A date or time: what was served before it; blocks that reach beyond it stay.
    settings : ServingSettings

    Raises
    ------
    BadInputError
        `before` is no date.
    DatabaseError
        The database does not answer.
    """
    with closing(ServedStore.open(settings.home, settings.database_url or None)) as store:
        if customer is not None:
            print(f"{store.erase(customer):,} logged scores of the customer erased.")
        if before is not None:
            deleted = store.delete_before(parse_instant(before, "UTC"))
            print(f"{deleted:,} blocks of logged scores deleted.")
    return 0
