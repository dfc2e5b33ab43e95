"""Counts that every request adds to: plain numbers until Prometheus asks for them.

A counter of `prometheus_client` takes a lock each time; eight of them cost a request as much as
finding its customer. These are written by one thread each, mostly the event loop's, and need none.
Where they lie, and that several workers answer for all of them, is `serving.front.page`.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from serving.front.page import Everywhere, Page, Slots

Children = list[tuple[tuple[str, ...], list[float]]]
"""Values of the labels, and the numbers."""


class Families:
    """All metrics of one application, which several processes may share.

    Parameters
    ----------
    page : Page
        Where this process counts.
    registry : CollectorRegistry
    """

    def __init__(self, page: Page, registry: CollectorRegistry) -> None:
        self.page = page
        self._all: dict[str, Callable[[Everywhere], Iterator[Metric]]] = {}
        registry.register(self)

    def add(self, name: str, metrics: Callable[[Everywhere], Iterator[Metric]]) -> None:
        """Have metrics of a name collected with all others."""
        self._all[name] = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus reads; the pages of all processes are read once."""
        found = self.page.everywhere()
        for metrics in list(self._all.values()):
            yield from metrics(found)


class Tally:
    """How many values fell between each two bounds, and their sum.

    Parameters
    ----------
    bounds : sequence of float
        Rising; a value counts where it is at most a bound, and the last place has none.
    slots : memoryview or list
        Numbers to count in: one more than bounds, then the sum.

    Examples
    --------
    >>> tally = Tally((0.1, 0.5), [0, 0, 0, 0])
    >>> for value in (0.05, 0.1, 7.0):
    ...     tally.add(value)
    >>> tally.slots
    [2, 0, 1, 7.15]
    """

    __slots__ = ("bounds", "slots")

    def __init__(self, bounds: Sequence[float], slots: Slots) -> None:
        self.bounds, self.slots = tuple(bounds), slots

    def add(self, value: float) -> None:
        """Count one value."""
        self.slots[bisect_left(self.bounds, value)] += 1
        self.slots[-1] += value


class Tallies:
    """A Prometheus histogram whose children are tallies.

    Parameters
    ----------
    name, words : str
    labels : sequence of str
    bounds : sequence of float
    families : Families
    counter : tuple of str, optional
        Name and words of a counter that says the number of values by the same labels.
    """

    def __init__(
        self,
        name: str,
        words: str,
        labels: Sequence[str],
        bounds: Sequence[float],
        families: Families,
        counter: tuple[str, str] | None = None,
    ) -> None:
        self._name, self._words, self._labels = name, words, tuple(labels)
        self._bounds, self._counter, self._page = tuple(bounds), counter, families.page
        self._children: dict[tuple[str, ...], Tally] = {}
        families.add(name, self._metrics)
        if not labels:
            self.of()

    def of(self, *labels: str) -> Tally:
        """Return the tally of these labels' values."""
        child = self._children.get(labels)
        if child is None:
            slots = self._page.slots((self._name, *labels), len(self._bounds) + 2)
            child = self._children[labels] = Tally(self._bounds, slots)
        return child

    def _metrics(self, found: Everywhere) -> Iterator[Metric]:
        ends = [*map(str, self._bounds), "+Inf"]
        family = HistogramMetricFamily(self._name, self._words, labels=self._labels)
        children = children_of(self._name, found.adding.items())
        for labels, (*counts, total) in children:
            family.add_metric(labels, list(zip(ends, accumulate(counts), strict=True)), total)
        yield family
        if self._counter is not None:
            count = CounterMetricFamily(*self._counter, labels=self._labels)
            for labels, (*counts, _) in children:
                count.add_metric(labels, sum(counts))
            yield count


class Counts:
    """A Prometheus counter whose children are numbers.

    Parameters
    ----------
    name, words : str
    labels : sequence of str
    families : Families
    """

    def __init__(self, name: str, words: str, labels: Sequence[str], families: Families) -> None:
        self._name, self._words, self._labels = name, words, tuple(labels)
        self._page, self._lock = families.page, threading.Lock()
        self._children: dict[tuple[str, ...], Slots] = {}
        families.add(name, self._metrics)
        if not labels:
            self.add(0)

    def add(self, number: float = 1, labels: tuple[str, ...] = ()) -> None:
        """Count by these labels; of one thread."""
        try:
            self._children[labels][0] += number
        except KeyError:
            child = self._children[labels] = self._page.slots((self._name, *labels), 1)
            child[0] += number

    def inc(self, number: float = 1, labels: tuple[str, ...] = ()) -> None:
        """Count by these labels; of any thread."""
        with self._lock:
            self.add(number, labels)

    def _metrics(self, found: Everywhere) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._words, labels=self._labels)
        for labels, (count,) in children_of(self._name, found.adding.items()):
            family.add_metric(labels, count)
        yield family


class States:
    """A Prometheus gauge whose children are numbers; a process that ended has none.

    Parameters
    ----------
    name, words : str
    labels : sequence of str
    families : Families
    of_several : callable
        What is told of those that several processes have: `max` or `min`.
    """

    def __init__(
        self,
        name: str,
        words: str,
        labels: Sequence[str],
        families: Families,
        of_several: Callable[[Iterable[float]], float],
    ) -> None:
        self._name, self._words, self._labels = name, words, tuple(labels)
        self._page, self._of_several = families.page, of_several
        families.add(name, self._metrics)

    def set(self, value: float, labels: tuple[str, ...] = ()) -> None:
        """Remember a number by these labels; NaN forgets it."""
        self._page.slots((self._name, *labels), 1, adds=False)[0] = value

    def _metrics(self, found: Everywhere) -> Iterator[Metric]:
        family = GaugeMetricFamily(self._name, self._words, labels=self._labels)
        several: dict[tuple[str, ...], list[float]] = {}
        for living in found.living:
            for labels, (value,) in children_of(self._name, living.items()):
                if not math.isnan(value):
                    several.setdefault(labels, []).append(value)
        for labels, values in several.items():
            family.add_metric(labels, self._of_several(values))
        yield family


def children_of(name: str, found: Iterable[tuple[tuple[str, ...], list[float]]]) -> Children:
    """Return the numbers of one metric by their labels."""
    return [(key[1:], numbers) for key, numbers in found if key[0] == name]
