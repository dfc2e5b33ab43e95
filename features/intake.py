"""One ingest on its way: every file of the next manifest, and nothing published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features import (
    admission,
    bucket,
    contract,
    id_index,
    incoming,
    keys,
    manifest,
    validate,
    writing,
)
from features import customers as states
from features import spines as spine_files
from features.admission import Admission, Conflict
from features.contract import Batch
from features.dictionary import Dictionary
from features.errors import BadInputError
from features.pieces import Pieces
from features.progress import Report
from features.quarantine import Findings, Quarantine, Rejection
from features.source import Source
from features.spill import Spill
from features.spine import Spine


class Intake:
    """One ingest on its way: what it found, and the files it has written so far."""

    def __init__(
        self,
        source: Source,
        home: Path,
        properties: dict[str, str],
        block_rows: int,
        report: Report,
        fault: Callable[[str], None],
    ) -> None:
        self.source, self.home, self.report, self.fault = source, home, report, fault
        self.block_rows = block_rows
        self.folder = manifest.log_folder(home)
        self.old = manifest.read(home)
        self.added = self.repeated = 0
        if self.old is not None:
            _check_same_source(self.old, source, properties)
            properties = {**self.old["properties"], **properties}
        self.properties = dict(sorted(properties.items()))
        self.coded = contract.text_columns(self.properties)
        self.schema = bucket.schema((*contract.EVENT_COLUMNS, *self.properties), self.coded)
        self.codes = self._dictionaries()
        self.missing = keys.missing_values(self.schema)
        self.files: list[str] = []
        self.quarantine = Quarantine(home)

    def close(self) -> Path | None:
        """End the quarantine; return its file, None if nothing was rejected."""
        return self.quarantine.close()

    def run(
        self,
        batches: Iterable[Batch],
        customers: Iterable[Batch],
        campaigns: Iterable[Batch],
        spines: dict[str, Spine],
        exported: int | None,
    ) -> dict[str, Any] | None:
        """Write every file but the manifest; return its content, None if nothing was taken."""
        for name, spine in spines.items():
            spine_files.check(name, spine)
        stated = [self._sound(*validate.customers(batch, self.source)) for batch in customers]
        described = [self._sound(*validate.campaigns(batch, self.source)) for batch in campaigns]
        with _folder(self.folder / ".incoming") as folder:
            spill = Spill(folder, self.schema)
            self._spill(batches, spill)
            self.fault("batches spilled")
            admitted = self._admit(spill)
            buckets = self._pieces(spill, admitted.kept)
            index = self._index(spill, admitted.kept)
            events = self._counted(spill, admitted.kept)
        taken = self.added or self.repeated or any(table.num_rows for table in stated + described)
        if self.old is None and not taken:
            return None
        people = self._people(stated)
        content = {
            "format": manifest.FORMAT,
            "sequence": self.old["sequence"] if self.old else 0,
            "source": json.loads(json.dumps(asdict(self.source))),
            "properties": self.properties,
            "buckets": buckets,
            "index": index,
            "events": events,
            "exported": exported if exported is not None else (self.old or {}).get("exported"),
            "dictionaries": self._keep_dictionaries(),
            "customers": people,
            "campaigns": self._keep("campaigns", self._campaigns(described)),
            "spines": {**(self.old["spines"] if self.old else {}), **self._keep_spines(spines)},
        }
        self.fault("files written")
        return content

    def _sound(self, table: pa.Table, findings: Findings) -> pa.Table:
        self.quarantine.add(findings.rejections())
        return table.drop_columns(validate.ROW)

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

    def _people(self, stated: list[pa.Table]) -> manifest.Entry:
        old = self._old_table("customers")
        if self.old is not None and old is not None and not any(t.num_rows for t in stated):
            states.check_consent(old.schema, self.source)
            return dict(self.old["customers"])
        people = states.merge_states(old, stated)
        states.check_consent(people.schema, self.source)
        return self._keep("customers", people)

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

    def _dictionaries(self) -> dict[str, Dictionary]:
        old = {} if self.old is None else self.old["dictionaries"]
        folder = self.folder
        return {
            name: Dictionary.load(folder / old[name]["file"]) if name in old else Dictionary()
            for name in self.coded
        }

    def _keep_dictionaries(self) -> dict[str, manifest.Entry]:
        if self.old is not None and not self.added:
            # What only refused or repeated events said is not worth a code.
            self.codes = self._dictionaries()
        return {
            name: manifest.keep(self.home, f"dictionary-{name}", ".json", codes.save)
            for name, codes in self.codes.items()
        }

    def _old_table(self, name: str) -> pa.Table | None:
        if self.old is None:
            return None
        return pq.read_table(self.folder / self.old[name]["file"])

    def _campaigns(self, described: list[pa.Table]) -> pa.Table:
        old = self._old_table("campaigns")
        tables = [*([] if old is None else [old]), *described]
        rows = {row["campaign_id"]: row for table in tables for row in table.to_pylist()}
        return pa.Table.from_pylist([rows[name] for name in sorted(rows)], contract.CAMPAIGNS)

    def _keep(self, name: str, table: pa.Table) -> manifest.Entry:
        entry = manifest.keep(
            self.home,
            name,
            ".parquet",
            partial(pq.write_table, table, compression="zstd"),
        )
        return entry | {"rows": table.num_rows}

    def _keep_spines(self, spines: dict[str, Spine]) -> dict[str, manifest.Entry]:
        return {
            name: self._keep(f"spine-{name}", spine_files.table_of(spine))
            | {"entity": spine.entity}
            for name, spine in spines.items()
        }


def _check_same_source(old: dict[str, Any], source: Source, properties: dict[str, str]) -> None:
    for name in ("name", "currency", "timezone"):
        if old["source"][name] != getattr(source, name):
            raise BadInputError(
                f"The log's {name} is {old['source'][name]!r}, this source's is "
                f"{getattr(source, name)!r}.",
                remedy="Ingest it into a home of its own (NEXTBEST_HOME).",
            )
    for name, kind in properties.items():
        if old["properties"].get(name, kind) != kind:
            raise BadInputError(
                f"The log's property {name!r} is {old['properties'][name]}, this source's {kind}.",
                remedy="Declare it as before, or give it another name.",
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
