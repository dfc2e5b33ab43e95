"""Timing: repeats that take turns, so that a noisy neighbour disturbs all alike."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PEERS = Path(__file__).parent / "peers"
MIB = 2**20


def interleaved(
    tasks: Mapping[str, Callable[[], float | None]], rounds: int
) -> dict[str, list[float]]:
    """Return seconds of every round of each task, the tasks taking turns.

    A task may return its own seconds, measured where it ran. One round before is not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(rounds + 1):
        for name, task in tasks.items():
            started = time.perf_counter()
            own = task()
            took = time.perf_counter() - started if own is None else own
            if number:
                seconds[name].append(took)
    return seconds


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the median of each task's rounds."""
    return {name: statistics.median(some) for name, some in seconds.items()}


def show(what: str, figure: str, rounds: list[float] | None = None) -> None:
    """Print one line: what was measured, its figure, and the seconds of its rounds."""
    each = "" if rounds is None else f"  [{' '.join(f'{s:.3g}' for s in rounds)}]"
    print(f"{what:<58} {figure:>14}{each}", flush=True)


def peak_bytes() -> int:
    """Return the most memory that this process has had resident."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class Peer:
    """A library in a process and an environment of its own.

    Parameters
    ----------
    python : Path
        Its environment's interpreter.
    module : str
        In `benchmarks/features/peers`.
    question : dict
        See `benchmarks.features.wanted.question`.
    """

    def __init__(self, python: Path, module: str, question: dict[str, Any]) -> None:
        self._question = question
        self._process = subprocess.Popen(
            [str(python), str(PEERS / "answering.py"), module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, task: str = "snapshot", keep: Path | None = None) -> float:
        """Return how many seconds a task took; its table is written to `keep` afterwards."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {
            "task": task,
            "question": self._question,
            "keep": None if keep is None else str(keep),
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("A peer ended before it answered; what it said stands above.")
        return float(json.loads(answer)["seconds"])

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
