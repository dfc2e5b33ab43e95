"""How far this customer's true probability may lie from the one that is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import BadInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.9


@dataclass(frozen=True)
class Intervals:
    """A look-up table from margin to an interval; straight between its points, flat outside.

    It speaks of the customer's probability, not of the answer: of many customers with an
    interval of 0.2 to 0.4, nine in ten have a true probability inside.

    Attributes
    ----------
    margins : tuple of float
        Rising.
    low, high : tuple of float
        Probabilities at the margins.
    level : float
        Share of true probabilities that are inside.

    Examples
    --------
    >>> table = Intervals((-1.0, 1.0), (0.1, 0.5), (0.3, 0.9))
    >>> [ends.round(2).tolist() for ends in table.of([-5.0, 0.0])]
    [[0.1, 0.3], [0.3, 0.6]]
    """

    margins: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    level: float = LEVEL

    def __post_init__(self) -> None:
        x, low, high = self._table
        if not (len(x) and x.shape == low.shape == high.shape and np.isfinite(x).all()):
            raise _refusal(f"{len(x)} margins, {len(low)} lower and {len(high)} upper ends")
        if not (np.diff(x) > 0).all():
            raise _refusal("margins that do not rise")
        # False for NaN too
        if not ((low >= 0) & (low <= high) & (high <= 1)).all() or not 0 < self.level < 1:
            raise _refusal("ends that are no probabilities in their order, or no level")

    def of(self, margin: ArrayLike) -> tuple[Floats, Floats]:
        """Return lower and upper ends, each of the margins' shape."""
        margin = np.asarray(margin, dtype=np.float64)
        x, low, high = self._table
        return np.asarray(np.interp(margin, x, low)), np.asarray(np.interp(margin, x, high))

    @cached_property
    def _table(self) -> tuple[Floats, Floats, Floats]:
        return np.array(self.margins, float), np.array(self.low, float), np.array(self.high, float)

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes an equal table."""
        return {
            "level": self.level,
            "margins": list(self.margins),
            "low": list(self.low),
            "high": list(self.high),
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Intervals:
        """Return the table that `to_json` described."""
        margins, low, high = (tuple(plain[name]) for name in ("margins", "low", "high"))
        return cls(margins, low, high, level=plain["level"])


def _refusal(got: str) -> BadInputError:
    return BadInputError(
        f"A table of intervals got {got}.",
        remedy="Give rising margins and a lower and an upper probability for each.",
    )
