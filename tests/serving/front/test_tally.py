"""Tallies say what Prometheus' own histogram and counter say."""

from __future__ import annotations

import random

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from serving.front.tally import Counts, Tallies, Tally

BOUNDS = (0.1, 0.25, 0.5, 1.0)


def said(registry: CollectorRegistry) -> list[str]:
    """Every line but those that say when something was made."""
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if "_created" not in line)


def test_what_is_exposed_is_what_a_histogram_and_a_counter_expose() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tallies = Tallies("seconds", "Time.", ("model",), BOUNDS, ours, counter=("scores", "Scores."))
    counts = Counts("requests", "Requests.", ("method", "status"), ours)
    seconds = Histogram("seconds", "Time.", ("model",), buckets=BOUNDS, registry=theirs)
    scores = Counter("scores", "Scores.", ("model",), registry=theirs)
    requests = Counter("requests", "Requests.", ("method", "status"), registry=theirs)
    draw = random.Random(3)
    for _ in range(300):
        model = draw.choice(["churn", "ctr"])
        value = draw.choice([*BOUNDS, 0.0, 2.0, draw.random()])
        tallies.of(model).add(value)
        seconds.labels(model).observe(value)
        scores.labels(model).inc()
        labels = ("POST", draw.choice(["200", "422"]))
        counts.add(labels)
        requests.labels(*labels).inc()
    assert said(ours) == said(theirs)


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_value_at_a_bound_counts_below_it(bound: float) -> None:
    tally = Tally(BOUNDS)
    tally.add(bound)
    assert tally.counts[BOUNDS.index(bound)] == 1
