"""Features against peers, limits and scale: one line a measurement, and last RESULT.

    python -m benchmarks.features --environments .venv-peers [--size small]

``--size small`` takes a tenth of everything and leaves 100 M events out.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.features import arrivals, growth, offline, single, spines
from benchmarks.features.company import NUMBA, company
from features import command
from features.jit import Compiled, compiled
from features.settings import Settings

FIGURES = {
    "x_best_peer": ".2f", "ratio_to_scan": ".2f", "spine_ratio": ".2f", "skew_ratio": ".2f",
    "growth_slope": ".2f", "peak_gib_100m": ".2f", "online_us": ".1f", "online_redis_us": ".1f",
    "online_million_ratio": ".2f", "ingest_per_s": ".0f",
}  # fmt: skip


class Room(NamedTuple):
    """Where companies and peers are kept, and the compiled kernel."""

    folder: Path
    environments: Path
    engine: Compiled


class Size(NamedTuple):
    """How much is measured."""

    events: int
    grown: tuple[int, ...]
    many: int
    batches: int
    rounds: int


SIZES = {
    "full": Size(10_000_000, (1_000_000, 10_000_000, 100_000_000), 1_000_000, 300, 5),
    "small": Size(1_000_000, (100_000, 1_000_000), 100_000, 100, 5),
    "tiny": Size(20_000, (10_000, 20_000), 5_000, 8, 1),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0, or 2 after saying what is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--environments", type=Path, default=Path(".venv-peers"))
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    given = parser.parse_args(argv)
    folder = Settings.from_environment().home / "benchmarks"
    return command.run(lambda: measure(folder, given.size, given.environments, given.only))


def measure(folder: Path, size: str, environments: Path, only: Sequence[str]) -> int:
    """Print every measurement of a size, and RESULT."""
    chosen = SIZES[size]
    print(f"size {size}: {chosen}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    found = dict.fromkeys(FIGURES, math.nan)
    engine = compiled(folder / NUMBA)
    for part in only:
        found |= PARTS[part](Room(folder, environments, engine), chosen)
    if 100_000_000 not in chosen.grown:
        print("100 M events are left out at this size: peak_gib_100m=nan")
    print("RESULT " + " ".join(f"{name}={found[name]:{form}}" for name, form in FIGURES.items()))
    return 0


def _offline(room: Room, size: Size) -> dict[str, float]:
    log = company(room.folder, size.events, size.events // 10)
    found = offline.against_peers(log, room.engine, room.environments, size.rounds)
    offline.featuretools(log, room.environments, min(size.rounds, 3))
    return found


def _spines(room: Room, size: Size) -> dict[str, float]:
    n = size.events
    uniform = company(room.folder, n, n // 10)
    skewed = company(room.folder, n, n // 10, skewed=True)
    return spines.against_snapshot(uniform, skewed, room.engine, n // 10, size.rounds)


def _online(room: Room, size: Size) -> dict[str, float]:
    return single.waiting(room.folder, room.engine, size.many, size.rounds)


PARTS: dict[str, Callable[[Room, Size], dict[str, float]]] = {
    "offline": _offline,
    "spines": _spines,
    "online": _online,
    "ingest": lambda room, size: arrivals.arriving(size.batches, size.rounds),
    "growth": lambda room, size: growth.growing(room.folder, size.grown, size.rounds),
}

if __name__ == "__main__":
    sys.exit(main())
