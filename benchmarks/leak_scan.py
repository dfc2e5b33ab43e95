"""Six leaks planted in The Complete Journey and a simulated company, one by one: ends in RESULT.

    python -m benchmarks.leak_scan [--models lead_score churn]

Both are ingested into a temporary folder. Each model's own training rows are scanned as they are,
where nothing severe may be found, and with each leak planted, which has to be.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.leaks import PLANTS, Rows, scanned
from benchmarks.segments import SOURCES
from features import command
from features.log import EventLog
from models import catalog
from models.spec import ModelSpec
from training.bound import bounded_spine
from training.dataset import build, moment
from training.holdout import splits

MODELS = ("lead_score", "churn", "ctr")
MOST_ROWS = 50_000
"""As many as the scan looks at."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0 where every leak is found and nothing else, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leak_scan", description=__doc__)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    asked = parser.parse_args(argv)
    return command.run(lambda: _measure(asked.models))


def _measure(models: Sequence[str]) -> int:
    planted = found = alarms = 0
    for table in _tables(models):
        began = time.perf_counter()
        seen = scanned([table])
        planted, found = planted + seen.planted, found + seen.leaks_found
        alarms += seen.false_alarms
        missed = ", ".join(each.split(": ")[-1] for each in seen.missed) or "none"
        print(
            f"{table.name}: {len(table.train):,} rows with {len(table.spec.features)} columns; "
            f"{seen.leaks_found} of {seen.planted} planted leaks found, missed: {missed}; "
            f"{seen.false_alarms} severe findings as it is ({time.perf_counter() - began:.0f} s)",
            flush=True,
        )
        for _, finding in seen.alarms:
            print(f"  {finding.column}, {finding.kind}: {finding.evidence}", flush=True)
    print(f"RESULT planted={planted} leaks_found={found} kinds={len(PLANTS)} false_alarms={alarms}")
    return 0 if found == planted and alarms == 0 else 1


def _tables(models: Sequence[str]) -> Iterator[Rows]:
    for source, words in SOURCES.items():
        with tempfile.TemporaryDirectory() as home:
            subprocess.run(
                [sys.executable, "-m", "features", "ingest", *words],
                env={**os.environ, "NEXTBEST_HOME": home},
                check=True,
                stdout=subprocess.DEVNULL,
            )
            log = EventLog.open(Path(home))
            for name in models:
                yield _rows(source, catalog.spec(name), log)


def _rows(source: str, spec: ModelSpec, log: EventLog) -> Rows:
    """A model's rows as training has them, the latest slice held back."""
    now = moment(log, None)
    spine, mature, _ = bounded_spine(spec, log, now, MOST_ROWS)
    data = build(spec, log, now, rows=(spine, mature))
    latest = splits(spec, data)[0]
    return Rows(f"{source}, {spec.name}", spec, data, latest.train, latest.test)


if __name__ == "__main__":
    sys.exit(main())
