"""Events a second that one server process writes durably and counts, by HTTP and without it.

    python -m benchmarks.ingest_rate

Batches of 100, from one caller and from several; the figures of the disk's own sync stand beside.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.events_server import PROPERTIES, call, fill, free_port, make_log, running
from features.arrival import EventCheck
from features.ledger import Ledger
from features.ledger_entry import Entry
from serving.received.lines import Taken, check_into, sent_events

SIZE = 100
CUSTOMERS = 5_000
NOW = 1_700_000_000_000_000


def bodies(prefix: str, count: int) -> list[bytes]:
    """Return requests of new events of known and unknown customers."""
    return [
        json.dumps({"events": [event(f"{prefix}-{n}-{k}", n * SIZE + k) for k in range(SIZE)]})
        .encode()
        for n in range(count)
    ]  # fmt: skip


def event(event_id: str, number: int) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "customer_id": f"c{number * 7919 % CUSTOMERS}",
        "kind": "order",
        "occurred_at": NOW + number,
        "amount": 1999,
        "quantity": 3,
        "channel": "web",
        "item": f"item-{number % 300}",
        "store": "north",
        "discount": 5,
    }


def sync_ms(folder: Path) -> float:
    """Return the median milliseconds of making one page durable."""
    took = []
    with (folder / "page").open("wb", buffering=0) as stream:
        for _ in range(100):
            started = time.perf_counter()
            stream.write(b"x" * 4096)
            os.fdatasync(stream.fileno())
            took.append(time.perf_counter() - started)
    return 1e3 * statistics.median(took)


def without_http(home: Path, count: int) -> tuple[float, dict[str, float]]:
    """Return events a second, and where the microseconds of an event go."""
    spent = {"decode and check": 0.0, "commit": 0.0, "online store": 0.0}
    sent = bodies("direct", count)
    check = EventCheck(PROPERTIES)
    with closing(Ledger.open(home)) as ledger, closing(fill(home, ledger)) as store:
        for body in sent:
            marks = [time.perf_counter()]
            taken = Taken([], [], [])
            check_into(taken, check, sent_events(body), slice(None), 2**60)
            marks.append(time.perf_counter())
            ledger.commit([Entry(taken.events)])
            marks.append(time.perf_counter())
            store.catch_up(ledger)
            marks.append(time.perf_counter())
            for part, begun, ended in zip(spent, marks, marks[1:], strict=False):
                spent[part] += ended - begun
    events = count * SIZE
    return events / sum(spent.values()), {n: 1e6 * s / events for n, s in spent.items()}


def by_http(port: int, prefix: str, callers: int, count: int) -> tuple[float, list[float]]:
    """Return events a second, and the seconds of each request."""
    took: list[float] = []

    def send(caller: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            for body in prepared[caller]:
                started = time.perf_counter()
                status, answer = call(connection, "POST", "/v1/events", body)
                took.append(time.perf_counter() - started)
                assert (status, answer["added"]) == (200, SIZE), answer

    each = count // callers
    prepared = [bodies(f"{prefix}-{caller}", each) for caller in range(callers)]
    threads = [threading.Thread(target=send, args=(caller,)) for caller in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return callers * each * SIZE / (time.perf_counter() - started), took


def cpu_seconds(port: int) -> float:
    """Return the processor time that the server has taken, as it says itself."""
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    return float(text.split("\nprocess_cpu_seconds_total ")[1].split()[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=300, help="of each measurement")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_log(home, CUSTOMERS)
        print(f"sync of a page: {sync_ms(home):.2f} ms")
        rate, spent = without_http(home, given.batches)
        parts = ", ".join(f"{name} {us:.1f}" for name, us in spent.items())
        print(f"ledger and store: {rate:,.0f} events/s (us an event: {parts})")
        port = free_port()
        with running(home, port):
            for callers in (1, 4, 16):
                before = cpu_seconds(port)
                rate, took = by_http(port, f"http{callers}", callers, given.batches)
                cpu = (cpu_seconds(port) - before) / len(took) / SIZE
                middle, tail = (1e3 * statistics.quantiles(took, n=100)[q] for q in (49, 98))
                print(
                    f"HTTP, {callers:2} callers: {rate:,.0f} events/s; "
                    f"request p50 {middle:.1f} ms, p99 {tail:.1f} ms; "
                    f"server's processor time {1e6 * cpu:.0f} us an event"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
