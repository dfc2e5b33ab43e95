"""One ingest on its way: every file of the next manifest, and nothing published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features import bucket, contract, manifest, merge, part, validate
from features import customers as states
from features import spines as spine_files
from features.contract import Batch
from features.dictionary import Dictionary
from features.errors import BadInputError
from features.pieces import Pieces
from features.progress import Report
from features.quarantine import Findings, Quarantine, Rejection
from features.source import Source
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
        self.old = manifest.read(home)
        self.added = self.repeated = 0
        if self.old is not None:
            _check_same_source(self.old, source, properties)
            properties = {**self.old["properties"], **properties}
        self.properties = dict(sorted(properties.items()))
        self.coded = contract.text_columns(self.properties)
        self.schema = bucket.schema((*contract.EVENT_COLUMNS, *self.properties), self.coded)
        self.rows = merge.with_customers(self.schema)
        self.codes = self._dictionaries()
        self.spill = merge.spill_schema(self.rows)
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
    ) -> dict[str, Any] | None:
        """Write every file but the manifest; return its content, None if nothing was taken."""
        for name, spine in spines.items():
            spine_files.check(name, spine)
        stated = [self._sound(*validate.customers(batch, self.source)) for batch in customers]
        described = [self._sound(*validate.campaigns(batch, self.source)) for batch in campaigns]
        with _folder(manifest.log_folder(self.home) / ".incoming") as folder:
            self._spill(batches, folder)
            self.fault("batches spilled")
            buckets, seen = self._merge(folder)
        taken = self.added or self.repeated or any(table.num_rows for table in stated + described)
        if self.old is None and not taken:
            return None
        people = states.merge_states(self._old_table("customers"), stated)
        states.check_consent(people, self.source)
        content = {
            "format": manifest.FORMAT,
            "sequence": self.old["sequence"] if self.old else 0,
            "source": json.loads(json.dumps(asdict(self.source))),
            "properties": self.properties,
            "buckets": buckets,
            "dictionaries": self._keep_dictionaries(),
            "customers": self._keep("customers", people),
            "first_seen": self._keep("first_seen", seen),
            "campaigns": self._keep("campaigns", self._campaigns(described)),
            "spines": {**(self.old["spines"] if self.old else {}), **self._keep_spines(spines)},
        }
        self.fault("files written")
        return content

    def _sound(self, table: pa.Table, findings: Findings) -> pa.Table:
        self.quarantine.add(findings.rejections())
        return table.drop_columns(validate.ROW)

    def _spill(self, batches: Iterable[Batch], folder: Path) -> None:
        """Check each batch and write its events to the bucket they will go into."""
        done = 0
        with ExitStack() as open_files:
            writers = [
                open_files.enter_context(pa.ipc.new_file(folder / f"{number}.arrow", self.spill))
                for number in range(bucket.N_BUCKETS)
            ]
            for file, batch in enumerate(batches):
                self.files.append(batch.file)
                table, findings = validate.events(batch, self.source, self.properties)
                self.quarantine.add(findings.rejections())
                rows = merge.spilled(table, self.codes, file, self.spill)
                for writer, part in zip(writers, merge.by_bucket(rows), strict=True):
                    writer.write_table(part)
                done += batch.table.num_rows
                self.report("checking events", done, None)

    def _merge(self, folder: Path) -> tuple[list[list[manifest.Entry]], pa.Table]:
        entries: list[list[manifest.Entry]] = []
        old_seen = self._old_table("first_seen")
        seen = [] if old_seen is None else [old_seen]
        for number in range(bucket.N_BUCKETS):
            with pa.memory_map(str(folder / f"{number}.arrow")) as stream:
                new = pa.ipc.open_file(stream).read_all()
                entry = self.old["buckets"][number] if self.old else []
                merged = merge.merge(self._old_bucket(entry), new, self.rows)
            self.added += merged.added
            self.repeated += merged.repeated
            self.quarantine.add(self._rejection(conflict) for conflict in merged.conflicts)
            if merged.table is not None:
                table = merged.table
                seen.append(merge.first_seen(table))
                entry = [self._keep_part(number, table)]
            entries.append(entry)
            self.report("sorting customers", number + 1, bucket.N_BUCKETS)
            self.fault(f"bucket {number} written")
        return entries, states.merge_first_seen(seen)

    def _rejection(self, conflict: merge.Conflict) -> Rejection:
        event = merge.texts_of(conflict.event, self.codes)
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
        folder = manifest.log_folder(self.home)
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

    def _old_bucket(self, entries: list[manifest.Entry]) -> pa.Table | None:
        if not entries:
            return None
        return Pieces(manifest.log_folder(self.home), entries, self.schema).everything()

    def _keep_part(self, number: int, table: pa.Table) -> manifest.Entry:
        people, events = merge.split(table)
        blocks: list[list[int]] = []

        def write(path: Path) -> None:
            writer = part.Writer(path, self.schema)
            offsets = people.offsets
            for first, end in part.cuts(people.counts, self.block_rows):
                rows = events.slice(offsets[first], offsets[end] - offsets[first])
                writer.write(people.counts[first:end], rows)
            writer.close()
            blocks.extend(writer.blocks)

        entry = manifest.keep(self.home, f"bucket-{number:02d}", ".parquet", write)
        names = manifest.keep(
            self.home, f"people-{number:02d}", ".arrow", partial(part.write_people, people)
        )
        counted = merge.counted(table, self.codes["kind"])
        return entry | counted | {"people": names, "blocks": blocks}

    def _old_table(self, name: str) -> pa.Table | None:
        if self.old is None:
            return None
        return pq.read_table(manifest.log_folder(self.home) / self.old[name]["file"])

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
