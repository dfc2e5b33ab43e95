"""One customer's features while somebody waits: embedded and in Redis, with few events and many."""

from __future__ import annotations

import math
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np

from benchmarks.features.company import (
    DAYS,
    END,
    LATEST,
    LEVELS,
    SOURCE,
    START,
    columns,
    written_by,
)
from benchmarks.features.measure import show
from benchmarks.features.wanted import FEATURES
from features.bulk import BulkWriter, customer_ids
from features.dictionary import Dictionary
from features.errors import StoreError
from features.jit import Compiled
from features.log import EventLog
from features.materialise import materialise
from features.online import OnlineFeatures, OnlineStore
from features.redis_shelf import RedisShelf
from features.shelf import shelf_of
from features.tiling import Background

NOW = END + LATEST + 60_000_000
BUSY, OTHERS = 1_000, 20_000
"""Customers with 500 events of the last 90 days, and with ten of two years each."""
BUSY_EVENTS, RECENT = 500, 90
REDIS = "redis://127.0.0.1:6379/9"
CALLS = 2_000


def crowd(folder: Path, many: int) -> EventLog:
    """Return the log of many customers, and one, number 0, with `many` events in two years."""
    home = folder / f"crowd-{many}-{written_by()}"
    if (home / "log").exists():
        return EventLog.open(home)
    rng = np.random.default_rng(4)
    words = {name: Dictionary(levels) for name, levels in LEVELS.items()}
    home.mkdir(parents=True)
    with BulkWriter(home, SOURCE, {}, words) as writer:
        for who, days in (
            (np.zeros(many, np.int64), DAYS),
            (np.repeat(np.arange(1, BUSY + 1), BUSY_EVENTS), RECENT),
            (rng.integers(BUSY + 1, BUSY + OTHERS, 10 * OTHERS), DAYS),
        ):
            drawn = columns(rng, len(who))
            delay = drawn["recorded_at"] - drawn["occurred_at"]
            # The last days of the two years, in place of all of them.
            moved = END - (drawn["occurred_at"] - START) // DAYS * days
            writer.add(who, drawn | {"occurred_at": moved, "recorded_at": moved + delay})
        return writer.finish()


def waiting(folder: Path, engine: Compiled, many: int, rounds: int) -> dict[str, float]:
    """Print medians of single rows; return `online_us`, `online_redis_us`, `online_million_ratio`.

    The ratio is the worse of the two stores'.
    """
    log = crowd(folder, many)
    ids = customer_ids(np.arange(BUSY + 1)).to_pylist()
    background = Background(log.home, FEATURES, lambda home: engine)
    times: dict[str, list[float]] = {}
    with ExitStack() as held:
        stores = {"embedded": held.enter_context(embedded(log, background))}
        try:
            stores["Redis"] = held.enter_context(redis(log, background))
        except StoreError as error:
            print(f"Redis is left out: {error}")
        rows = {name: OnlineFeatures(store, FEATURES, engine) for name, store in stores.items()}
        for number in range(rounds + 1):
            for name, online in rows.items():
                for asked, events in ((ids[1:], BUSY_EVENTS), (ids[:1], many)):
                    us = p50(online, asked)
                    if number:
                        times.setdefault(f"{name}, {events:,} events", []).append(us)
    took = {name: float(np.median(some)) for name, some in times.items()}
    for name, some in times.items():
        each = " ".join(f"{us:.1f}" for us in some)
        show(f"one row, {name}: p50", f"{took[name]:.1f} us", f"rounds {each}")
    few = {name: took[f"{name}, {BUSY_EVENTS:,} events"] for name in stores}
    ratios = {name: took[f"{name}, {many:,} events"] / few[name] for name in stores}
    for name, ratio in ratios.items():
        show(f"{many:,} events against {BUSY_EVENTS}, {name}", f"{ratio:.2f}")
    return {
        "online_us": few["embedded"],
        "online_redis_us": few.get("Redis", math.nan),
        "online_million_ratio": max(ratios.values()),
    }


def p50(online: OnlineFeatures, ids: list[str]) -> float:
    """Return the median microseconds of a row, its store read included."""
    took = np.empty(CALLS)
    for call in range(CALLS):
        customer = ids[call * 7919 % len(ids)]
        started = time.perf_counter_ns()
        online.row(customer, NOW, {})
        took[call] = time.perf_counter_ns() - started
    return float(np.median(took)) / 1e3


@contextmanager
def embedded(log: EventLog, background: Background) -> Iterator[OnlineStore]:
    """Give the embedded store of a log."""
    shelf = shelf_of(log.home, background=background)
    with closing(materialise(log, shelf)) as store:
        yield store


@contextmanager
def redis(log: EventLog, background: Background) -> Iterator[OnlineStore]:
    """Give the store of a log in Redis, gone afterwards."""
    from redis import Redis

    url = os.environ.get("NEXTBEST_BENCH_REDIS", REDIS)
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    try:
        shelf = RedisShelf(background, url, prefix)
        with closing(materialise(log, shelf)) as store:
            yield store
    finally:
        with closing(Redis.from_url(url)) as client:
            for key in client.scan_iter(f"{prefix}:*", 1000):
                client.delete(key)
