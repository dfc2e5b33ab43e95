"""A simulated company of any size as a log, without its events ever being texts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from features.bulk import BulkWriter
from features.dictionary import Dictionary
from features.ingest import ingest
from features.log import EventLog
from features.progress import Report, silent
from features.source import Source
from features.sources.simulator import judged, tables
from features.sources.simulator.company import Company
from features.sources.simulator.pieces import CODES, NUMBERS, PROPERTIES
from features.sources.simulator.stream import chunks
from features.sources.simulator.truth_files import TruthFiles
from features.sources.simulator.words import vocabularies

COLUMNS = ("occurred_at", "recorded_at", "kind", *CODES, *NUMBERS)


def write_in_bulk(
    home: Path,
    company: Company,
    source: Source,
    known: TruthFiles | None = None,
    judged_below: int | None = None,
    report: Report = silent,
) -> EventLog:
    """Write a simulated company into an empty home and return its log.

    The events are those of an ordinary ingest but for their ids, which count them.

    Parameters
    ----------
    home : Path
    company : Company
    source : Source
        Customers carry consents if it records them.
    known : TruthFiles, optional
        An open one, to write the truth as well.
    judged_below : int, optional
        Spines hold the rows of the customers with numbers below it alone.

    Raises
    ------
    BadInputError
        There is a log in `home` already.
    """
    consent = source.consent == "recorded"
    words = {name: Dictionary(list(texts)) for name, texts in vocabularies(company).items()}
    hook = None if known is None else known.before_week
    with BulkWriter(home, source, PROPERTIES, words, report=report) as writer:
        for chunk in chunks(company, before_week=hook):
            columns = chunk.columns
            writer.add(columns["customer"], {name: columns[name] for name in COLUMNS})
        states = [batch.table for batch in tables.customers(company, consent)]
        writer.finish(pa.concat_tables(states))
    return ingest(
        source,
        [],
        home,
        campaigns=[tables.campaigns(company)],
        spines=judged.spines(company, judged_below),
        properties=PROPERTIES,
        report=report,
    ).log
