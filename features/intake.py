"""One ingest on its way: every file of the next manifest, and nothing published."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features import (
    contract,
    manifest,
    validate,
)
from features import customers as states
from features import spines as spine_files
from features.contract import Batch
from features.dictionary import Dictionary
from features.errors import BadInputError
from features.event_intake import EventIntake
from features.progress import Report
from features.quarantine import Findings, Quarantine
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
        self.folder = manifest.log_folder(home)
        self.old = manifest.read(home)
        if self.old is not None:
            _check_same_source(self.old, source, properties)
            properties = {**self.old["properties"], **properties}
        self.properties = dict(sorted(properties.items()))
        self.quarantine = Quarantine(home)
        self.events = EventIntake(
            source,
            home,
            self.old,
            self.properties,
            self._dictionaries(),
            self.quarantine,
            block_rows,
            report,
            fault,
        )

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
        events = self.events.take(batches)
        taken = (
            self.events.added
            or self.events.repeated
            or any(table.num_rows for table in stated + described)
        )
        if self.old is None and not taken:
            return None
        people = self._people(stated)
        old = self.old or {}
        content = {
            **events,
            "format": manifest.FORMAT,
            "sequence": old.get("sequence", 0),
            "source": json.loads(json.dumps(asdict(self.source))),
            "properties": self.properties,
            "exported": exported if exported is not None else old.get("exported"),
            "origin": old.get("origin"),
            "dictionaries": self._keep_dictionaries(),
            "customers": people,
            "campaigns": self._keep("campaigns", self._campaigns(described)),
            "spines": {**old.get("spines", {}), **self._keep_spines(spines)},
        }
        self.fault("files written")
        return content

    def _sound(self, table: pa.Table, findings: Findings) -> pa.Table:
        self.quarantine.add(findings.rejections())
        return table.drop_columns(validate.ROW)

    def _people(self, stated: list[pa.Table]) -> manifest.Entry:
        old = self._old_table("customers")
        if self.old is not None and old is not None and not any(t.num_rows for t in stated):
            states.check_consent(old.schema, self.source)
            return dict(self.old["customers"])
        people = states.merge_states(old, stated)
        states.check_consent(people.schema, self.source)
        return self._keep("customers", people)

    def _dictionaries(self) -> dict[str, Dictionary]:
        old = {} if self.old is None else self.old["dictionaries"]
        folder = self.folder
        return {
            name: Dictionary.load(folder / old[name]["file"]) if name in old else Dictionary()
            for name in contract.text_columns(self.properties)
        }

    def _keep_dictionaries(self) -> dict[str, manifest.Entry]:
        if self.old is not None and not self.events.added:
            # What only refused or repeated events said is not worth a code.
            self.events.codes = self._dictionaries()
        return {
            name: manifest.keep(self.home, f"dictionary-{name}", ".json", codes.save)
            for name, codes in self.events.codes.items()
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
