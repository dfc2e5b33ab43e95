"""The draws and the noise of a simulated company."""

from __future__ import annotations

import numpy as np
import pytest

from features.sources.simulator.chance import Stream, expected, key, logistic, noise, uniform

N = 200_000


def test_draws_are_uniform_and_those_of_neighbours_have_nothing_in_common() -> None:
    customers = np.arange(N)
    one = uniform(key(0, 0, Stream.ORDER, 7, 0), customers)
    assert one.min() >= 0
    assert one.max() < 1
    shares = np.bincount((one * 100).astype(int), minlength=100) / N
    assert np.abs(shares - 0.01).max() < 5 * np.sqrt(0.01 * 0.99 / N)
    for other in (
        one[1:],
        uniform(key(0, 0, Stream.ORDER, 8, 0), customers),
        uniform(key(0, 0, Stream.ORDER_NOISE, 7, 0), customers),
        uniform(key(0, 1, Stream.ORDER, 7, 0), customers),
        uniform(key(1, 0, Stream.ORDER, 7, 0), customers),
    ):
        assert abs(np.corrcoef(one[: len(other)], other)[0, 1]) < 5 / np.sqrt(N)


def test_every_purpose_has_a_number_of_its_own() -> None:
    assert len(Stream) == len({stream.value for stream in Stream}) == 58


@pytest.mark.parametrize("size", [0.4, 0.6])
def test_noise_has_the_moments_of_a_normal_distribution(size: float) -> None:
    values = noise(np.array([0.0, 0.3, 0.5, 0.7, 0.9]), size)
    assert values.tolist() == [values[0], 0.0, 0.0, 0.0, -values[0]]
    points, weights = np.array([values[0], 0.0, values[-1]]), np.array([1 / 6, 2 / 3, 1 / 6])
    moments = [float((weights * points**power).sum()) for power in range(1, 6)]
    assert moments == pytest.approx([0.0, size**2, 0.0, 3 * size**4, 0.0])
    u = uniform(key(3), np.arange(N))
    assert abs(noise(u, size).std() - size) < 0.01


@pytest.mark.parametrize("margin", [-3.0, 0.2, 4.0])
def test_what_is_expected_is_the_mean_over_the_noise(margin: float) -> None:
    u = (np.arange(6) + 0.5) / 6  # each sixth once
    assert float(expected(margin, 0.5)) == pytest.approx(
        float(logistic(margin + noise(u, 0.5)).mean())
    )
