"""Counts that every request adds to: plain numbers until Prometheus asks for them.

A counter of `prometheus_client` takes a lock each time; eight of them cost a request as much as
finding its customer. These are written by one thread, the event loop's, and need none.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric


class Tally:
    """How many values fell between each two bounds, and their sum.

    Parameters
    ----------
    bounds : sequence of float
        Rising; a value counts where it is at most a bound, and the last place has none.

    Examples
    --------
    >>> tally = Tally((0.1, 0.5))
    >>> for value in (0.05, 0.1, 7.0):
    ...     tally.add(value)
    >>> tally.counts, tally.sum
    ([2, 0, 1], 7.15)
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Tallies:
    """A Prometheus histogram whose children are tallies.

    Parameters
    ----------
    name, words : str
    labels : sequence of str
    bounds : sequence of float
    registry : CollectorRegistry
    counter : tuple of str, optional
        Name and words of a counter that says the number of values by the same labels.
    """

    def __init__(
        self,
        name: str,
        words: str,
        labels: Sequence[str],
        bounds: Sequence[float],
        registry: CollectorRegistry,
        counter: tuple[str, str] | None = None,
    ) -> None:
        self._name, self._words, self._labels = name, words, tuple(labels)
        self._bounds, self._counter = tuple(bounds), counter
        self._children: dict[tuple[str, ...], Tally] = {}
        registry.register(self)

    def of(self, *labels: str) -> Tally:
        """Return the tally of these labels' values."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = Tally(self._bounds)
        return child

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus reads."""
        ends = [*map(str, self._bounds), "+Inf"]
        family = HistogramMetricFamily(self._name, self._words, labels=self._labels)
        several = [(labels, list(tally.counts), tally) for labels, tally in self._children.items()]
        for labels, counts, tally in several:
            upto = list(zip(ends, accumulate(counts), strict=True))
            family.add_metric(labels, upto, tally.sum)
        yield family
        if self._counter is not None:
            count = CounterMetricFamily(*self._counter, labels=self._labels)
            for labels, counts, _ in several:
                count.add_metric(labels, sum(counts))
            yield count


class Counts:
    """A Prometheus counter whose children are numbers.

    Parameters
    ----------
    name, words : str
    labels : sequence of str
    registry : CollectorRegistry
    """

    def __init__(
        self, name: str, words: str, labels: Sequence[str], registry: CollectorRegistry
    ) -> None:
        self._name, self._words, self._labels = name, words, tuple(labels)
        self._children: dict[tuple[str, ...], int] = {}
        registry.register(self)

    def add(self, labels: tuple[str, ...]) -> None:
        """Count one by these labels."""
        self._children[labels] = self._children.get(labels, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus reads."""
        family = CounterMetricFamily(self._name, self._words, labels=self._labels)
        for labels, count in list(self._children.items()):
            family.add_metric(labels, count)
        yield family
