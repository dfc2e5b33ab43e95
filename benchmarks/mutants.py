"""Plants mistakes in a copy of the kernel, one at a time: the parity suite must catch each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LOGS = 6
PROGRAM = "from benchmarks.mutants import judge; judge()"


class Mutant(NamedTuple):
    """A mistake: what stands exactly once in a file, and what is put in its place."""

    what: str
    file: str
    right: str
    wrong: str


KERNEL = "features/kernel/"
MUTANTS = (
    Mutant("inclusive end, rows swept", KERNEL + "sweep.py",
           "back = values[0, e] < now", "back = values[0, e] <= now"),
    Mutant("inclusive end, windows sliding", KERNEL + "windows.py",
           "places[len(windows), j] = stop - first_event",
           "places[len(windows), j] = _first_of(values, now + 1, stop, last_event) - first_event"),
    Mutant("inclusive end, windows over matches sliding", KERNEL + "windows.py",
           "stop = _first(values, members, s, now, stop, last)",
           "stop = _first(values, members, s, now + 1, stop, last)"),
    Mutant("inclusive end, windows ahead sliding", KERNEL + "windows.py",
           "stop = _first(values, members, s, end,", "stop = _first(values, members, s, end + 1,"),
    Mutant("inclusive end, windows ahead swept", KERNEL + "sweep.py",
           "values[0, e] < edges[1, w, i]", "values[0, e] <= edges[1, w, i]"),
    Mutant("exclusive start, rows swept", KERNEL + "sweep.py",
           "values[0, e] >= edges[0, w, i]", "values[0, e] > edges[0, w, i]"),
    Mutant("exclusive start, windows sliding", KERNEL + "windows.py",
           "low = _first_of(values, start,", "low = _first_of(values, start + 1,"),
    Mutant("recorded clock ignored, rows swept", KERNEL + "sweep.py",
           "(back and values[1, e] >= now)", "(back and values[1, e] >= 2**62)"),
    Mutant("recorded clock ignored, windows sliding", KERNEL + "windows.py",
           "lines[UNSURE, j] = newest >= now", "lines[UNSURE, j] = 0"),
    Mutant("a row's events in a window of the row before", KERNEL + "sweep.py",
           "same = i > 0 and as_of[r] == as_of[r - 1]", "same = i > 0"),
    Mutant("late event counted early: rows taken for sure", KERNEL + "windows.py",
           "so_far = max(so_far, values[1, members[s, m]])", "so_far = values[1, members[s, m]]"),
    Mutant("known event behind an unknown one forgotten", KERNEL + "windows.py",
           "found = True", "found = False"),
    Mutant("occurred clock ignored in place", KERNEL + "windows.py",
           "stop = _first(values, members, s, end, max(stop, low), last)", "stop = last"),
    Mutant("hour alignment dropped", KERNEL + "windows.py",
           "(at - windows[w, 1]) // HOUR * HOUR", "at - windows[w, 1]"),
    Mutant("a window's length one microsecond short", KERNEL + "windows.py",
           "return at - windows[w, 1], at, at", "return at - windows[w, 1] + 1, at, at"),
    Mutant("float sum", KERNEL + "take.py",
           "            if value != null:\n"
           "                total, carry = add(out[slot, i], out[slot + 1, i], value)",
           "            if value != null:\n                carry = 0\n"
           "                total = int((out[slot, i] / 100.0 + value / 100.0) * 100.0)"),
    Mutant("unsorted ties, offline", "tests/features/memory_log.py",
           'e["customer_id"], e["occurred_at"], e["event_id"])',
           'e["customer_id"], e["occurred_at"], e["event_id"][::-1])'),
    Mutant("unsorted ties, online", "features/record.py",
           "place = bisect_left(range(high), event_id, low, high, key=record.event_id)",
           "place = high"),
    Mutant("the earliest of events ties to the later", KERNEL + "order.py",
           "first = max(first, a)", "first = max(first, a + 1)"),
    Mutant("sliding window forgets to take out", KERNEL + "sums.py",
           "total, carry = add(total, carry, -value)", "total, carry = add(total, carry, 0)"),
    Mutant("sliding tally forgets to take out", KERNEL + "codes.py",
           "tally[code] -= 1\n                n -= tally[code] == 0", "n -= tally[code] == 0"),
    Mutant("a code counted once in several rows", KERNEL + "take.py",
           "+= tallies[SEEN, t, code] != stamp + i", "+= tallies[SEEN, t, code] < stamp"),
    Mutant("sliding extreme of what has left the window", KERNEL + "order.py",
           "if low > middle:", "if low > middle + 1:"),
    Mutant("mode keeps the code that was first to lead", KERNEL + "cells.py",
           "if tallies[COUNTS, t, code] >= tallies[COUNTS, t, most]:",
           "if tallies[COUNTS, t, code] > tallies[COUNTS, t, most]:"),
    Mutant("merge takes the first for the last", KERNEL + "states.py",
           "op == LAST\n", "op == FIRST\n"),
    Mutant("gap across tiles forgotten", KERNEL + "states.py",
           "gap = (late[k, b + 3] - last) // HOUR", "gap = 0"),
    Mutant("latest attribute known at the moment itself", KERNEL + "latest.py",
           "if known_at[middle] < as_of[r]:", "if known_at[middle] <= as_of[r]:"),
    Mutant("weight of the hour before", KERNEL + "take.py",
           "age = as_of[first_row + i] // HOUR - values[0, e] // HOUR",
           "age = (as_of[first_row + i] - values[0, e]) // HOUR"),
    Mutant("a missing amount counted", KERNEL + "take.py",
           "            if value != null:\n                held = out[slot, i]",
           "            if True:\n                held = out[slot, i]"),
)  # fmt: skip


def main() -> int:
    """Judge each mutant, print a line about it, and return how many lived."""
    lived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("features", "models", "tests", "benchmarks"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        said = run(copy)
        if said:
            sys.exit(f"The suite fails without any mutant: {said}")
        for mutant in MUTANTS:
            started = time.perf_counter()
            caught = _judged(copy, mutant)
            lived += not caught
            seconds = time.perf_counter() - started
            print(f"{mutant.what}: {caught or 'NOT CAUGHT'} ({seconds:.0f} s)", flush=True)
    print(f"{len(MUTANTS) - lived} of {len(MUTANTS)} mutants caught.")
    return lived


def _judged(copy: Path, mutant: Mutant) -> str:
    file = copy / mutant.file
    right = file.read_text()
    if right.count(mutant.right) != 1:
        found = right.count(mutant.right)
        sys.exit(f"{mutant.what}: {mutant.file} has {mutant.right!r} {found} times")
    file.write_text(right.replace(mutant.right, mutant.wrong))
    try:
        return run(copy)
    finally:
        file.write_text(right)


def run(copy: Path) -> str:
    """Return what the parity suite says of the code in a folder: nothing if it is right."""
    own = {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=copy, env={**os.environ, **own}, capture_output=True,
        text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode == 0:
        return ""
    last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{done.returncode}"
    return f"caught by {last.split(';')[0][:160]}"


def judge() -> None:
    """Compare with the oracle, uncompiled: offline, then an online store whose events are tiles."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    from features.jit import PLAIN
    from tests.contracts import test_parity as parity
    from tests.features.crowds import crowds

    with tempfile.TemporaryDirectory() as folder:
        strangers = Path(folder) / "log"
        parity.write_strangers(strangers)

        @settings(
            max_examples=LOGS, derandomize=True, database=None, deadline=None,
            phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(crowd=crowds(50), seed=st.integers(0, 2**32))
        def check(crowd: parity.Crowd, seed: int) -> None:
            try:
                parity.check_offline(PLAIN, crowd)
            except BaseException as error:
                raise SystemExit(f"offline: {_first(error)}") from None
            home = Path(tempfile.mkdtemp(dir=folder))
            shutil.copytree(strangers, home, dirs_exist_ok=True)
            try:
                parity.check_online(PLAIN, "embedded", home, parity.present(crowd), seed, 3)
            except BaseException as error:
                raise SystemExit(f"online: {_first(error)}") from None

        check()


def _first(error: BaseException) -> str:
    return f"{type(error).__name__} {error}".splitlines()[0].split(";")[0]


if __name__ == "__main__":
    sys.exit(main())
