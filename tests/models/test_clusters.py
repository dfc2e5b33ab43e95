from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest

from features.errors import BadInputError
from models.clusters import ARRAYS, Clusters

CLUSTERS = Clusters(
    columns=np.array([2, 0]),
    log1p=np.array([True, False]),
    mean=np.array([1.0, 5.0]),
    scale=np.array([0.5, 2.0]),
    centers=np.array([[0.0, 0.0], [2.0, -1.0], [-2.0, 3.0]]),
)


def rows(n: int = 300) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(scale=20.0, size=(n, 3))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[0] = [np.inf, 0.0, -np.inf]
    return X


def distance(row: np.ndarray, center: np.ndarray) -> float:
    total = 0.0
    for place, (column, is_log) in enumerate(zip(CLUSTERS.columns, CLUSTERS.log1p, strict=True)):
        x = row[column]
        scaled = 0.0
        if math.isfinite(x):
            t = math.copysign(math.log1p(abs(x)), x) if is_log else x
            scaled = (t - CLUSTERS.mean[place]) / CLUSTERS.scale[place]
        total += (scaled - center[place]) ** 2
    return math.sqrt(total)


def test_everyone_belongs_to_the_nearest_centre() -> None:
    X = rows()
    expected = np.array([[distance(row, center) for center in CLUSTERS.centers] for row in X])
    np.testing.assert_allclose(CLUSTERS.distances(X), expected, rtol=1e-12)
    np.testing.assert_array_equal(CLUSTERS.assign(X), expected.argmin(axis=1))
    assert CLUSTERS.assign(X).dtype == np.int64


def test_a_level_is_an_axis_and_a_number_stays_within_its_bounds() -> None:
    clusters = Clusters(
        columns=np.array([0, 0, 1]),
        log1p=np.zeros(3, dtype=bool),
        mean=np.array([0.4, 0.1, 10.0]),
        scale=np.array([0.5, 0.5, 2.0]),
        centers=np.zeros((1, 3)),
        low=np.array([-np.inf, -np.inf, 0.0]),
        high=np.array([np.inf, np.inf, 20.0]),
        level=np.array([2.0, -1.0, np.nan]),
        absent=np.array([-0.8, 1.8, 0.0]),
    )
    X = np.array([[2.0, 1e9], [1.0, -5.0], [np.nan, 12.0], [2.0, np.nan]])
    np.testing.assert_array_equal(
        clusters.scaled(X),
        [[1.2, -0.2, 5.0], [-0.8, -0.2, -5.0], [-0.8, 1.8, 1.0], [1.2, -0.2, 0.0]],
    )


def test_files_of_earlier_versions_know_numbers_alone() -> None:
    page = io.BytesIO()
    np.savez(page, allow_pickle=False, **{name: getattr(CLUSTERS, name) for name in ARRAYS})
    old = Clusters.load(io.BytesIO(page.getvalue()))
    np.testing.assert_array_equal(old.distances(rows()), CLUSTERS.distances(rows()))


def test_one_row_gives_the_bits_it_gives_among_many() -> None:
    X = rows()
    one_by_one = np.vstack([CLUSTERS.distances(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(one_by_one, CLUSTERS.distances(X))


def test_what_is_missing_is_taken_for_the_mean() -> None:
    nothing = np.full((1, 3), np.nan)
    np.testing.assert_array_equal(CLUSTERS.scaled(nothing), [[0.0, 0.0]])
    assert CLUSTERS.assign(nothing).tolist() == [0]


def test_the_fit_is_one_at_a_centre_and_nought_half_way() -> None:
    distances = np.array([[0.0, 3.0, 4.0], [2.0, 9.0, 2.0], [1.0, 4.0, 2.0], [0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(CLUSTERS.fit_of(distances), [1.0, 0.0, 0.5, 0.0])
    np.testing.assert_array_equal(CLUSTERS.fit_of(np.array([[7.0]])), [1.0])


def test_clusters_survive_the_file_and_the_file_is_the_same_each_time() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    CLUSTERS.save(first)
    CLUSTERS.save(second)
    assert first.getvalue() == second.getvalue()
    again = Clusters.load(io.BytesIO(first.getvalue()))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(CLUSTERS, name))


def test_a_pickled_array_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.array([None], dtype=object) for name in ARRAYS})
    buffer.seek(0)
    with pytest.raises(ValueError, match="allow_pickle"):
        Clusters.load(buffer)


def test_parts_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(BadInputError, match="Clusters of 2 axes"):
        replace(CLUSTERS, mean=np.zeros(3))
    with pytest.raises(BadInputError, match="Clusters of 2 axes"):
        replace(CLUSTERS, centers=np.zeros((0, 2)))
    with pytest.raises(BadInputError, match="not positive"):
        replace(CLUSTERS, scale=np.array([1.0, 0.0]))
