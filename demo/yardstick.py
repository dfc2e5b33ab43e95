"""How far the champions are from the best possible, on a company whose truth is known.

``python -m demo.yardstick`` compares each champion with the truth on the rows that it was judged
on: later ones than it learned from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from features import command
from features.errors import NextbestError
from features.log import EventLog
from features.sources.simulator.truth_files import read_truth
from models.bundle import Bundle
from models.catalog import CATALOG
from models.registry import Registry, prepare
from models.score import Scorer
from models.spec import ModelSpec
from training.dataset import build, moment
from training.learn import slicing_of
from training.split import rolling

Floats: TypeAlias = NDArray[np.float64]


class NoTruthError(NextbestError):
    """Judged rows of which the truth is not known."""


@dataclass(frozen=True)
class Distance:
    """One champion beside the best possible model, in mean log loss under the truth.

    Attributes
    ----------
    model : str
    rows : int
        Judged rows.
    best : float
        Of the true probabilities given what could be observed: no model can be below.
    champion, constant : float
        Of the champion, and of the training rows' share of "yes" for everyone.
    """

    model: str
    rows: int
    best: float
    champion: float
    constant: float

    @property
    def excess(self) -> float:
        """What the champion is above the best, relative to what the best explains."""
        return (self.champion - self.best) / (self.constant - self.best)


def expected_loss(truth: Floats, p: Floats) -> float:
    """Return the mean log loss that probabilities will have if the truth is `truth`.

    Examples
    --------
    >>> half = np.array([0.5])
    >>> round(expected_loss(half, half), 4), round(expected_loss(half, np.array([0.8])), 4)
    (0.6931, 0.9163)
    """
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return float(-(truth * np.log(p) + (1.0 - truth) * np.log1p(-p)).mean())


def distance(spec: ModelSpec, log: EventLog, bundle: Bundle, now: int) -> Distance:
    """Return how far a champion is from the best possible on its latest judged rows.

    Raises
    ------
    NoTruthError
        The truth of some row is not known: the log is not what the truth was written with.
    """
    data = build(spec, log, now)
    y = data.y.to_numpy()
    as_of, matures_at = (data.rows[name].to_numpy() for name in ("as_of", "matures_at"))
    [split] = rolling(as_of, matures_at, y, slicing_of(spec), slices=1)
    judged = data.take(split.test)
    truth = truth_of(log, spec.name, judged.rows["row_id"].to_numpy())
    p = Scorer(bundle).probabilities(bundle.encoder.transform(judged.X))
    rate = np.full(len(truth), y[split.train].mean())
    losses = (expected_loss(truth, each) for each in (truth, p, rate))
    return Distance(spec.name, len(truth), *losses)


def truth_of(log: EventLog, model: str, row_ids: NDArray[Any]) -> Floats:
    """Return the true probability of each of a model's rows, float64[n].

    Raises
    ------
    NoTruthError
        The truth of some row is not known: the log is not what the truth was written with.
    """
    known = read_truth(log.home, model).select(["row_id", "probability"])
    places = pc.index_in(pa.array(row_ids, pa.string()), known["row_id"].combine_chunks())
    unknown = places.null_count
    if unknown:
        raise NoTruthError(
            f"The truth of {unknown:,} of {len(row_ids):,} judged rows of {model!r} is not known.",
            remedy="Ingest the simulated company again, into an empty home.",
        )
    return np.asarray(known["probability"].to_numpy()[places.to_numpy()], dtype=np.float64)


def distances(home: Path, specs: Iterable[ModelSpec] = CATALOG.values()) -> list[Distance]:
    """Return how far each champion of a simulated company is from the best possible."""
    log, registry = EventLog.open(home), prepare(home)
    now = moment(log, None)
    found = []
    for spec in specs:
        version = registry.resolve(spec.name)
        if spec.label is not None and version is not None:
            found.append(distance(spec, log, _champion(registry, spec.name, version), now))
    return found


def _champion(registry: Registry, model: str, version: str) -> Bundle:
    with TemporaryDirectory() as scratch:
        return Bundle.load(registry.download(model, version, Path(scratch) / version), version)


def show(console: Console, found: Sequence[Distance]) -> None:
    """Print a row a model."""
    table = Table(box=None, padding=(0, 1))
    table.add_column("model", no_wrap=True)
    for heading in ("judged rows", "best possible", "champion", "constant rate", "excess"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in found:
        losses = (f"{loss:.4f}" for loss in (each.best, each.champion, each.constant))
        table.add_row(each.model, f"{each.rows:,}", *losses, f"{each.excess:.1%}")
    console.print(table)
    console.print(
        "Mean log loss under the truth. The best possible knows every stated probability and "
        "nothing that\ncannot be observed; the excess is what the champion lacks of what there "
        "is to explain.",
        highlight=False,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the distances of one home and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo.yardstick", description=__doc__)
    parser.add_argument(
        "--home", type=Path, default=Path(".nextbest/company"), help="default: %(default)s"
    )
    home: Path = parser.parse_args(argv).home

    def run() -> int:
        show(Console(width=110), distances(home))
        return 0

    return command.run(run)


if __name__ == "__main__":
    sys.exit(main())
