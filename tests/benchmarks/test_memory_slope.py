"""The interval of a memory's growth holds the truth as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.memory_slope import slope

MINUTES = 16
AT = np.arange(MINUTES * 60)
WALKS = 40


def walk(random: np.random.Generator, drift: float, memory: float) -> np.ndarray:
    """MiB by second: `drift` an hour, and steps of which a share of `memory` stays."""
    steps = random.normal(scale=0.02, size=len(AT))
    moved = np.zeros(len(AT))
    for second in range(1, len(AT)):
        moved[second] = memory * moved[second - 1] + steps[second]
    return 100 + drift * AT / 3600 + moved


@pytest.mark.parametrize("memory", [0.0, 0.99, 1.0])
def test_the_interval_holds_the_true_growth_nearly_always_also_of_a_random_walk(
    memory: float,
) -> None:
    random = np.random.default_rng(7)
    held = 0
    for _ in range(WALKS):
        found = slope(AT, walk(random, 3.0, memory))
        held += found.low <= 3.0 <= found.high
    assert held >= 0.85 * WALKS


def test_a_leak_is_told_from_none() -> None:
    random = np.random.default_rng(7)
    assert slope(AT, walk(random, 40.0, 0.99)).low > 5.0
    assert slope(AT, walk(random, 0.0, 0.99)).high < 5.0


def test_a_peak_of_some_seconds_counts_for_nothing() -> None:
    sizes = walk(np.random.default_rng(7), 1.0, 0.0)
    peaked = sizes.copy()
    peaked[-4:] += 500.0
    assert abs(slope(AT, peaked).value - slope(AT, sizes).value) < 1.0


def test_too_short_a_look_is_refused() -> None:
    with pytest.raises(ValueError, match="480 s"):
        slope(AT[:300], walk(np.random.default_rng(7), 1.0, 0.0)[:300])
