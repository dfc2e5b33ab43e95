"""What signals do in a process that serves."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """A signal asked to stop while there was nothing to stop yet."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Make a signal end the block; after it, signals are uvicorn's.

    uvicorn raises a signal again once it has shut down, which by then must not end the process
    before the rest has been stopped: so what it comes back to does nothing.
    """

    def stop(number: int, frame: object) -> None:
        raise Stopped

    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in SIGNALS:
            signal.signal(number, lambda number, frame: None)
