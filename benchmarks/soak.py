"""Whether a server's memory grows, and whether anything fails, in a long run at half of its rate.

    python -m benchmarks.soak --minutes 20

The service's own command line on loopback, a made-up home (`benchmarks.serving.four`), every score
logged. First as fast as the answers come, for the rate; then half of it: scores by id, with reasons
and of sent values, and batches, each compared with the answer at rest; beside them changes of
customers, events and pages of customers. The first quarter warms up; in the rest resident memory is
looked at each second (`benchmarks.memory_slope`).

What customers do is stored, and the store is a file in memory: it has to grow with them. So by the
end of the first quarter all events have been sent once; from then on they are repeated, and changes
take the place of earlier ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.chaos.callers import Call, Caller, Load
from benchmarks.chaos.company import event, values
from benchmarks.memory_slope import BLOCK_SECONDS, slope
from benchmarks.open_loop import Asked, Tally, drive
from benchmarks.overload import BATCH, SINGLE, answered, written
from benchmarks.real_server import MIB, server
from benchmarks.serving.four import fill, publish_all

CUSTOMERS, EVENTS = 40, 300
ROWS = 10
CONNECTIONS = 16
FIRST_SECONDS = 10.0
WARM_SHARE = 0.25
BAR = 5.0
LEAST_MIB = 0.02
KINDS = {"VmRSS": "resident", "RssAnon": "its own", "RssFile": "of files"}


class Look(NamedTuple):
    """A process's memory at a moment: seconds, and MiB by the names of `KINDS`."""

    at: float
    mib: dict[str, float]


def main() -> int:
    """Run, print memory and errors and one RESULT line; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, help="requests a second; by default half of the most")
    given = parser.parse_args()
    seconds = 60 * given.minutes
    if (1 - WARM_SHARE) * seconds < 4 * BLOCK_SECONDS:
        parser.error(f"memory needs {4 * BLOCK_SECONDS / 60 / (1 - WARM_SHARE):.0f} minutes")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        customers = fill(home)
        publish_all(home / "cache")
        with server(home, NEXTBEST_LOG_SERVED="1") as running:
            asked = questions(running.port, customers[:CUSTOMERS])
            most = drive(running.port, asked, float("inf"), FIRST_SECONDS, CONNECTIONS // 2)
            rate = given.rate or most.right / FIRST_SECONDS / 2
            print(f"{most.right / FIRST_SECONDS:,.0f} requests/s at most; {rate:,.0f}/s now")
            beside = others(customers[CUSTOMERS:])
            with watched(running.process, WARM_SHARE * seconds) as (looks, files):
                with Load(running.port, beside):
                    tally = drive(running.port, asked, rate, seconds, CONNECTIONS)
                files.append(of_files(running.process))
    began = looks[0].at
    looks = [look for look in looks if look.at - began >= WARM_SHARE * seconds]
    for kind, words in KINDS.items():
        grew = slope([look.at for look in looks], [look.mib[kind] for look in looks])
        first, last = looks[0].mib[kind], looks[-1].mib[kind]
        print(
            f"memory {words}: {first:.1f} to {last:.1f} MiB, "
            f"{grew.value:+.2f} MiB/h [{grew.low:+.2f}, {grew.high:+.2f}]"
        )
    for name, mib in sorted(files[1].items()):
        if mib - files[0].get(name, 0.0) >= LEAST_MIB:
            print(f"  of them {name}: {files[0].get(name, 0.0):.2f} to {mib:.2f} MiB")
    resident = slope([look.at for look in looks], [look.mib["VmRSS"] for look in looks])
    errors = errors_of(tally, most, beside)
    print(
        f"RESULT soak_minutes={given.minutes:g} requests={tally.sent} "
        f"rate={tally.sent / seconds:.0f} late={tally.unsent} errors={errors} "
        f"slope_mib_h={resident.value:.2f} low={resident.low:.2f} high={resident.high:.2f} "
        f"rss_mib={looks[-1].mib['VmRSS']:.1f}"
    )
    return int(errors > 0 or resident.high >= BAR)


def questions(port: int, customers: list[str]) -> list[Asked]:
    """Return requests of several kinds in turn, with the answers given at rest."""
    bodies: list[dict[str, Any]] = [{"features": values()}]
    for who in customers:
        bodies += [{"customer_id": who}, {"customer_id": who, "explain": 5}, bodies[0]]
    singles = []
    for body in bodies:
        told = json.loads(answered(port, SINGLE, body))
        singles.append(Asked(written(port, SINGLE, body), (told["probability"],)))
    of_one = dict(zip(customers, (each.expected[0] for each in singles[1::3]), strict=True))
    asked = []
    for at in range(0, len(customers), ROWS):
        some = customers[at : at + ROWS]
        body = {"rows": [{"customer_id": who} for who in some]}
        asked += singles[1 + 3 * at : 1 + 3 * (at + ROWS)]
        asked.append(Asked(written(port, BATCH, body), tuple(of_one[who] for who in some)))
    return asked


def others(customers: list[str]) -> list[Caller]:
    """Return callers of what is asked seldom, about customers whom no question is about."""

    def change(n: int) -> Call:
        state = {"attributes": {"shade": ("light", "dark")[n // len(customers) % 2]}}
        return Call(f"/v1/customers/{customers[n % len(customers)]}", state, "PUT")

    def told(n: int) -> Call:
        return Call("/v1/events", {"events": [event(customers, n % EVENTS)]})

    return [
        Caller("events", 2.0, told),
        Caller("changes", 2.0, change),
        Caller("customers", 2.0, lambda n: Call(f"/v1/customers/{customers[n % len(customers)]}")),
        Caller("models", 0.2, lambda n: Call("/v1/models")),
    ]


def errors_of(tally: Tally, first: Tally, beside: list[Caller]) -> int:
    """Return how many requests were not answered as they should be."""
    failed = [tally.sent - tally.right, first.sent - first.right]
    failed += [sum(each.status != 200 for each in caller.seen) for caller in beside]
    for caller, n in zip(beside, failed[2:], strict=True):
        print(f"{caller.name}: {len(caller.seen)} answers, {n} of them failures")
    return sum(failed)


@contextmanager
def watched(process: int, warm: float) -> Iterator[tuple[list[Look], list[dict[str, float]]]]:
    """Look at a process's memory each second while the block runs, and once at its files."""
    looks: list[Look] = [look(process)]
    files: list[dict[str, float]] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(1.0):
            looks.append(look(process))
            if not files and looks[-1].at - looks[0].at >= warm:
                files.append(of_files(process))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield looks, files
    finally:
        stop.set()
        thread.join()


def look(process: int) -> Look:
    """Return a process's memory now."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    said = dict(line.split(":", 1) for line in lines)
    return Look(time.monotonic(), {kind: int(said[kind].split()[0]) * 1024 / MIB for kind in KINDS})


def of_files(process: int) -> dict[str, float]:
    """Return the resident MiB of each file that is mapped into a process, by the file's name."""
    found: dict[str, float] = {}
    name = ""
    for line in Path(f"/proc/{process}/smaps").read_text().splitlines():
        first, *rest = line.split(maxsplit=5)
        if not first.endswith(":"):
            name = Path(rest[4]).name if len(rest) == 5 else ""
        elif first == "Rss:" and name and not name.startswith("["):
            found[name] = found.get(name, 0.0) + int(rest[0]) * 1024 / MIB
    return found


if __name__ == "__main__":
    sys.exit(main())
