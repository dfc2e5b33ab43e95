"""The stretch of time a feature or a label looks at, and what had to be known by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.clock import parse_duration
from features.errors import DeclarationError, MissingContextError
from features.kernel import windows

DAY = 86_400_000_000


@dataclass(frozen=True)
class Window:
    """``[as_of - last, as_of)`` backward, or ``[as_of, as_of + next)`` forward.

    Attributes
    ----------
    last : str or None
        Length backward, such as ``"90d"``; with `next` and `until` also None: since ever.
        A start that lies 7 days or more back falls on the full UTC hour before it.
    next : str or None
        Length forward, for labels.
    until : str or None
        Name of the context value (microseconds UTC) at which a forward window ends.
    lag : str
        How much later than the end of a forward window an event may be recorded and still count.
    """

    last: str | None = None
    next: str | None = None
    until: str | None = None
    lag: str = "0d"

    def __post_init__(self) -> None:
        given = [part for part in (self.last, self.next, self.until) if part is not None]
        if len(given) > 1:
            raise DeclarationError(
                f"A window was given as {given}.", remedy="Give one of last=, next= and until=."
            )
        for length in (self.last, self.next):
            if length is not None and parse_duration(length) <= 0:
                raise DeclarationError(
                    f"A window of {length!r} is empty.", remedy="Give a length such as '90d'."
                )

    @property
    def forward(self) -> bool:
        """Whether the window looks ahead of ``as_of``: only labels may."""
        return self.next is not None or self.until is not None

    @property
    def label(self) -> str:
        """The window's part of a feature's name: ``"90d"``, ``"ever"``, ``"next_28d"``.

        Examples
        --------
        >>> Window("90d").label, Window().label, Window(next="28d").label
        ('90d', 'ever', 'next_28d')
        """
        if self.next is not None:
            return f"next_{self.next}"
        if self.until is not None:
            return f"until_{self.until.replace('.', '_')}"
        return self.last or "ever"

    def row(self, instants: Sequence[str]) -> tuple[int, int, int, int]:
        """Return the window as a line of the kernel's table of windows.

        Parameters
        ----------
        instants : sequence of str
            The context values that windows end at, by line.
        """
        if self.until is not None:
            return windows.UNTIL, 0, parse_duration(self.lag), instants.index(self.until)
        if self.next is not None:
            return windows.NEXT, parse_duration(self.next), parse_duration(self.lag), 0
        if self.last is None:
            return windows.EVER, 0, 0, 0
        length = parse_duration(self.last)
        return (windows.HOURLY if length >= 7 * DAY else windows.EXACT), length, 0, 0

    def matures(
        self, as_of: NDArray[np.int64], context: Mapping[str, NDArray[Any]]
    ) -> NDArray[np.int64]:
        """Return for each moment when all that a forward window counts has been recorded.

        Raises
        ------
        MissingContextError
            The window ends at a context value that was not given.
        """
        if self.next is not None:
            return as_of + parse_duration(self.next) + parse_duration(self.lag)
        if self.until is None or self.until not in context:
            raise MissingContextError(
                f"A label ends at {self.until!r}, which the rows do not carry.",
                remedy=f"Give the rows a context column {self.until!r}.",
            )
        return np.asarray(context[self.until], dtype=np.int64) + parse_duration(self.lag)
