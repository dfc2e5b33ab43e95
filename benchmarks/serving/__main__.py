"""python -m benchmarks.serving: requests a second beside a FastAPI endpoint that does nothing.

One worker each, 8 keep-alive connections, 0.9 kB of JSON with 40 features, 300 trees of 31 leaves;
rounds take turns and medians count. `by_id` needs a home with an online store and a customer of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.serving.calls import rate
from benchmarks.serving.model import publish

PATH = "/v1/scores/churn"
PARTS = ("inline", "by_id", "explain", "tutorial")
NAN = float("nan")


def main() -> int:
    """Measure, print a table and one line of ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--home", type=Path, help="with an online store, for by_id")
    parser.add_argument("--customer", help="whom by_id asks about")
    asked = parser.parse_args()
    with ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory()))
        if asked.home is not None:
            shutil.copytree(asked.home / "online", home / "online")
        (home / "cache").mkdir()
        features = publish(home / "cache")
        inline = json.dumps({"features": features}).encode()
        print(f"{len(features)} features, {len(inline)} bytes")
        wanted = {
            "inline": ("ours", {"features": features}),
            "by_id": ("ours", {"customer_id": asked.customer}),
            "explain": ("ours", {"features": features, "explain": 5}),
            "tutorial": ("tutorial", {"features": features}),
        }
        tasks = {"noop": ("noop", inline)}
        for part in asked.only:
            if part != "by_id" or asked.home is not None:
                server, body = wanted[part]
                tasks[part] = (server, json.dumps(body).encode())
        servers = {
            name: start(held, name, home) for name in dict.fromkeys(s for s, _ in tasks.values())
        }
        found: dict[str, list[float]] = {name: [] for name in tasks}
        processor: dict[str, list[float]] = {name: [] for name in tasks}
        for number in range(asked.rounds + 1):
            for name, (server, body) in tasks.items():
                port, process = servers[server]
                before, seconds = processor_seconds(process), asked.seconds if number else 0.5
                answered = rate(port, PATH, body, seconds)
                if number:
                    found[name].append(answered)
                    used = processor_seconds(process) - before
                    processor[name].append(1e6 * used / (answered * seconds))
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    for name, rates in found.items():
        each = " ".join(f"{one:,.0f}" for one in rates)
        used = statistics.median(processor[name])
        print(
            f"{name:<12} {medians[name]:>10,.0f} requests/s  {used:>7,.0f} us of a processor each; "
            f"rounds {each}"
        )
    print("RESULT " + " ".join(f"{key}={value:.3g}" for key, value in ratios(medians).items()))
    return 0


def ratios(medians: dict[str, float]) -> dict[str, float]:
    """Return what the last line says; NaN where nothing was measured.

    Examples
    --------
    >>> ratios({"noop": 100.0, "inline": 90.0})["ratio_to_noop"]
    0.9
    """

    def of(one: str, other: str) -> float:
        return medians[one] / medians[other] if one in medians and other in medians else NAN

    return {
        "ratio_to_noop": of("inline", "noop"),
        "ratio_logged": NAN,
        "x_tutorial": of("inline", "tutorial"),
        "x_mlflow": of("inline", "mlflow"),
        "x_bentoml": of("inline", "bentoml"),
        "by_id_ratio": of("by_id", "inline"),
        "reasons_ratio": of("explain", "inline"),
    }


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has used: a busy machine does not change it much."""
    used = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def start(held: ExitStack, name: str, home: Path) -> tuple[int, int]:
    """Start a server, wait until it listens, and return its port and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.serving.servers", name, str(home), str(port)]
    process = subprocess.Popen(command)
    held.callback(process.wait)
    held.callback(process.terminate)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return port, process.pid
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"The server {name!r} did not start.")


if __name__ == "__main__":
    sys.exit(main())
