"""Customers whose true margins are known, and models that see them through noise.

A model of a retraining is what it knows: the true margin plus noise, shrunk so that its
probabilities are calibrated. How much noise is settled by the log loss it shall have against the
champion's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from models.finding import Finding
from models.gate import Decision, decide
from models.promotion import Gate

Floats = NDArray[np.float64]

ROWS = 20_000
CUSTOMERS = 12_000
REGIONS = {"north": 0.4, "east": 0.3, "west": 0.2, "south": 0.1}
MEAN, BETWEEN, WITHIN = -1.8, 1.0, 0.7  # of margins: of customers, and of one customer's rows
SPREAD2 = BETWEEN**2 + WITHIN**2
CHAMPION = 0.8
"""Standard deviation of the champion's noise."""
SHARED = 0.5
"""Share of the noise's variance that champion and challenger have in common."""


@dataclass(frozen=True)
class Rows:
    """Rows to be judged, and what is true of them."""

    y: NDArray[np.int64]
    customers: NDArray[np.int64]
    region: NDArray[np.str_]
    margin: Floats

    @property
    def segments(self) -> dict[str, NDArray[np.bool_]]:
        """Rows of each region."""
        return {name: self.region == name for name in REGIONS}


@dataclass(frozen=True)
class Retraining:
    """A challenger beside the champion on the same rows."""

    rows: Rows
    challenger: Floats
    champion: Floats
    findings: tuple[Finding, ...] = field(default=())

    def decision(self, gate: Gate | None = None) -> Decision:
        """Return what the gate makes of it."""
        y = self.rows.y
        return decide(
            gate or Gate(),
            y,
            self.rows.customers,
            self.challenger,
            {"constant rate": np.full(len(y), y.mean())},
            self.champion,
            findings=self.findings,
            segments=self.rows.segments,
        )


def rows(random: np.random.Generator, n: int = ROWS) -> Rows:
    """Return rows of customers, some of whom have several."""
    n_customers = n * CUSTOMERS // ROWS
    whose = random.integers(n_customers, size=n)
    place = random.choice(list(REGIONS), n_customers, p=list(REGIONS.values()))
    own = random.normal(0, BETWEEN, n_customers)
    margin = MEAN + own[whose] + random.normal(0, WITHIN, n)
    y = (random.random(n) < expit(margin)).astype(np.int64)
    return Rows(y, whose, place[whose], margin)


def seen(margin: Floats, noise: Floats, sd: Floats | float) -> Floats:
    """Return calibrated probabilities of who sees margins through noise of a standard deviation.

    What stays unknown flattens the curve. Source: MacKay (1992), The evidence framework applied to
    classification networks.
    """
    weight = SPREAD2 / (SPREAD2 + np.square(sd))
    mean = MEAN + weight * (margin - MEAN + noise * sd)
    return expit(mean / np.sqrt(1 + np.pi / 8 * SPREAD2 * (1 - weight)))


def noises(random: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Return the noise of challenger and champion, each of variance 1."""
    common, one, other = random.normal(size=(3, n))
    return tuple(np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * own for own in (one, other))


@cache
def noise_for(ratio: float) -> float:
    """Return the noise whose log loss is the champion's times a ratio, by bisection.

    Examples
    --------
    >>> noise_for(0.98) < CHAMPION < noise_for(1.1)
    True
    """
    random = np.random.default_rng(0)
    margin, noise = random.normal(MEAN, np.sqrt(SPREAD2), 400_000), random.normal(size=400_000)

    def loss(sd: float) -> float:
        p, truth = seen(margin, noise, sd), expit(margin)
        return float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean())

    asked, low, high = ratio * loss(CHAMPION), 0.0, 20.0
    if not loss(low) < asked < loss(high):
        raise ValueError(f"no noise gives {ratio} times the champion's log loss")
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if loss(middle) < asked else (low, middle)
    return (low + high) / 2


def sloped(p: Floats, slope: float) -> Floats:
    """Return probabilities with the same mean, stretched so that their calibration slope is so."""
    margin = logit(p)
    stretched = margin / slope
    shift, low, high = 0.0, -10.0, 10.0
    for _ in range(60):
        shift = (low + high) / 2
        low, high = (shift, high) if expit(stretched + shift).mean() < p.mean() else (low, shift)
    return expit(stretched + shift)


def retraining(
    random: np.random.Generator, n: int, ratio: float, elsewhere: float | None = None
) -> Retraining:
    """Return a challenger whose log loss is the champion's times a ratio.

    Parameters
    ----------
    elsewhere : float, optional
        The ratio outside the region "south"; by default the same.
    """
    judged = rows(random, n)
    ours, theirs = noises(random, n)
    outside = noise_for(ratio if elsewhere is None else elsewhere)
    sd = np.where(judged.region == "south", noise_for(ratio), outside)
    return Retraining(judged, seen(judged.margin, ours, sd), seen(judged.margin, theirs, CHAMPION))


def with_challenger(made: Retraining, p: Floats) -> Retraining:
    """Return the same retraining with other probabilities of the challenger."""
    return replace(made, challenger=p)
