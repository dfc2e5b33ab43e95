from __future__ import annotations

import numpy as np
import pytest

from training.segment_links import links


def cramer(a, b):
    """The definition, cell by cell."""
    n, total = len(a), 0.0
    for x in np.unique(a):
        for y in np.unique(b):
            expected = (a == x).sum() * (b == y).sum() / n
            total += (((a == x) & (b == y)).sum() - expected) ** 2 / expected
    return np.sqrt(total / n / (min(len(np.unique(a)), len(np.unique(b))) - 1))


@pytest.mark.parametrize("n", [200, 1_000, 5_000])
def test_a_column_counts_if_another_goes_together_with_it(n):
    random = np.random.default_rng(n)
    kind = random.integers(3, size=n).astype(float)
    told = random.normal(2.0 * kind)
    hollow = (told > 1) != (told > 3)  # tied to a number, and not in a straight line
    gaps = np.where(random.random(n) < np.where(kind == 0, 0.8, 0.1), np.nan, random.random(n))
    columns = [kind, told, hollow, gaps, random.integers(2, size=n), random.random(n)]
    found = links(np.column_stack(columns), [True, False, True, False, True, False])
    assert found.tolist() == [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("share", [0.06, 0.5, 0.94])
def test_a_count_that_most_have_alike_counts_if_another_knows_of_it(share):
    random = np.random.default_rng(0)
    some = random.random(2_000) < share
    rare = np.where(some, 0, 1 + random.poisson(2.0, 2_000))
    active = random.normal(np.where(some, 0.0, 1.5))
    found = links(np.column_stack([rare, active, random.poisson(0.05, 2_000)]), [False] * 3)
    assert found[:2].min() > 0.5
    assert found[2] == 0.0


def test_few_columns_of_pure_chance_count():
    random = np.random.default_rng(0)
    counted = 0
    for _ in range(10):
        drawn = np.column_stack([random.random((500, 5)), random.integers(2, size=(500, 5))])
        counted += int((links(drawn, [False] * 5 + [True] * 5) > 0).sum())
    assert counted <= 2  # of 100


def test_a_weak_tie_counts_in_part_and_more_as_it_grows():
    random = np.random.default_rng(1)
    a = random.integers(2, size=2_000)
    parts = []
    for share in (0.0, 0.06, 0.1, 0.3):
        b = np.where(random.random(2_000) < share, a, random.integers(2, size=2_000))
        parts.append(links(np.column_stack([a, b]).astype(float), [True, True])[1])
        # Whatever has been subtracted for chance, no more than the whole tie counts.
        assert parts[-1] <= min(1.0, 10 * cramer(a, b)) + 1e-9
    assert parts[0] == 0.0
    assert parts == sorted(parts)
    assert 0.0 < parts[-2] < parts[-1] == 1.0


def test_a_column_of_one_value_goes_together_with_nothing():
    assert links(np.column_stack([np.zeros(50), np.arange(50)]), [True, False]).tolist() == [0, 0]
    assert links(np.arange(50.0)[:, None], [False]).tolist() == [0.0]
