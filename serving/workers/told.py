"""What metrics say of the workers themselves: how many live, and what each takes of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric

from serving.front.page import RESTARTS
from serving.front.tally import Counts

if TYPE_CHECKING:
    from serving.front.page import Everywhere
    from serving.front.tally import Families


def tell_of_workers(families: Families) -> None:
    """Have these metrics collected with all others."""
    Counts(RESTARTS, "Workers that ended by themselves; each is started again.", (), families)
    families.add("nextbest_workers", _living)
    families.add("process", _machine)


def _living(found: Everywhere) -> Iterator[Metric]:
    family = GaugeMetricFamily("nextbest_workers", "Workers that live.")
    family.add_metric((), len(found.processes))
    yield family


def _machine(found: Everywhere) -> Iterator[Metric]:
    """Yield what `prometheus_client` says of a process, of each worker by its place."""
    told: dict[str, Metric] = {}
    for name, process in found.processes.items():
        place = name.partition("-")[0]
        collector = ProcessCollector(pid=partial(int, process), registry=None)
        for metric in collector.collect():
            family = told.setdefault(
                metric.name, Metric(metric.name, metric.documentation, metric.type)
            )
            family.samples += [
                sample._replace(labels=sample.labels | {"worker": place})
                for sample in metric.samples
            ]
    yield from told.values()
