"""Rows with a moment of their own, and a company whose events belong to few customers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa

from benchmarks.features.company import DAYS, START
from benchmarks.features.measure import Took, interleaved, median, show, show_time, timed
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
        who.append(block.customers.take(pa.array(customer)))
    customers = pa.concat_arrays(who).take(pa.array(rng.permutation(rows))).dictionary_encode()
    as_of = START + rng.integers(DAYS // 2 * DAY, DAYS * DAY, rows)
    texts = np.asarray(customers.to_pylist(), dtype=object)
    ids = np.arange(rows).astype(str).astype(object)
    # As the log gives a spine that was ingested.
    return Spine("customer", ids, texts, as_of, ids=customers)


def against_snapshot(
    uniform: EventLog, skewed: EventLog, engine: Compiled, rows: int, rounds: int
) -> dict[str, float]:
    """Print how long spines and skewed logs take, and return `spine_ratio` and `skew_ratio`."""
    spines = {"uniform": drawn(uniform, rows), "skewed": drawn(skewed, rows)}
    logs = {"uniform": uniform, "skewed": skewed}
    tasks: dict[str, Callable[[], Took]] = {}
    for shape, log in logs.items():
        tasks[f"snapshot, {shape}"] = partial(timed, ours, log, engine)
        tasks[f"spine, {shape}"] = partial(timed, framed, log, spines[shape], engine)
    rounds_of = interleaved(tasks, rounds)
    events = sum(ref.rows for ref in uniform.blocks)
    for name, some in rounds_of.items():
        counted = f"{rows:,} rows over " if name.startswith("spine") else ""
        show_time(f"{name}: {counted}{events:,} events", some)
    took = {name: median(some) for name, some in rounds_of.items()}
    spine, skewed_snapshot, skewed_spine = (
        [took[one][k] / took[other][k] for k in range(2)]
        for one, other in (
            ("spine, uniform", "snapshot, uniform"),
            ("snapshot, skewed", "snapshot, uniform"),
            ("spine, skewed", "spine, uniform"),
        )
    )
    for what, (by_clock, by_processor) in {
        "spine against snapshot": spine,
        "skewed against uniform: snapshot": skewed_snapshot,
        "skewed against uniform: spine": skewed_spine,
    }.items():
        show(what, f"{by_clock:.2f}", f"by processor time {by_processor:.2f}")
    return {"spine_ratio": spine[0], "skew_ratio": max(skewed_snapshot[0], skewed_spine[0])}


def framed(log: EventLog, spine: Spine, engine: Compiled) -> object:
    """Return a spine's features, read from the files anew."""
    anew = EventLog(log.home, log.content)
    return frame(anew, spine, FEATURES, threads=THREADS, engine=engine)
