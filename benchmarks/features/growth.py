"""Ten times the events, and a hundred times: time, and the memory of a process of its own.

python -m benchmarks.features.growth HOME NUMBA     (asked by the others; prints JSON)
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.features.company import AS_OF, NUMBA, company
from benchmarks.features.measure import Took, median, peak_bytes, show, show_time
from benchmarks.features.wanted import FEATURES, THREADS
from features.jit import compiled
from features.log import EventLog
from features.snapshots import snapshot_parts

GIB = 2**30
CUSTOMERS_PER_EVENT = 0.1


def streamed(home: Path, numba: Path) -> dict[str, float]:
    """Return rows, seconds and peak memory of a snapshot taken part by part, none of them kept."""
    engine = compiled(numba)
    rows = 0
    seconds, used = time.perf_counter(), time.process_time()
    log = EventLog.open(home)
    for part in snapshot_parts(log, [AS_OF], FEATURES, threads=THREADS, engine=engine):
        rows += part.table().num_rows
    took = {"seconds": time.perf_counter() - seconds, "processor": time.process_time() - used}
    return {"rows": rows, "peak": peak_bytes()} | took


def growing(folder: Path, sizes: Sequence[int], rounds: int) -> dict[str, float]:
    """Print time and memory by size; return `growth_slope` and, of 100 M events, the peak.

    Parameters
    ----------
    folder : Path
        Of the companies.
    sizes : sequence of int
        Events.
    rounds : int
        Repeats, the sizes taking turns; the largest is measured at most twice.
    """
    homes = {n: company(folder, n, int(n * CUSTOMERS_PER_EVENT)).home for n in sizes}
    found: dict[int, list[dict[str, float]]] = {n: [] for n in sizes}
    for number in range(rounds):
        for n in sizes:
            if n <= 10_000_000 or number < 2:
                found[n].append(_in_child(homes[n], folder / NUMBA))
    rounds_of = {n: [Took(o["seconds"], o["processor"]) for o in some] for n, some in found.items()}
    peaks = {n: max(one["peak"] for one in some) / GIB for n, some in found.items()}
    for n in sizes:
        show_time(f"snapshot of {n:,} events in parts, peak {peaks[n]:.2f} GiB", rounds_of[n])
    by_clock, by_processor = (
        float(np.polyfit(np.log(sizes), np.log([median(rounds_of[n])[k] for n in sizes]), 1)[0])
        for k in range(2)
    )
    show("log-log slope of time", f"{by_clock:.2f}", f"by processor time {by_processor:.2f}")
    return {"growth_slope": by_clock, "peak_gib_100m": peaks.get(100_000_000, math.nan)}


def _in_child(home: Path, numba: Path) -> dict[str, float]:
    asked = [sys.executable, "-m", "benchmarks.features.growth", str(home), str(numba)]
    answer = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True)
    return {name: float(value) for name, value in json.loads(answer.stdout).items()}


if __name__ == "__main__":
    print(json.dumps(streamed(*map(Path, sys.argv[1:]))))
