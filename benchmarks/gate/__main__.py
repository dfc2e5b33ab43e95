"""How often the gate decides rightly, over simulated retrainings: last line RESULT.

    python -m benchmarks.gate [--retrainings 200] [--only equal better]

Equal challengers may pass in 2.5 % of retrainings by chance, bad ones never, and one whose log loss
is 2 % lower should. Each goes through `models.gate.decide`; those with a leak or stale data are
really fitted, and the leak goes through the leak scan.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks import leaks
from benchmarks.gate import fitted
from benchmarks.gate.world import ROWS, Retraining, retraining, sloped, with_challenger
from models.gate import Decision

TABLES = 20
"""Tables without a leak for one in which each of the six leaks is planted as well."""


def equal(random: np.random.Generator, n: int = ROWS) -> Retraining:
    """As good as the champion, wrong about other customers."""
    return retraining(random, n, 1.0)


def better(random: np.random.Generator, n: int = ROWS) -> Retraining:
    """Its log loss is 2 % lower."""
    return retraining(random, n, 0.98)


def miscalibrated(random: np.random.Generator, n: int = ROWS) -> Retraining:
    """It knows more, so that its log loss is lower, but overstates it: slope 0.7."""
    made = retraining(random, n, 0.95)
    return with_challenger(made, sloped(made.challenger, 0.7))


def worse_in_a_segment(random: np.random.Generator, n: int = ROWS) -> Retraining:
    """3 % better but in the south, where it is 10 % worse."""
    return retraining(random, n, 1.1, elsewhere=0.97)


SCENARIOS: dict[str, Callable[..., Retraining]] = {
    "equal": equal,
    "better": better,
    "leak": fitted.leaky,
    "miscalibrated": miscalibrated,
    "stale": fitted.stale,
    "segment": worse_in_a_segment,
}
BAD = ("leak", "miscalibrated", "stale", "segment")


def decisions(scenario: str, retrainings: int, n: int = ROWS) -> list[Decision]:
    """Return the gate's decision on each retraining; every one has a seed of its own."""
    place = list(SCENARIOS).index(scenario)
    return [
        SCENARIOS[scenario](np.random.default_rng([place, number]), n).decision()
        for number in range(retrainings)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("--retrainings", type=int, default=200, help="of each kind (default: 200)")
    parser.add_argument(
        "--only", nargs="*", choices=[*SCENARIOS, "scan"], default=[*SCENARIOS, "scan"]
    )
    given = parser.parse_args(argv)
    promoted: dict[str, float] = dict.fromkeys(SCENARIOS, math.nan)
    for scenario in SCENARIOS:
        if scenario in given.only:
            promoted[scenario] = measured(scenario, given.retrainings)
    found, alarms = scanned(given.retrainings) if "scan" in given.only else (math.nan, math.nan)
    bad = sum(promoted[scenario] for scenario in BAD)
    print(
        f"RESULT equal_promoted={promoted['equal']:.0f} bad_promoted={bad:.0f} "
        f"better_promoted={promoted['better']:.0f} leaks_found={found:.0f} "
        f"false_alarms={alarms:.0f}"
    )
    return 0


def measured(scenario: str, retrainings: int) -> int:
    """Print and return how many of a kind were promoted, and say what stopped the others."""
    began = time.perf_counter()
    made = decisions(scenario, retrainings)
    promoted = sum(decision.promote for decision in made)
    superior = sum(decision.numbers["difference_high"] < 0 for decision in made)
    stops = Counter(
        rail["name"] for decision in made for rail in decision.rails if not rail["passed"]
    )
    said = ", ".join(f"{name} {count}" for name, count in stops.most_common()) or "none"
    print(
        f"{scenario}: {promoted} of {retrainings} promoted; lower log loss proven in {superior}; "
        f"rails that stop: {said} ({time.perf_counter() - began:.0f} s)",
        flush=True,
    )
    return promoted


def scanned(tables: int) -> tuple[int, int]:
    """Print and return how many of the six leaks are found wherever planted, and false alarms."""
    clean = [fitted.table(np.random.default_rng([99, number])) for number in range(tables)]
    few = leaks.scanned(clean[: max(1, tables // TABLES)])
    alarms = few.false_alarms + sum(
        len(leaks.severe(each)) for each in clean[max(1, tables // TABLES) :]
    )
    missed = {place.split(": ")[1] for place in few.missed}
    print(
        f"scan: {few.leaks_found} of {few.planted} planted leaks found; missed: "
        f"{', '.join(sorted(missed)) or 'none'}; {alarms} severe findings in {tables} clean tables"
    )
    return len(leaks.PLANTS) - len(missed), alarms


if __name__ == "__main__":
    sys.exit(main())
