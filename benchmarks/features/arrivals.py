"""Events a second that are durable and counted, in batches of 100, by one server process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.events_server import free_port, make_log, running
from benchmarks.features.measure import show
from benchmarks.ingest_rate import CUSTOMERS, by_http, without_http

CALLERS = 4


def arriving(batches: int, rounds: int) -> dict[str, float]:
    """Print events a second over HTTP and without it; return `ingest_per_s`, that over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_log(home, CUSTOMERS)
        direct, spent = without_http(home, batches)
        port = free_port()
        rates: dict[int, list[float]] = {1: [], CALLERS: []}
        with running(home, port):
            for number in range(rounds):
                for callers, some in rates.items():
                    some.append(by_http(port, f"{number}-{callers}", callers, batches)[0])
    parts = ", ".join(f"{name} {us:.0f}" for name, us in spent.items())
    show("events/s to ledger and store, without HTTP", f"{direct:,.0f}/s", f"us: {parts}")
    for callers, some in rates.items():
        middle = sorted(some)[len(some) // 2]
        each = " ".join(f"{rate:,.0f}" for rate in some)
        show(
            f"events/s over HTTP, {callers} callers, batches of 100",
            f"{middle:,.0f}/s",
            f"rounds {each}",
        )
    return {"ingest_per_s": sorted(rates[CALLERS])[rounds // 2]}
