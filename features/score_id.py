"""The id of a served score: when it was served, by which process; later ids sort later."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from features.errors import NextbestError

MOMENT, PROCESS = 14, 12
"""Hexadecimal digits of the moment (microseconds UTC), then of the process."""


class ScoreIdError(NextbestError):
    """A text that is no score's id, or one that nothing is kept of."""


class ScoreIds:
    """Gives each score of one process an id of its own; of one thread.

    Parameters
    ----------
    process : str, optional
        12 hexadecimal digits that no other process has; by default drawn.
    wall : callable
        Nanoseconds UTC. A clock that stands or goes back gives ids that go on by a microsecond.

    Examples
    --------
    >>> ids = ScoreIds("00000000abcd", wall=lambda: 5_000)
    >>> ids.next(), ids.next()
    ('0000000000000500000000abcd', '0000000000000600000000abcd')
    """

    def __init__(self, process: str | None = None, wall: Callable[[], int] = time.time_ns) -> None:
        self.process = process or secrets.token_hex(PROCESS // 2)
        self._wall = wall
        self._last = 0

    def next(self) -> str:
        """Return the next id, 26 characters."""
        moment = self._wall() // 1_000
        if moment <= self._last:
            moment = self._last + 1
        self._last = moment
        return f"{moment:014x}{self.process}"


def parts_of_id(score_id: str) -> tuple[int, str]:
    """Return the moment (microseconds UTC) and the process that an id holds.

    Raises
    ------
    ScoreIdError
        It is no score's id.

    Examples
    --------
    >>> parts_of_id("0000000000000500000000abcd")
    (5, '00000000abcd')
    """
    if len(score_id) != MOMENT + PROCESS or not set(score_id) <= set("0123456789abcdef"):
        raise ScoreIdError(
            f"{score_id[:40]!r} is no score's id.",
            remedy=f"Copy `score_id` from an answer: {MOMENT + PROCESS} hexadecimal digits.",
        )
    return int(score_id[:MOMENT], 16), score_id[MOMENT:]
