"""How fast features are on this machine: ``python -m benchmarks``, once features are built.

Each figure is the median of several runs on the log under ``NEXTBEST_HOME``, by the same code that
trains and serves.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from features import command
from features.catalog import CATALOG
from features.clock import now
from features.frame import frame
from features.jit import compiled
from features.log import EventLog
from features.online import OnlineFeatures
from features.settings import Settings
from features.shelf import shelf_of
from features.spine import grid
from features.window import DAY

MOMENTS = 12
CUSTOMERS = 500


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0, or 2 where nothing has been ingested or built."""
    argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__).parse_args(argv)
    return command.run(lambda: measure(Settings.from_environment()))


def measure(settings: Settings) -> int:
    """Print how long features take offline and online."""
    log = EventLog.open(settings.home)
    engine = compiled(settings.home / "numba")
    store = shelf_of(settings.home, settings.online_store).open()
    features = [feature for feature in CATALOG if not feature.reads]
    as_of = now(settings.clock, log.source, last_instant=store.last_instant)
    customers = sorted(store.customer_ids())
    rows = grid(customers, [as_of - 28 * DAY * number for number in range(MOMENTS)])
    offline = median(lambda: frame(log, rows, features, engine=engine), runs=3)
    online = OnlineFeatures(store, features, engine)
    asked = customers[:: max(1, len(customers) // CUSTOMERS)]
    single = median(lambda: [online.row(customer, as_of, {}) for customer in asked], runs=5)

    events = sum(kind.rows for kind in log.kinds.values())
    table = Table(
        title=f"{events:,} events, {len(customers):,} customers, {len(features)} features"
    )
    for heading in ("what", "time"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    table.add_row(f"offline: {len(rows):,} rows at {MOMENTS} moments", f"{offline:.2f} s")
    table.add_row("offline: one row", f"{offline / len(rows) * 1e6:.1f} us")
    table.add_row("online: one customer now", f"{single / len(asked) * 1e6:.1f} us")
    Console().print(table)
    return 0


def median(work: Callable[[], object], runs: int) -> float:
    """Median seconds of some runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    sys.exit(main())
