"""python -m benchmarks.serving.tables: an Arrow body's rows a second beside `Booster.predict`.

The model of `benchmarks.serving`; both use the same threads and take turns, medians count. The
server's memory is its peak while it answers less what it had before, in shares of the body.
"""

from __future__ import annotations

import argparse
import http.client
import io
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa

from benchmarks.serving.model import publish, rows, spec
from serving.tables.media import ARROW


def main() -> int:
    """Measure, print a table and one line of ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch-rows", type=int, default=65_536, help="of the Arrow stream")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "cache").mkdir()
        publish(home / "cache")
        oracle = lightgbm.Booster(model_file=home / "cache" / "churn" / "1" / "booster.txt")
        X, body = made(asked.rows, asked.batch_rows)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.serving.servers", "ours", folder, str(port)]
        environment = os.environ | {"NEXTBEST_THREADS": str(asked.threads)}
        with subprocess.Popen(command, env=environment) as server:
            try:
                call(port, made(100, 100)[1], wait=True)  # pyarrow is imported by the first
                before = memory(server.pid, "VmRSS")
                ours, theirs = [], []
                for _ in range(asked.rounds):
                    started = time.perf_counter()
                    answer = call(port, body)
                    ours.append(asked.rows / (time.perf_counter() - started))
                    started = time.perf_counter()
                    expected = oracle.predict(X, raw_score=True, num_threads=asked.threads)
                    theirs.append(asked.rows / (time.perf_counter() - started))
                peak = memory(server.pid, "VmHWM") - before
            finally:
                server.terminate()
        margins = pa.ipc.open_stream(answer).read_all().column("margin").to_numpy()
        print(f"equal margins: {np.array_equal(margins, expected)}")
        for name, rates in (("ours", ours), ("predict", theirs)):
            print(f"{name:8} {statistics.median(rates):12,.0f} rows/s")
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        print(f"RESULT batch_ratio={ratio:.3f} memory_ratio={peak / len(body):.3f}")
    return 0


def made(n: int, rows_a_batch: int) -> tuple[Any, bytes]:
    """Return n rows as float64[n, 40] and as an Arrow stream."""
    asked = spec()
    X = rows(asked)
    X = X[np.random.default_rng(2).integers(0, len(X), n)]
    columns = {
        feature.name: X[:, at] > 0 if feature.dtype == "bool" else np.ascontiguousarray(X[:, at])
        for at, feature in enumerate(asked.features)
    }
    table, sink = pa.table(columns), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_a_batch)
    return X, sink.getvalue()


def call(port: int, body: bytes, wait: bool = False) -> bytes:
    """Return the answer to a table; waits for a server that starts."""
    deadline = time.monotonic() + 60.0
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request("POST", "/v1/scores/churn/batch", body, {"content-type": ARROW})
            answer = connection.getresponse()
            found = answer.read()
        except ConnectionRefusedError:
            if not wait or time.monotonic() > deadline:
                raise
        else:
            if answer.status == 200:
                return found
            if not wait or time.monotonic() > deadline:
                raise SystemExit(f"{answer.status}: {found[:500]!r}")
        finally:
            connection.close()
        time.sleep(0.1)


def memory(process: int, kind: str) -> int:
    """Return bytes of a process, as Linux counts them."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"There is no {kind} of the server.")


if __name__ == "__main__":
    sys.exit(main())
