"""Timing: repeats that take turns, so that a noisy neighbour disturbs all alike."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

PEERS = Path(__file__).parent / "peers"


class Took(NamedTuple):
    """What a task took: seconds by the clock, and of all processors together."""

    seconds: float
    processor: float


def timed(work: Callable[..., object], *given: object) -> Took:
    """Return what a call took in this process; what it returns is gone afterwards."""
    seconds, processor = time.perf_counter(), time.process_time()
    work(*given)
    return Took(time.perf_counter() - seconds, time.process_time() - processor)


def interleaved(tasks: Mapping[str, Callable[[], Took]], rounds: int) -> dict[str, list[Took]]:
    """Return every round of each task, the tasks taking turns; one before them is not counted."""
    found: dict[str, list[Took]] = {name: [] for name in tasks}
    for number in range(rounds + 1):
        for name, task in tasks.items():
            took = task()
            if number:
                found[name].append(took)
    return found


def median(rounds: Sequence[Took]) -> Took:
    """Return the median of some rounds."""
    return Took(*(statistics.median(some) for some in zip(*rounds, strict=True)))


def show(what: str, figure: str, notes: str = "") -> None:
    """Print one line: what was measured, its figure, and what explains it."""
    print(f"{what:<64} {figure:>14}  {notes}".rstrip(), flush=True)


def show_time(what: str, rounds: Sequence[Took]) -> None:
    """Print the median of some rounds, their processor time, and each of them."""
    took = median(rounds)
    each = " ".join(f"{one.seconds:.3g}" for one in rounds)
    show(what, f"{took.seconds:.3f} s", f"processors {took.processor:.3f} s; rounds {each}")


def peak_bytes() -> int:
    """Return the most memory that this process has had resident."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would count the parent's memory too, which a child shares until it starts.
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
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

    def __call__(self, task: str = "snapshot", keep: Path | None = None) -> Took:
        """Return what a task took; its table is written to `keep` afterwards."""
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
        return Took(**json.loads(answer))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
