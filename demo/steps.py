"""Run the public command lines one after another, with progress and honest failures."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from features.errors import NextbestError

SHOWN_LINES = 40


@dataclass(frozen=True)
class Step:
    """One command a user could type, and what it does in a few words.

    Attributes
    ----------
    words : str
        What the step does, for people.
    arguments : tuple of str
        What follows ``python -m``.

    Examples
    --------
    >>> Step("build", ("features", "build")).line
    'python -m features build'
    """

    words: str
    arguments: tuple[str, ...]

    @property
    def line(self) -> str:
        """The command as a user would type it."""
        return " ".join(("python", "-m", *self.arguments))


class StepFailedError(NextbestError):
    """A step ended with an error; carries what it printed last."""

    def __init__(self, step: Step, code: int, printed: Sequence[str]) -> None:
        last = "\n".join(f"    {line}" for line in printed) or "    (it printed nothing)"
        super().__init__(
            f"`{step.line}` ended with exit code {code}. It printed:\n{last}\n",
            remedy="Mend what it names, then run the demo again.",
        )


def environment(home: Path) -> dict[str, str]:
    """Environment of a step: the caller's, with the demo's home and unbuffered output.

    Examples
    --------
    >>> environment(Path(".nextbest"))["NEXTBEST_HOME"]
    '.nextbest'
    """
    return {**os.environ, "NEXTBEST_HOME": str(home), "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Done:
    """A step that ended well: how long it took, and the last line it printed."""

    seconds: float
    said: str


def run(step: Step, env: Mapping[str, str], console: Console) -> Done:
    """Run a step to its end; in a terminal its progress bars are seen as they move.

    Raises
    ------
    StepFailedError
        The command ended with a code other than 0; the message holds its last 40 lines.
    """
    started = time.monotonic()
    printed: deque[str] = deque(maxlen=SHOWN_LINES)
    process = subprocess.Popen(
        [sys.executable, "-m", *step.arguments],
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=None if console.is_terminal else subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with process:
        try:
            printed.extend(line.rstrip() for line in process.stdout or () if line.strip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise StepFailedError(step, process.returncode, list(printed))
    return Done(time.monotonic() - started, printed[-1] if printed else "")
