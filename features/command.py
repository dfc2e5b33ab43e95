"""What every command line does with a mistake of its user: say it, without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable

from features.errors import NextbestError

MISTAKE = 2
STOPPED = 130


def run(command: Callable[[], int]) -> int:
    """Return a command's exit code: 2 after a mistake, 130 after Ctrl-C, each with its sentence.

    Examples
    --------
    >>> run(lambda: 0)
    0
    """
    try:
        return command()
    except NextbestError as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("stopped: nothing was published.", file=sys.stderr)
        return STOPPED
