"""How long a promotion takes to reach the answers, and what it costs those who call meanwhile.

Needs a home with two versions of the model at least. Promotes them in turn while the server
answers a constant load, then makes the one that was champion the champion again.

    python -m benchmarks.swap_under_load --model churn --customer 1001
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.load import Load
from features.settings import Settings
from models.registry import prepare

LONGEST_SECONDS = 30.0


@contextmanager
def server(home: Path) -> Iterator[int]:
    """Run `python -m serving` on a free port; yields the port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "serving", "--port", "0"],
        env=os.environ | {"NEXTBEST_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        if found is None:
            raise SystemExit("The server did not start; run `python -m serving` to see why.")
        yield int(found[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="churn")
    parser.add_argument("--customer", required=True)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--swaps", type=int, default=6)
    given = parser.parse_args()
    home = Settings().home
    registry = prepare(home)
    champion = registry.champion(given.model)
    others = [v.version for v in registry.versions(given.model) if v.version != champion]
    if not others:
        raise SystemExit(f"{given.model!r} has one version only; train it once more.")
    delays: list[float] = []
    with server(home) as port:
        load = Load(
            port,
            f"/v1/scores/{given.model}",
            {"customer_id": given.customer, "explain": 3},
            given.rate,
        )
        load.start()
        try:
            for swap in range(given.swaps):
                time.sleep(1.0)
                version = (others[0], champion)[swap % 2]
                registry.promote(given.model, version)
                delay = load.await_version(version, LONGEST_SECONDS)
                print(f"swap {swap + 1}: version {version} answers after {delay or np.nan:.2f} s")
                delays.append(np.nan if delay is None else delay)
        finally:
            registry.promote(given.model, champion)
            load.stop()
    took = 1e3 * np.array([answer.seconds for answer in load.answers])
    failed = len(load.failures) + sum(answer.status != 200 for answer in load.answers)
    print(f"{len(load.answers)} requests at {given.rate:g}/s, {failed} failed")
    print(f"promotion to answer: median {np.median(delays):.2f} s, longest {np.max(delays):.2f} s")
    print("request: " + ", ".join(f"p{q} {np.percentile(took, q):.2f} ms" for q in (50, 99, 100)))


if __name__ == "__main__":
    main()
