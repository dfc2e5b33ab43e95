"""A log's small runs merged into their bases, so that it reads as fast as one written at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from features import bucket, contract, manifest
from features.dictionary import Dictionary
from features.log import EventLog
from features.part import BLOCK_ROWS
from features.progress import Report, silent
from features.writing import Writing, merged_index


class Merged(NamedTuple):
    """The log after a merge, and how many runs of its buckets were merged."""

    log: EventLog
    runs: int


def merge(
    home: Path,
    *,
    block_rows: int = BLOCK_ROWS,
    report: Report = silent,
    fault: Callable[[str], None] = lambda _: None,
) -> Merged:
    """Merge every run of the log in `home` into its base; the data stay what they are.

    A block at a time is in memory. Until the end the log stays what it was, and whoever has it
    open goes on reading the old files.

    Parameters
    ----------
    home : Path
    block_rows : int
        Events of a block, see `features.ingest.ingest`.
    report : callable
        Told how far it is, see `features.progress`.
    fault : callable
        Called with each step's name once it is done, so that a test can stop there.

    Raises
    ------
    NoLogError
        There is no log.
    BadInputError
        Another process is writing to it.
    """
    old = manifest.require(home)
    with manifest.writing(home):
        old = manifest.require(home)
        coded = contract.text_columns(old["properties"])
        schema = bucket.schema((*contract.EVENT_COLUMNS, *old["properties"]), coded)
        kinds = Dictionary.load(manifest.log_folder(home) / old["dictionaries"]["kind"]["file"])
        write = Writing(home, schema, kinds, block_rows)
        buckets = []
        for number, entries in enumerate(old["buckets"]):
            buckets.append(write.merged(number, entries, 0))
            report("merging runs", number + 1, len(old["buckets"]))
            fault(f"bucket {number} merged")
        content = old | {"buckets": buckets, "index": merged_index(home, old["index"], 0)}
        fault("files written")
        if content != old:
            manifest.publish(home, content, fault)
            manifest.collect_garbage(home, old, content)
    runs = sum(max(len(entries) - 1, 0) for entries in old["buckets"])
    return Merged(EventLog.open(home), runs)
