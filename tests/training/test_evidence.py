"""Counts beside an obvious count of the same rows."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from models.catalog import spec
from models.encoder import Column, Encoder
from models.evidence import Evidence, rounded
from training.evidence import count

COLUMNS = (
    Column("orders", "int"),
    Column("spent", "float"),
    Column("channel", "category", ("mail", "rare", "shop")),
    Column("member", "bool"),
    Column("same", "int"),
    Column("never", "float"),
)
N = 3_000


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Encoded rows, answers and whose they are: several rows a customer, some values missing."""
    rng = np.random.default_rng(3)
    spent = rng.gamma(2.0, 50.0, N)
    spent[rng.random(N) < 0.2] = np.nan
    channel = rng.choice([0.0, 2.0, np.nan], N, p=[0.6, 0.39, 0.01])
    customers = np.array([f"c{i}" for i in rng.integers(0, 800, N)])
    channel[np.isin(customers, [f"c{i}" for i in range(20)])] = 1.0  # many rows of few customers
    X = np.column_stack(
        [
            rng.poisson(2, N),
            spent,
            channel,
            rng.random(N) < 0.3,
            np.full(N, 7.0),
            np.full(N, np.nan),
        ]
    )
    y = (rng.random(N) < 0.05 + 0.1 * (X[:, 0] >= 3) + 0.2 * np.isnan(spent)).astype(int)
    return X, y, customers


@pytest.fixture(scope="module")
def table(rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Evidence:
    return count(spec("churn"), Encoder(COLUMNS), *rows)


def counted_by_hand(value_in_group: Any, place: int, rows: Any) -> tuple[int, float]:
    """Customers and rate of the rows whose value is in a group, one row after the other."""
    who, yes, n = set(), 0, 0
    for x, answer, customer in zip(*rows, strict=True):
        if value_in_group(x[place]):
            who.add(customer)
            yes += answer
            n += 1
    return len(who), yes / n


def test_groups_are_those_counted_row_by_row(table: Evidence, rows: Any) -> None:
    for place, column in enumerate(COLUMNS):
        counted = table.features.get(column.name)
        if counted is None:
            continue
        asked: list[Any] = []
        if counted.levels:
            codes = [float(column.levels.index(level)) for level in counted.levels]
            asked = [lambda v, code=code: v == code for code in codes]
        else:
            ends = [-math.inf, *counted.edges, math.inf]
            asked = [lambda v, low=low, high=high: low <= v < high for low, high in pairwise(ends)]
        groups = list(counted.groups)
        if counted.missing is not None:
            asked.append(math.isnan)
            groups.append(counted.missing)
        assert len(groups) >= 2
        for ask, group in zip(asked, groups, strict=True):
            customers, rate = counted_by_hand(ask, place, rows)
            assert customers >= 50
            assert group.customers == customers // 10 * 10
            assert group.rate == rounded(rate)
    assert table.rate == rounded(float(rows[1].mean()))


def test_few_customers_make_no_group_however_many_their_rows(table: Evidence, rows: Any) -> None:
    X, _, customers = rows
    assert (X[:, 2] == 1.0).sum() >= 50
    assert len(set(customers[X[:, 2] == 1.0])) < 50
    channel = table.features["channel"]
    assert channel.levels == ("mail", "shop")
    assert channel.missing is None


def test_a_column_of_one_group_is_no_evidence(table: Evidence) -> None:
    assert set(table.features) == {"orders", "spent", "channel", "member"}
    assert table.features["spent"].missing is not None
    assert table.features["orders"].missing is None
    assert len(table.features["orders"].groups) >= 3
    assert len(table.features["spent"].groups) >= 4


def test_the_table_does_not_depend_on_the_order_of_the_rows(table: Evidence, rows: Any) -> None:
    order = np.random.default_rng(0).permutation(N)
    assert count(spec("churn"), Encoder(COLUMNS), *(part[order] for part in rows)) == table


def test_nothing_of_anybody_is_in_the_table(table: Evidence, rows: Any) -> None:
    text = str(table.to_json())
    assert not any(f"'{customer}'" in text for customer in rows[2])
    assert Evidence.from_json(table.to_json()) == table
    few = tuple(part[:40] for part in rows)
    assert count(spec("churn"), Encoder(COLUMNS), *few).features == {}
