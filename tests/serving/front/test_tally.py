"""Tallies say what Prometheus' own histogram and counter say."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from serving.front.page import Page, path_of
from serving.front.tally import Counts, Families, States, Tallies, Tally

BOUNDS = (0.1, 0.25, 0.5, 1.0)


def said(registry: CollectorRegistry) -> list[str]:
    """Every line but those that say when something was made."""
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if "_created" not in line)


@pytest.fixture(params=["in memory", "in a file"])
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Page:
    return Page(None if request.param == "in memory" else path_of(tmp_path, 0, 1))


def test_what_is_exposed_is_what_a_histogram_and_a_counter_expose(page: Page) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    several = Families(page, ours)
    tallies = Tallies("seconds", "Time.", ("model",), BOUNDS, several, ("scores", "Scores."))
    counts = Counts("requests", "Requests.", ("method", "status"), several)
    lines = Counts("lines", "Lines.", (), several)
    commits = Tallies("commits", "Commits.", (), BOUNDS, several)
    polled = States("polled", "When.", ("model",), several, max)
    seconds = Histogram("seconds", "Time.", ("model",), buckets=BOUNDS, registry=theirs)
    scores = Counter("scores", "Scores.", ("model",), registry=theirs)
    requests = Counter("requests", "Requests.", ("method", "status"), registry=theirs)
    Counter("lines", "Lines.", registry=theirs).inc(3)
    lines.inc(3)
    Histogram("commits", "Commits.", buckets=BOUNDS, registry=theirs).observe(0.3)
    commits.of().add(0.3)
    gauge = Gauge("polled", "When.", ("model",), registry=theirs)
    gauge.labels("ctr").set(5)
    polled.set(5, ("ctr",))
    polled.set(5, ("churn",))
    polled.set(math.nan, ("churn",))
    draw = random.Random(3)
    for _ in range(300):
        model = draw.choice(["churn", "ctr"])
        value = draw.choice([*BOUNDS, 0.0, 2.0, draw.random()])
        tallies.of(model).add(value)
        seconds.labels(model).observe(value)
        scores.labels(model).inc()
        labels = ("POST", draw.choice(["200", "422"]))
        counts.add(1, labels)
        requests.labels(*labels).inc()
    assert said(ours) == said(theirs)


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_value_at_a_bound_counts_below_it(bound: float) -> None:
    tally = Tally(BOUNDS, [0] * (len(BOUNDS) + 2))
    tally.add(bound)
    assert tally.slots[BOUNDS.index(bound)] == 1


def test_of_several_processes_the_latest_or_the_stalest_state_is_told(tmp_path: Path) -> None:
    registries = []
    for place, value in enumerate((3.0, 8.0)):
        registry = CollectorRegistry()
        families = Families(Page(path_of(tmp_path, place, 1)), registry)
        States("latest", "Latest.", (), families, max).set(value)
        States("stalest", "Stalest.", (), families, min).set(value)
        registries.append(registry)
    for registry in registries:
        assert registry.get_sample_value("latest") == 8.0
        assert registry.get_sample_value("stalest") == 3.0
