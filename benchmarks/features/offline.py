"""All customers' features at one moment: against pandas, Polars, DuckDB SQL and a bare scan."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.features.company import AS_OF
from benchmarks.features.measure import Peer, Took, interleaved, median, show, show_time, timed
from benchmarks.features.wanted import FEATURES, THREADS, question
from features.jit import Compiled
from features.log import EventLog
from features.snapshots import snapshot_parts

TABLES = {"pandas": "in_pandas", "Polars": "in_polars", "DuckDB SQL": "in_duckdb"}
EXACT = ("count", "sum", "distinct", "max", "min", "last")
SAMPLE = 1_000


def ours(log: EventLog, engine: Compiled) -> pa.Table:
    """Return the snapshot as this project makes it, read from the files anew."""
    anew = EventLog(log.home, log.content)
    parts = snapshot_parts(anew, [AS_OF], FEATURES, threads=THREADS, engine=engine)
    return pa.concat_tables([part.table() for part in parts])


def against_peers(
    log: EventLog, engine: Compiled, environments: Path, rounds: int
) -> dict[str, float]:
    """Print how long the snapshot takes us and others, and return `x_best_peer`, `ratio_to_scan`.

    Peers' tables are compared with ours first: they must say the same of every customer.
    """
    asked = question(log, AS_OF)
    python = environments / "tables" / "bin" / "python"
    peers = {name: Peer(python, module, asked) for name, module in TABLES.items()}
    try:
        with TemporaryDirectory() as folder:
            for name, peer in peers.items():
                kept = Path(folder) / "answer.parquet"
                peer(keep=kept)
                compare(name, ours(log, engine), pq.read_table(kept), asked)
        tasks: dict[str, Callable[[], Took]] = {"ours": partial(timed, ours, log, engine)}
        tasks["scan"] = partial(peers["DuckDB SQL"], "scan")
        rounds_of = interleaved(tasks | peers, rounds)
    finally:
        for peer in peers.values():
            peer.close()
    rows = sum(ref.rows for ref in log.blocks)
    show_time(f"snapshot, {len(FEATURES)} features, {rows:,} events: Nextbest", rounds_of["ours"])
    for name in TABLES:
        show_time(f"the same in {name}", rounds_of[name])
    columns = len(asked["columns"])
    show_time(f"DuckDB sums each of the {columns} columns that the build reads", rounds_of["scan"])
    took = {name: median(some) for name, some in rounds_of.items()}
    best = min(TABLES, key=lambda name: took[name].seconds)
    by_clock, by_processor = (
        (took[best][k] / took["ours"][k], took["ours"][k] / took["scan"][k]) for k in range(2)
    )
    note = "by processor time {:.2f}, {:.2f}".format(*by_processor)
    show(
        f"{best} in Nextbest's time; Nextbest's in the scan's",
        "{:.2f}, {:.2f}".format(*by_clock),
        note,
    )
    return dict(zip(("x_best_peer", "ratio_to_scan"), by_clock, strict=True))


def featuretools(log: EventLog, environments: Path, rounds: int) -> None:
    """Print how long featuretools takes for a sample of customers, scaled to all of them."""
    asked = question(log, AS_OF) | {"sample": SAMPLE}
    peer = Peer(environments / "featuretools" / "bin" / "python", "in_featuretools", asked)
    try:
        found = interleaved({"sample": peer}, rounds)["sample"]
    finally:
        peer.close()
    scale = sum(ref.customers for ref in log.blocks) / SAMPLE
    each = f"{median(found).seconds:.3f} s for {SAMPLE:,} customers, times {scale:.0f}"
    show("35 of them in featuretools, scaled", f"{median(found).seconds * scale:.0f} s", each)


def compare(name: str, mine: pa.Table, theirs: pa.Table, asked: dict[str, Any]) -> None:
    """Stop with an error unless two tables say the same.

    Whole numbers (amounts in cents) must be equal; means, deviations, ratios and days to 1e-9 of
    their size. Customers of whom nothing was known are absent in a peer's table, and have no event
    in ours.
    """
    number = np.asarray(theirs["customer"]).astype(np.int64)
    for feature in asked["features"]:
        own = np.asarray(mine[feature["name"]]).astype(np.float64)
        other = np.asarray(theirs[feature["name"]]).astype(np.float64)
        rest = np.delete(own, number)
        if len(other) + len(rest) != len(own) or not np.all((rest == 0) | np.isnan(rest)):
            raise SystemExit(f"{name} has other customers than Nextbest.")
        if feature.get("fold") in EXACT:
            scale = feature["scale"]
            same = _equal(np.rint(own[number] * scale), np.rint(other * scale), 0.0)
        else:
            same = _equal(own[number], other, 1e-9)
        if not same.all():
            wrong = f"{int((~same).sum()):,} customers"
            raise SystemExit(f"{name} differs in {feature['name']} of {wrong}.")


def _equal(own: NDArray[Any], other: NDArray[Any], tolerance: float) -> NDArray[np.bool_]:
    # Of a deviation around nothing, only what is above a float's last digits can agree.
    return np.asarray(np.isclose(own, other, rtol=tolerance, atol=tolerance, equal_nan=True))
