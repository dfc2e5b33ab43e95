"""Rows with a moment of their own, and a company whose events belong to few customers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.features.company import DAYS, START
from benchmarks.features.measure import interleaved, medians, show
from benchmarks.features.offline import ours
from benchmarks.features.wanted import FEATURES, THREADS
from features.frame import frame
from features.jit import Compiled
from features.log import EventLog
from features.spine import Spine
from features.window import DAY


def drawn(log: EventLog, rows: int, seed: int = 2) -> Spine:
    """Return rows about customers in proportion to their events, at any time of the second year."""
    rng = np.random.default_rng(seed)
    blocks = log.blocks
    shares = np.array([ref.rows for ref in blocks])
    wanted = rng.multinomial(rows, shares / shares.sum())
    who = []
    for ref, some in zip(blocks, wanted.tolist(), strict=True):
        block = log.read_block(ref, ["occurred_at"])
        event = rng.integers(0, ref.rows, some)
        customer = np.searchsorted(block.offsets, event, side="right") - 1
        who.append(np.asarray(block.customers.take(customer).to_pylist(), dtype=object))
    customers = rng.permutation(np.concatenate(who))
    as_of = START + rng.integers(DAYS // 2 * DAY, DAYS * DAY, rows)
    return Spine("customer", np.arange(rows).astype(str).astype(object), customers, as_of)


def against_snapshot(
    uniform: EventLog, skewed: EventLog, engine: Compiled, rows: int, rounds: int
) -> dict[str, float]:
    """Print how long spines and skewed logs take, and return `spine_ratio` and `skew_ratio`."""
    spines = {"uniform": drawn(uniform, rows), "skewed": drawn(skewed, rows)}
    logs = {"uniform": uniform, "skewed": skewed}
    tasks: dict[str, Callable[[], float | None]] = {}
    for shape, log in logs.items():
        tasks[f"snapshot, {shape}"] = partial(_timed, ours, log, engine)
        tasks[f"spine, {shape}"] = partial(_timed, _framed, log, spines[shape], engine)
    seconds = interleaved(tasks, rounds)
    took = medians(seconds)
    events = sum(ref.rows for ref in uniform.blocks)
    for name in tasks:
        counted = f"{rows:,} rows over " if name.startswith("spine") else ""
        show(f"{name}: {counted}{events:,} events", f"{took[name]:.3f} s", seconds[name])
    snapshot = took["snapshot, skewed"] / took["snapshot, uniform"]
    spine = took["spine, skewed"] / took["spine, uniform"]
    show("skewed against uniform: snapshot, spine", f"{snapshot:.2f}, {spine:.2f}")
    return {
        "spine_ratio": took["spine, uniform"] / took["snapshot, uniform"],
        "skew_ratio": max(snapshot, spine),
    }


def _framed(log: EventLog, spine: Spine, engine: Compiled) -> object:
    anew = EventLog(log.home, log.content)
    return frame(anew, spine, FEATURES, threads=THREADS, engine=engine)


def _timed(work: Callable[..., object], *given: object) -> float:
    started = time.perf_counter()
    work(*given)
    return time.perf_counter() - started
