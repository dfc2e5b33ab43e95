"""Made-up rows with the exact answers of a published model: proof that a copy answers the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.blend import Blend
from models.booster import Booster
from models.calibrator import Calibrator
from models.clusters import Clusters
from models.encoder import TEXTS, Column, Encoder
from models.linear import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.reference import Distribution, Reference

    Floats = NDArray[np.float64]

Engine = Booster | Linear | Blend | Clusters

UNSEEN = "a text that was never seen"

LAST_BITS = 1e-12
"""Relative difference allowed where exp, log1p or sqrt take part. Their last bit depends on the
processor: numpy's exp without AVX-512 differs from that with it for 4.6 % of numbers, by 2.2e-16.
A booster's margin is a sum of stored numbers in a fixed order and must be equal to the last bit."""


@dataclass(frozen=True)
class Golden:
    """Raw feature values, one list a row, and the answers to them.

    Attributes
    ----------
    rows : tuple of tuple
        Drawn column by column from the reference's distributions, so no row is a customer; then
        one with everything missing, one of unseen texts and huge numbers, one of zeros.
    answers : dict of str to list
        "margin" and "probability", or "segment" and "distance".
    """

    rows: tuple[tuple[Any, ...], ...]
    answers: dict[str, list[Any]]

    @classmethod
    def make(
        cls,
        encoder: Encoder,
        engine: Engine,
        calibrator: Calibrator,
        reference: Reference,
        n: int = 32,
        random_state: int = 0,
    ) -> Golden:
        """Return `n` drawn rows and the three special ones, answered by the model."""
        rng = np.random.default_rng(random_state)
        drawn = [
            _draw(column, reference.features[column.name], n, rng) for column in encoder.columns
        ]
        texts = [column.dtype in TEXTS for column in encoder.columns]
        rows = (
            *zip(*drawn, strict=True),
            tuple(None for _ in texts),
            tuple(UNSEEN if text else 1e15 for text in texts),
            tuple(None if text else 0 for text in texts),
        )
        X = np.array([encoder.encode(row) for row in rows])
        return cls(rows, answers_of(X, engine, calibrator))

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes an equal one."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Golden:
        """Return the rows and answers that `to_json` described."""
        return cls(tuple(tuple(row) for row in plain["rows"]), plain["answers"])


def answers_of(X: Floats, engine: Engine, calibrator: Calibrator) -> dict[str, list[Any]]:
    """Return what a model answers to encoded rows, as plain lists."""
    if isinstance(engine, Clusters):
        segments, distances = engine.assign(X), engine.distances(X)
        return {"segment": segments.tolist(), "distance": distances.tolist()}
    margins = engine.margins(X)
    return {
        "margin": margins.tolist(),
        "probability": calibrator.probability(margins).tolist(),
    }


def agrees(name: str, found: Any, expected: Any, engine: Engine) -> bool:
    """Whether an answer is the published one, to the last bit where that can be promised."""
    if name == "segment" or (name == "margin" and isinstance(engine, Booster)):
        return bool(np.array_equal(found, expected))
    return bool(np.allclose(found, expected, rtol=LAST_BITS, atol=LAST_BITS))


def _draw(
    column: Column, distribution: Distribution, n: int, rng: np.random.Generator
) -> list[Any]:
    shares = np.array(distribution.shares)
    missing = rng.random(n) < shares[-1]
    if column.dtype in TEXTS:
        known = shares[: len(column.levels)]
        if known.sum() > 0:
            codes = rng.choice(len(known), size=n, p=known / known.sum())
            values: list[Any] = [column.levels[code] for code in codes]
        else:
            values = [None] * n
    elif distribution.quantiles:
        quantiles = np.array(distribution.quantiles)
        at = np.linspace(0.0, 1.0, len(quantiles))
        numbers = np.interp(rng.random(n), at, quantiles)
        whole = column.dtype != "float"
        values = [round(v) for v in numbers] if whole else numbers.tolist()
        if column.dtype == "bool":
            values = [bool(v) for v in values]
    else:
        values = [None] * n
    return [None if gone else value for gone, value in zip(missing, values, strict=True)]
