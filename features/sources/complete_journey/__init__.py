"""The Complete Journey: a grocer's year of purchases, coupons and mailers."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path

from features.ingest import Ingested, ingest
from features.origin import again, origin
from features.progress import Report, silent
from features.sources.complete_journey import campaigns, households, mailer, orders
from features.sources.complete_journey.dates import SOURCE
from features.sources.complete_journey.files import opened, paths

PROPERTIES = {
    "store": "text",
    "placement": "text",
    "brand": "text",
    "discount": "integer",
    "coupon_discount": "integer",
}
IMPRESSIONS = 300_000


def ingest_complete_journey(
    home: Path,
    impressions: int = IMPRESSIONS,
    seed: int = 0,
    report: Report = silent,
    folder: Path | None = None,
) -> Ingested:
    """Add The Complete Journey to the log in `home`.

    Parameters
    ----------
    home : Path
    impressions : int
        How many of the mailers' impressions to draw; all of them if there are not as many.
    seed : int
        Chooses which; the same seed gives the same log to the byte.
    report : callable
        Told how far it is, see `features.progress`.
    folder : Path or None
        Where the package's Parquet files lie, if not in the package.

    Raises
    ------
    BadInputError
        The package is not installed, its files are not what they were, or the log in `home`
        belongs to another source.
    """
    made_of = origin(paths(folder), {"impressions": impressions, "seed": seed})
    if (done := again(home, made_of)) is not None:
        return done
    with opened(folder) as database:
        mailers = mailer.past(database)
        drawn = mailers.draw(impressions, seed)
        sampled = (
            f"Of {mailers.total:,} mailer impressions {len(drawn.week):,} were drawn at random "
            f"(seed {seed}); what counts impressions counts those."
        )
        return ingest(
            replace(SOURCE, statements=(*SOURCE.statements, sampled)),
            chain(orders.batches(database), campaigns.batches(database), mailer.batches(drawn)),
            home,
            customers=[households.batch(database)],
            campaigns=[campaigns.described(database)],
            spines={
                "lead": campaigns.leads(database),
                "impression": mailer.spine(drawn, "impression"),
                "placement": mailer.spine(mailer.current(database), "placement"),
            },
            properties=PROPERTIES,
            origin=made_of,
            report=report,
        )
