"""A company with known truth: simulated customers whose every probability is stated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from features.contract import Batch
from features.ingest import Ingested, ingest
from features.progress import Report, silent
from features.source import Source
from features.sources.simulator import judged, tables
from features.sources.simulator.company import TIMEZONE, Company
from features.sources.simulator.in_bulk import write_in_bulk
from features.sources.simulator.pieces import PROPERTIES
from features.sources.simulator.stream import Chunk, chunks
from features.sources.simulator.truth_files import TruthFiles, read_truth, truth_folder
from features.sources.simulator.words import vocabularies
from features.sources.simulator.worth import FUTURES

__all__ = [
    "FUTURES",
    "PROPERTIES",
    "Chunk",
    "Company",
    "TruthFiles",
    "chunks",
    "ingest_simulator",
    "read_truth",
    "source",
    "truth_folder",
    "vocabularies",
]


def source(company: Company, consent: bool = True) -> Source:
    """Return what every report made from a simulated company must say.

    Parameters
    ----------
    company : Company
    consent : bool
        Whether customers carry what they agreed to.
    """
    drift = " Customers' ways change at 70 % of the time." if company.drift else ""
    return Source(
        name=company.name,
        currency="EUR",
        timezone=TIMEZONE,
        consent="recorded" if consent else "assumed",
        clocks=2,
        frozen_at=company.ends_at,
        statements=(
            "The company is simulated: decide nothing about real customers by it.",
            f"It has {company.customers:,} customers and {company.weeks} weeks, drawn with seed "
            f"{company.seed}.{drift}",
            "What is true of every judged row is known; see docs/simulator.md.",
        ),
    )


def ingest_simulator(
    home: Path,
    company: Company,
    report: Report = silent,
    *,
    consent: bool = True,
    truth: bool = True,
    futures: int = FUTURES,
    judged_below: int | None = None,
    bulk: bool = False,
) -> Ingested:
    """Add a simulated company to the log in `home`, and its truth beside the log.

    Parameters
    ----------
    home : Path
    company : Company
        Equal companies give the same log to the byte.
    report : callable
        Told how far it is, see `features.progress`.
    consent : bool
        Whether customers carry what they agreed to; if not, consent counts as assumed.
    truth : bool
        Whether to write the truth.
    futures : int
        Futures drawn for what each customer is worth; 0 leaves that out.
    judged_below : int, optional
        Spines and truth hold the customers with numbers below it alone, which are as good as drawn
        at random; 0 leaves both out. By default all.
    bulk : bool
        Whether to leave out what checks a company's own events; for large ones in an empty home.

    Raises
    ------
    BadInputError
        The log in `home` belongs to another source, or there is one and `bulk` needs none.
    """
    stated = source(company, consent)
    with ExitStack() as files:
        wanted = truth and judged_below != 0
        known = files.enter_context(TruthFiles(home, futures, judged_below)) if wanted else None
        if bulk:
            log = write_in_bulk(home, company, stated, known, judged_below, report)
            rows = sum(kind.rows for kind in log.kinds.values())
            return Ingested(log, rows, 0, 0, changed=True, quarantine=None)

        def batches() -> Iterator[Batch]:
            done = 0
            hook = None if known is None else known.before_week
            for chunk in chunks(company, before_week=hook):
                done += len(chunk.who)
                yield tables.events(company, chunk)
                report("simulating customers", done, company.customers)

        return ingest(
            stated,
            batches(),
            home,
            customers=tables.customers(company, consent),
            campaigns=[tables.campaigns(company)],
            spines=judged.spines(company, judged_below),
            properties=PROPERTIES,
            report=report,
        )
