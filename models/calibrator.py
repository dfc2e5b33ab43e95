"""From a raw margin to a probability that comes true as often as it says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from features.errors import BadInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


_USED: dict[str, tuple[str, ...]] = {
    "identity": (),
    "sigmoid": ("slope", "intercept"),
    "isotonic": ("margins", "probabilities"),
    "venn_abers": ("margins", "probabilities"),
}


@dataclass(frozen=True)
class Calibrator:
    """A rising curve from margin to probability; made by the method's own constructor.

    Source: Platt, "Probabilistic outputs for support vector machines" (1999) for `sigmoid`;
    Zadrozny & Elkan, "Transforming classifier scores into accurate multiclass probability
    estimates" (KDD 2002) for `isotonic`; Vovk & Petej, "Venn-Abers predictors" (UAI 2014) for
    `venn_abers`.

    Attributes
    ----------
    method : {"identity", "sigmoid", "isotonic", "venn_abers"}
        The logistic curve itself; the logistic curve of a line; straight lines between points,
        which are those of isotonic regression or of Venn-Abers.
    slope, intercept : float
        The line of `sigmoid`.
    margins, probabilities : tuple of float
        The points of `isotonic` and `venn_abers`; outside them the curve is flat.

    Examples
    --------
    >>> Calibrator.sigmoid(slope=2.0, intercept=-1.0).probability([0.5, 2.0]).round(3).tolist()
    [0.5, 0.953]
    """

    method: Literal["identity", "sigmoid", "isotonic", "venn_abers"] = "identity"
    slope: float = 1.0
    intercept: float = 0.0
    margins: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in _USED:
            raise _refusal(f"the method {self.method!r}", f"one of {', '.join(_USED)}")
        if not (np.isfinite([self.slope, self.intercept]).all() and self.slope >= 0):
            raise _refusal(f"the line {self.slope} x margin + {self.intercept}", "a rising one")
        if self._has_points:
            x, y = np.array(self.margins), np.array(self.probabilities)
            if x.shape != y.shape or len(x) == 0 or not np.isfinite(x).all():
                raise _refusal(f"{len(x)} margins and {len(y)} probabilities", "finite pairs")
            if not ((np.diff(x) > 0).all() and (np.diff(y) >= 0).all()):
                raise _refusal("points that fall", "rising margins and probabilities")
            if not ((y >= 0) & (y <= 1)).all():
                raise _refusal("probabilities outside 0..1", "probabilities")

    @classmethod
    def identity(cls) -> Calibrator:
        """Return the plain logistic curve."""
        return cls()

    @classmethod
    def sigmoid(cls, slope: float, intercept: float) -> Calibrator:
        """Return the logistic curve of slope x margin + intercept."""
        return cls("sigmoid", slope=float(slope), intercept=float(intercept))

    @classmethod
    def isotonic(cls, margins: ArrayLike, probabilities: ArrayLike) -> Calibrator:
        """Return straight lines between points, as scikit-learn's isotonic thresholds give them."""
        return cls("isotonic", margins=_numbers(margins), probabilities=_numbers(probabilities))

    @classmethod
    def venn_abers(cls, margins: ArrayLike, probabilities: ArrayLike) -> Calibrator:
        """Return straight lines between points of a merged Venn-Abers curve."""
        return cls("venn_abers", margins=_numbers(margins), probabilities=_numbers(probabilities))

    def probability(self, margin: ArrayLike) -> Floats:
        """Return the calibrated probability of each margin, of the same shape; never falls."""
        margin = np.asarray(margin, dtype=np.float64)
        if self._has_points:
            return np.asarray(np.interp(margin, *self._points))
        line = margin if self.method == "identity" else self.slope * margin + self.intercept
        # exp of a negative number only: the other side overflows
        small = np.exp(-np.abs(line))
        return np.asarray(np.where(line >= 0, 1.0, small) / (1.0 + small))

    @property
    def _has_points(self) -> bool:
        return "margins" in _USED[self.method]

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        return np.array(self.margins), np.array(self.probabilities)

    def to_json(self) -> dict[str, Any]:
        """Return the plain values of this method from which `from_json` makes an equal one."""
        plain: dict[str, Any] = {"method": self.method}
        for name in _USED[self.method]:
            value = getattr(self, name)
            plain[name] = list(value) if isinstance(value, tuple) else value
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Calibrator:
        """Return the calibrator that `to_json` described."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in plain.items()
        }
        return cls(**values)


def _numbers(values: ArrayLike) -> tuple[float, ...]:
    return tuple(np.asarray(values, dtype=float).tolist())


def _refusal(got: str, wanted: str) -> BadInputError:
    return BadInputError(f"A calibrator got {got}.", remedy=f"Give it {wanted}.")
