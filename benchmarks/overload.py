"""What becomes of the requests, and of the memory, when five times too many come.

    python -m benchmarks.overload --seconds 60 --times 5

The service's own command line on loopback, a made-up home (`benchmarks.serving.four`), customers
asked one by one and by forties in turn. First as fast as the answers come: that is the capacity.
Then `--times` as many a second, from processes of their own, over more connections than the
service answers at once. Each 200 is compared with the answer given at rest.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, zip_longest
from pathlib import Path

from benchmarks.open_loop import Asked, Tally, drive
from benchmarks.real_server import ask, resident_mib, server
from benchmarks.serving.calls import request
from benchmarks.serving.four import fill, publish_all

MODEL = "churn"
SINGLE, BATCH = f"/v1/scores/{MODEL}", f"/v1/scores/{MODEL}/batch"
ROWS = 40
CALLERS = 2
AT_REST = 8
WARM_UP = 5.0


def main() -> int:
    """Measure, print what was counted and one RESULT line; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--times", type=float, default=5.0)
    parser.add_argument("--at-once", type=int, default=64, help="NEXTBEST_MAX_AT_ONCE")
    parser.add_argument("--connections", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        customers = fill(home)
        publish_all(home / "cache")
        with (
            server(home, NEXTBEST_MAX_AT_ONCE=str(given.at_once)) as running,
            ProcessPoolExecutor(CALLERS, multiprocessing.get_context("spawn")) as callers,
        ):
            asked = questions(running.port, customers)
            list(callers.map(abs, range(CALLERS)))  # so that they have started
            cold = drive(running.port, asked, float("inf"), WARM_UP, AT_REST)
            rest = drive(running.port, asked, float("inf"), WARM_UP, AT_REST)
            capacity = rest.right / WARM_UP
            rate = given.times * capacity
            # Memory that the first burst takes is not what grows: it stays for the next one.
            burst(callers, running.port, asked, rate, WARM_UP, given.connections)
            before = resident_mib(running.process)
            with Watched(running.process) as watched:
                tally = burst(callers, running.port, asked, rate, given.seconds, given.connections)
            after = resident_mib(running.process)
            calm = drive(running.port, asked, float("inf"), WARM_UP, AT_REST)
            status, _ = ask(running.port, "/health/ready")
    print(f"capacity {capacity:,.0f} requests/s, {rest.right} right and {rest.sent} in all at rest")
    print(
        f"sent {tally.sent / given.seconds:,.0f}/s of {rate:,.0f}/s; {tally.unsent} found no line"
    )
    print(f"right {tally.right / given.seconds:,.0f}/s; afterwards {calm.right / WARM_UP:,.0f}/s")
    print(f"memory from {min(watched.seen):.0f} to {max(watched.seen):.0f} MiB")
    if tally.seconds:
        cuts = statistics.quantiles(tally.seconds, n=100)
        print(f"a right answer: median {cuts[49] * 1e3:.0f} ms, p99 {cuts[98] * 1e3:.0f} ms")
    wrong = tally.wrong + cold.wrong + rest.wrong + calm.wrong
    failed = tally.other + tally.broken + (status != 200)
    print(
        f"RESULT overload_times={tally.sent / given.seconds / capacity:.2f} "
        f"answers={tally.right} wrong={wrong} "
        f"share_503={(tally.refused + tally.silent) / max(1, tally.sent):.3f} "
        f"without_retry_after={tally.silent} failed={failed} "
        f"rss_before_mib={before:.1f} rss_after_mib={after:.1f}"
    )
    return int(wrong + tally.silent + failed > 0)


def questions(port: int, customers: list[str]) -> list[Asked]:
    """Return requests for single scores and batches in turn, with the answers given at rest."""
    singles, batches = [], []
    for customer in customers:
        body = {"customer_id": customer}
        told = json.loads(answered(port, SINGLE, body))
        singles.append(Asked(written(port, SINGLE, body), (told["probability"],)))
    for at in range(0, len(customers), ROWS):
        body_of_many = {"rows": [{"customer_id": each} for each in customers[at : at + ROWS]]}
        expected = tuple(one.expected[0] for one in singles[at : at + ROWS])
        batches.append(Asked(written(port, BATCH, body_of_many), expected))
    many = batches * -(-len(singles) // len(batches))
    pairs = zip_longest(singles, many[: len(singles)])
    return [each for each in chain.from_iterable(pairs) if each is not None]


def answered(port: int, path: str, body: object) -> bytes:
    """Return the content of an answer that has to be given."""
    status, content = ask(port, path, body)
    if status != 200:
        raise SystemExit(f"{path} is answered by {status}: {content.decode()}")
    return content


def written(port: int, path: str, body: object) -> bytes:
    """Return a request as bytes."""
    return request(port, path, json.dumps(body).encode())


def burst(
    callers: ProcessPoolExecutor, port: int, asked: list[Asked], rate: float, seconds: float,
    connections: int,
) -> Tally:  # fmt: skip
    """Let all callers send together; return what became of it."""
    parts = [
        callers.submit(drive, port, asked, rate / CALLERS, seconds, connections // CALLERS)
        for _ in range(CALLERS)
    ]
    return sum((part.result() for part in parts), Tally())


class Watched:
    """Looks at a process's memory each half second while the block runs."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.seen = [resident_mib(process)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.5):
            self.seen.append(resident_mib(self.process))


if __name__ == "__main__":
    sys.exit(main())
