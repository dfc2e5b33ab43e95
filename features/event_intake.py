"""The events of one ingest on their way: checked, told from those known, written as new pieces."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features import admission, bucket, id_index, incoming, keys, manifest, validate, writing
from features.admission import Admission, Conflict
from features.contract import EVENT_COLUMNS, Batch
from features.dictionary import Dictionary
from features.pieces import Pieces
from features.progress import Report
from features.quarantine import Quarantine, Rejection
from features.source import Source
from features.spill import Spill


class EventIntake:
    """The events of one ingest on their way.

    Parameters
    ----------
    source : Source
    home : Path
    old : dict or None
        The manifest that is to be followed.
    properties : dict of str to {"text", "integer"}
        The log's, new ones included.
    codes : dict of str to Dictionary
        Of each column of codes; texts not seen before are added.
    quarantine : Quarantine
    block_rows : int
    report, fault : callable
        See `features.ingest.ingest`.

    Attributes
    ----------
    added, repeated : int
        What became of the events, once they are taken.
    """

    def __init__(
        self,
        source: Source,
        home: Path,
        old: dict[str, Any] | None,
        properties: dict[str, str],
        codes: dict[str, Dictionary],
        quarantine: Quarantine,
        block_rows: int,
        report: Report,
        fault: Callable[[str], None],
    ) -> None:
        self.source, self.home, self.old = source, home, old
        self.properties, self.codes, self.quarantine = properties, codes, quarantine
        self.block_rows, self.report, self.fault = block_rows, report, fault
        self.folder = manifest.log_folder(home)
        self.schema = bucket.schema((*EVENT_COLUMNS, *properties), tuple(codes))
        self.files: list[str] = []
        self.added = self.repeated = 0

    def take(self, batches: Iterable[Batch]) -> dict[str, Any]:
        """Write the new events; return what the manifest says of all: buckets, index, events."""
        with _folder(self.folder / ".incoming") as folder:
            spill = Spill(folder, self.schema)
            self._spill(batches, spill)
            self.fault("batches spilled")
            admitted = self._admit(spill)
            return {
                "buckets": self._pieces(spill, admitted.kept),
                "index": self._index(spill, admitted.kept),
                "events": self._counted(spill, admitted.kept),
            }

    def _spill(self, batches: Iterable[Batch], spill: Spill) -> None:
        """Check each batch and write its events to the bucket they will go into."""
        done = 0
        with spill:
            for file, batch in enumerate(batches):
                self.files.append(batch.file)
                table, findings = validate.events(batch, self.source, self.properties)
                self.quarantine.add(findings.rejections())
                spill.add(incoming.spilled(table, self.codes, file, spill.rows, spill.wanted))
                done += batch.table.num_rows
                self.report("checking events", done, None)

    def _admit(self, spill: Spill) -> Admission:
        def stored(asked: keys.Keys) -> pa.Table:
            found = [
                Pieces(self.folder, self._entries(number), self.schema).with_ids(ids)
                for number, ids in admission.buckets_asked(asked).items()
            ]
            return pa.concat_tables(found)

        names = ("customer_id", *self.schema.names)
        segments = self._segments()
        admitted = admission.admit(spill.keys(), segments, spill.arrivals, stored, names)
        self.added, self.repeated = int(admitted.kept.sum()), admitted.repeated
        self.quarantine.add(self._rejection(conflict) for conflict in admitted.conflicts)
        return admitted

    def _pieces(self, spill: Spill, kept: NDArray[np.bool_]) -> list[list[manifest.Entry]]:
        """Write the new events of each bucket; return all entries of all buckets."""
        found = []
        write = writing.Writing(self.home, self.schema, self.codes["kind"], self.block_rows)
        for number in range(bucket.N_BUCKETS):
            entries = self._entries(number)
            new = spill.of_bucket(number, kept)
            if new.num_rows:
                chunk = incoming.chunk_of(new, self.schema)
                entries = write.added(number, entries, chunk)
                self.fault(f"bucket {number} added to")
                first = writing.merge_from([entry["rows"] for entry in entries])
                entries = write.merged(number, entries, first)
            found.append(entries)
            self.report("sorting customers", number + 1, bucket.N_BUCKETS)
            self.fault(f"bucket {number} written")
        return found

    def _index(self, spill: Spill, kept: NDArray[np.bool_]) -> list[manifest.Entry]:
        """Write the keys of the new events; return the entries of the whole index."""
        entries = list(self.old["index"]) if self.old else []
        if self.added:
            arrived = spill.keys()
            parts = (
                arrived.take(rows[kept[rows]])
                for bounds in id_index.ranges(len(kept))
                if len(rows := id_index.within(arrived.ids, bounds))
            )
            entries.append(writing.keep_index(self.home, self.added, parts))
            self.fault("index added to")
            first = writing.merge_from([entry["rows"] for entry in entries])
            entries = writing.merged_index(self.home, entries, first)
        return entries

    def _counted(self, spill: Spill, kept: NDArray[np.bool_]) -> dict[str, Any]:
        new: dict[str, Any] = {"rows": self.added, "digest": keys.digest(spill.keys().take(kept))}
        if self.old is None:
            return new
        rows, digest = self.old["events"]["rows"], self.old["events"]["digest"]
        return {"rows": rows + self.added, "digest": keys.digest_sum(digest, new["digest"])}

    def _entries(self, number: int) -> list[manifest.Entry]:
        return list(self.old["buckets"][number]) if self.old else []

    def _segments(self) -> list[keys.Keys]:
        entries = self.old["index"] if self.old else []
        return [id_index.load(self.folder / entry["file"]) for entry in entries]

    def _rejection(self, conflict: Conflict) -> Rejection:
        event = incoming.texts_of(conflict.event, self.codes)
        return Rejection(
            file=self.files[conflict.file],
            row=conflict.row,
            column="event_id",
            value=json.dumps(event["event_id"]),
            problem=f"The log has this event_id with another {conflict.column}.",
            remedy="Give a correction an event_id of its own.",
            content=json.dumps(event, ensure_ascii=False),
        )


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """An empty folder for as long as it is needed; one that a killed ingest left is emptied."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path)
