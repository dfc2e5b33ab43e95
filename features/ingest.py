"""A source's events into the log: checked, each event_id once, published in one step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features import manifest
from features.contract import Batch
from features.errors import BadInputError
from features.intake import Intake
from features.log import EventLog
from features.part import BLOCK_ROWS
from features.progress import Report, silent
from features.source import Source
from features.spine import Spine


@dataclass(frozen=True)
class Ingested:
    """What came of an ingest.

    Attributes
    ----------
    log : EventLog
        The log as it is now.
    added, repeated, rejected : int
        Events that are new, that were there already, and rows of any kind that were refused.
    changed : bool
        Whether the log is another than before.
    quarantine : Path or None
        The file of rejected rows.
    """

    log: EventLog
    added: int
    repeated: int
    rejected: int
    changed: bool
    quarantine: Path | None


def ingest(
    source: Source,
    batches: Iterable[Batch],
    home: Path,
    *,
    customers: Iterable[Batch] = (),
    campaigns: Iterable[Batch] = (),
    spines: Mapping[str, Spine] | None = None,
    properties: Mapping[str, str] | None = None,
    exported: int | None = None,
    company: Mapping[str, Any] | None = None,
    origin: str | None = None,
    block_rows: int = BLOCK_ROWS,
    report: Report = silent,
    fault: Callable[[str], None] = lambda _: None,
) -> Ingested:
    """Add a source's events to the log in `home`; until the end the log stays what it was.

    Parameters
    ----------
    source : Source
    batches : iterable of Batch
        Events, see `features.contract`. Read once, one batch in memory at a time. An `event_id`
        is known again among all events of the log and of this ingest, whosever they are.
    home : Path
    customers, campaigns : iterable of Batch
        States of customers, each the full state from its `known_at` on; descriptions of
        campaigns, of which the latest ingested counts.
    spines : dict of str to Spine
        Each takes the place of the log's spine of that name.
    properties : dict of str to {"text", "integer"}
        The source's own event columns; in the log they stand in the order of their names.
    exported : int, optional
        The last sequence number of the ledger that the log now holds, see `EventLog.exported`.
    company : dict, optional
        What `features.company.Company` says of the tables it all comes from, as plain values; by
        default what the log says already.
    origin : str, optional
        A digest of all that the batches come from; `features.origin.again` then knows it again.
    block_rows : int
        Events of a block, the part of a bucket that is read at once; it is a little less, since
        no customer is cut in two, and more where a single customer has more.
    report : callable
        Told how far it is, see `features.progress`.
    fault : callable
        Called with each step's name once it is done, so that a test can stop there.

    Raises
    ------
    BadInputError
        A batch is wrong as a whole, the log belongs to another source, another process is
        writing to it, or not one row could be taken. The log is as before.
    """
    with manifest.writing(home):
        work = Intake(source, home, dict(properties or {}), block_rows, report, fault)
        try:
            content = work.run(batches, customers, campaigns, dict(spines or {}), exported)
        finally:
            quarantine = work.close()
        if content is None:
            where = f" Why stands in {quarantine}." if quarantine else ""
            raise BadInputError(
                f"Of {source.name!r} not one row could be taken.{where}",
                remedy="Mend the source and ingest it again.",
            )
        declared = company or (work.old or {}).get("company")
        if declared is not None:
            content["company"] = json.loads(json.dumps(declared))
        changed = content != work.old
        if changed:
            content["sequence"] += 1
        if changed or origin is not None:
            whole = origin is not None and not work.quarantine.rows
            rows = work.events.added + work.events.repeated
            content["origin"] = {"digest": origin, "rows": rows} if whole else None
        if content != work.old:
            manifest.publish(home, content, fault)
            manifest.collect_garbage(home, work.old, content)
    return Ingested(
        EventLog.open(home),
        work.events.added,
        work.events.repeated,
        work.quarantine.rows,
        changed,
        quarantine,
    )
