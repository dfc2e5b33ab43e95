"""Whether something answers: what fell silent is asked by one caller a second, not by all.

Source: Nygard, Release It!, 2nd ed., chapter 5, Circuit Breaker.
"""

from __future__ import annotations

import time
from collections.abc import Callable

RETRY_SECONDS = 1.0


class Breaker:
    """Remembers whether something answered when it was last asked.

    Parameters
    ----------
    changed : callable
        Told True when it answers again, False when it falls silent.
    clock : callable
        Seconds that never go back.

    Examples
    --------
    >>> now = [0.0]
    >>> breaker = Breaker(clock=lambda: now[0])
    >>> breaker.hear(answers=False)
    >>> breaker.may_ask()
    False
    >>> now[0] = RETRY_SECONDS
    >>> breaker.may_ask(), breaker.may_ask()
    (True, False)
    """

    def __init__(
        self,
        changed: Callable[[bool], None] = lambda answers: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed, self._clock = changed, clock
        self._again_at = float("-inf")
        self.is_silent = False

    def may_ask(self) -> bool:
        """Return whether to ask now; while it is silent, True once a second."""
        if not self.is_silent:
            return True
        now = self._clock()
        if now < self._again_at:
            return False
        self._again_at = now + RETRY_SECONDS  # one caller asks; the others need not wait for it
        return True

    def hear(self, answers: bool) -> None:
        """Learn what became of a question."""
        if not answers:
            self._again_at = self._clock() + RETRY_SECONDS
        if answers == self.is_silent:
            self.is_silent = not answers
            self._changed(answers)
