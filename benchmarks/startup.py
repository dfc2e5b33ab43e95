"""How long a start from the disk cache takes while the registry is dead, and what a worker weighs.

    python -m benchmarks.startup

Four champions (`benchmarks.serving.four`) and the online store lie on disk, machine code too; at
the registry's address nobody listens. Ready is when `/health/ready` says so, counted from the
start of the process. Memory is what is resident once each model has given a score with reasons;
the tables that reasons need are counted apart.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.real_server import MIB, ask, resident_mib, server
from benchmarks.serving.__main__ import processor_seconds
from benchmarks.serving.four import fill, publish_all
from models.blend import Blend
from models.booster import Booster
from models.bundle import Bundle
from models.catalog import CATALOG


def main() -> int:
    """Start some times; print each and one line of medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--home", type=Path, help="a home with a cache and an online store")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = asked.home or Path(scratch)
        if asked.home is None:
            fill(home)
            publish_all(home / "cache")
        tables = reason_tables_mib(home / "cache")
        started(home)  # makes the machine code
        ready, used, resident = zip(*(started(home) for _ in range(asked.starts)), strict=True)
    for seconds, processor, mib in zip(ready, used, resident, strict=True):
        print(f"ready after {seconds:.2f} s, {processor:.2f} s of a processor; {mib:.0f} MiB")
    weight = statistics.median(resident)
    print(f"reason tables: {tables:.1f} MiB of it")
    print(
        f"RESULT ready_s={statistics.median(ready):.2f} rss_mib={weight - tables:.0f} "
        f"reason_tables_mib={tables:.1f} ready_processor_s={statistics.median(used):.2f}"
    )
    return 0


def started(home: Path) -> tuple[float, float, float]:
    """Start once: seconds until ready, the worker's processor seconds until then, and its MiB."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    with server(home, MLFLOW_TRACKING_URI=dead) as running:
        status, content = ask(running.port, "/health/ready")
        ready, used = time.monotonic() - began, processor_seconds(running.process)
        if status != 200:
            raise SystemExit(f"It is not ready: {content.decode()}")
        for model in json.loads(content)["champions"]:
            features = dict.fromkeys(CATALOG[model].feature_names)
            number = next(f.name for f in CATALOG[model].features if f.dtype == "int")
            body = {"features": features | {number: 3}, "explain": 5}
            status, answer = ask(running.port, f"/v1/scores/{model}", body)
            if status != 200:
                raise SystemExit(f"{model} does not answer: {answer.decode()}")
        return ready, used, resident_mib(running.process)


def reason_tables_mib(cache: Path) -> float:
    """Return what the tables for reasons of all champions take, MiB."""
    found = 0
    for champion in sorted(cache.glob("*/champion.json")):
        version = json.loads(champion.read_text())["version"]
        engine = Bundle.load(champion.parent / version).engine
        if isinstance(engine, Blend):
            engine = engine.booster
        if isinstance(engine, Booster):
            found += engine.shapley.tables.nbytes
    return found / MIB


if __name__ == "__main__":
    sys.exit(main())
