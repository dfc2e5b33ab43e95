"""python -m benchmarks.serving: requests a second beside a FastAPI endpoint that does nothing.

One worker each, 8 keep-alive connections, 0.9 kB of JSON with 40 features, 300 trees of 31 leaves;
rounds take turns and medians count. `by_id` needs a home with an online store and a customer of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.serving.calls import rate
from benchmarks.serving.model import publish
from benchmarks.serving.peers import peer
from benchmarks.serving.scaling import p99_ratio, two_workers
from benchmarks.serving.servers import ready_file

PATH = "/v1/scores/churn"
PARTS = ("inline", "logged", "by_id", "explain", "tutorial", "mlflow", "bentoml", "litserve")
OF_BOTH = ("tail", "workers")
PEERS = Path(".venv-peers/serving/bin/python")
NAN = float("nan")


def main() -> int:
    """Measure, print a table and one line of ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", nargs="*", choices=PARTS + OF_BOTH, default=[*PARTS, *OF_BOTH])
    parser.add_argument("--home", type=Path, help="with an online store, for by_id")
    parser.add_argument("--customer", help="whom by_id asks about")
    parser.add_argument("--python", type=Path, default=PEERS, help="of the peers' environment")
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
            "logged": ("logged", {"features": features}),
            "by_id": ("ours", {"customer_id": asked.customer}),
            "explain": ("ours", {"features": features, "explain": 5}),
            "tutorial": ("tutorial", {"features": features}),
        }
        tasks = {"noop": ("noop", PATH, inline)}
        for part in asked.only:
            if part in wanted and (part != "by_id" or asked.home is not None):
                server, body = wanted[part]
                tasks[part] = (server, PATH, json.dumps(body).encode())
        names = dict.fromkeys(server for server, _, _ in tasks.values())
        servers = {name: start(held, own(name, home)) for name in names}
        for name in dict.fromkeys(asked.only):
            if name in wanted or name in OF_BOTH or not (name == "mlflow" or asked.python.exists()):
                continue
            port = free_port()
            other = peer(name, home, port, features, asked.python)
            servers[name] = start(
                held, lambda _, other=other: other.command, other.environment, port
            )
            tasks[name] = (name, other.path, json.dumps(other.body).encode())
        found: dict[str, list[float]] = {name: [] for name in tasks}
        processor: dict[str, list[float]] = {name: [] for name in tasks}
        for number in range(asked.rounds + 1):
            for name, (server, path, body) in tasks.items():
                port, process = servers[server]
                before, seconds = processor_seconds(process), asked.seconds if number else 0.5
                answered = rate(port, path, body, seconds)
                if number:
                    found[name].append(answered)
                    used = processor_seconds(process) - before
                    processor[name].append(1e6 * used / (answered * seconds))
        medians = {name: statistics.median(rates) for name, rates in found.items()}
        more = beside_noop(asked, held, home, servers, medians, inline)
    for name, rates in found.items():
        each = " ".join(f"{one:,.0f}" for one in rates)
        used = statistics.median(processor[name])
        print(
            f"{name:<12} {medians[name]:>10,.0f} requests/s  {used:>7,.0f} us of a processor each; "
            f"rounds {each}"
        )
    said = ratios(medians) | more
    print("RESULT " + " ".join(f"{key}={value:.3g}" for key, value in said.items()))
    return 0


def beside_noop(
    asked: argparse.Namespace,
    held: ExitStack,
    home: Path,
    servers: dict[str, tuple[int, int]],
    medians: dict[str, float],
    inline: bytes,
) -> dict[str, float]:
    """Return the ratios of `benchmarks.serving.scaling`; NaN where nothing was measured."""
    found = dict.fromkeys(("p99_ratio", "two_workers"), NAN)
    if "tail" in asked.only and "inline" in medians:
        ports = {"noop": servers["noop"][0], "inline": servers["ours"][0]}
        half = medians["inline"] / 2
        found["p99_ratio"] = p99_ratio(ports, PATH, inline, half, asked.rounds, asked.seconds)
    if "workers" in asked.only:

        def several(name: str, workers: int) -> int:
            served = {"inline": "ours"}.get(name, name)
            port, _ = start(held, own(served, home, workers))
            while not ready_file(home, served, workers).exists():
                time.sleep(0.05)
            return port

        found["two_workers"] = two_workers(several, PATH, inline, asked.rounds, asked.seconds)
    return found


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
        "ratio_logged": of("logged", "noop"),
        "x_tutorial": of("inline", "tutorial"),
        "x_mlflow": of("inline", "mlflow"),
        "x_bentoml": of("inline", "bentoml"),
        "x_litserve": of("inline", "litserve"),
        "by_id_ratio": of("by_id", "inline"),
        "reasons_ratio": of("explain", "inline"),
    }


def processor_seconds(process: int) -> float:
    """Return the processor time of a process and its children: a busy machine changes it little."""
    used, waiting = 0, [process]
    while waiting:
        each = waiting.pop()
        try:
            stat = Path(f"/proc/{each}/stat").read_text()
            tasks = list(Path(f"/proc/{each}/task").iterdir())
            born = [(task / "children").read_text().split() for task in tasks]
        except FileNotFoundError:  # it ended meanwhile
            continue
        used += sum(map(int, stat.rpartition(")")[2].split()[11:13]))
        waiting += [int(child) for children in born for child in children]
    return used / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port of the loopback address that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a server and its children to stop, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)


def own(name: str, home: Path, workers: int = 0) -> Callable[[int], Sequence[str]]:
    """Return the command that starts a server of `benchmarks.serving.servers` at a port.

    With a number of workers it is they who answer, one too, behind `serving.workers`' door.
    """
    program = (sys.executable, "-m", "benchmarks.serving.servers")
    return lambda port: (*program, name, str(home), str(port), *([str(workers)] * bool(workers)))


def start(
    held: ExitStack,
    command: Callable[[int], Sequence[str]],
    environment: dict[str, str] | None = None,
    port: int | None = None,
) -> tuple[int, int]:
    """Start a server, wait until it listens, and return its port and process."""
    port = port or free_port()
    process = subprocess.Popen(
        command(port), env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL if environment else None,
        stderr=subprocess.DEVNULL if environment else None,
    )  # fmt: skip
    held.callback(process.wait)
    held.callback(end, process)
    for _ in range(900):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(1.0 if environment else 0.0)
                return port, process.pid
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"This server did not start: {' '.join(command(port))}")


if __name__ == "__main__":
    sys.exit(main())
