"""How far models are from the best possible: ``python -m benchmarks.truth --customers N``.

A company is simulated whose every probability is stated. Each supervised model is trained on it as
`python -m training` trains, and judged under the truth on the rows that training held back: those
later than all it learned from. Where a home is given, the company stays there for the next run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from demo.yardstick import Distance, Floats, expected_loss, truth_of
from features import command
from features.log import EventLog
from features.sources.simulator import Company, ingest_simulator
from models import catalog
from models.spec import ModelSpec
from training.dataset import build, moment, training_spine
from training.fit import Fitting
from training.learn import Learned, learn
from training.uncertainty import intervals_of

MODELS = ("churn", "lead_score", "ctr")
MOST_ROWS = 500_000
NOMINAL = 0.9
"""Share of the true probabilities that intervals should hold."""


@dataclass(frozen=True)
class Measured:
    """One model under the truth.

    Attributes
    ----------
    distance : Distance
    coverage : float
        Share of the judged rows whose true probability lies in the row's own 90 % interval.
    trained, seconds : float
        Rows learned from, and how long that took.
    """

    distance: Distance
    coverage: float
    trained: int
    seconds: float


def measure(
    customers: int,
    home: Path | None = None,
    *,
    models: Sequence[str] = MODELS,
    most_rows: int = MOST_ROWS,
    backtests: int = 1,
    seed: int = 0,
    threads: int = 2,
) -> dict[str, Any]:
    """Return what models lack of the best possible, and how often their intervals are right.

    Parameters
    ----------
    customers : int
        Of the simulated company.
    home : Path, optional
        Where the company lies or will lie; by default it is forgotten.
    models : sequence of str
        Names of the catalogue.
    most_rows : int
        With more rows than this, some are drawn.
    backtests : int
        Earlier slices on which engines are compared.
    seed : int
        Of company, draw and training.
    threads : int

    Returns
    -------
    dict
        `excess_log_loss` and `coverage_error`, each of the worst model, and `models`: the
        `Measured` of each name.
    """
    found: dict[str, Measured] = {}
    with ExitStack() as held:
        folder = home or Path(held.enter_context(TemporaryDirectory()))
        log = company(folder, customers, seed)
        for name in models:
            spec = replace(catalog.spec(name), backtests=backtests)
            found[name] = one(spec, log, most_rows, Fitting(random_state=seed, threads=threads))
    return worst(found)


def worst(found: dict[str, Measured]) -> dict[str, Any]:
    """Return the figures of the worst model beside those of all; see `measure`."""
    return {
        "excess_log_loss": max(each.distance.excess for each in found.values()),
        "coverage_error": float(np.max([abs(e.coverage - NOMINAL) for e in found.values()])),
        "models": found,
    }


def company(home: Path, customers: int, seed: int) -> EventLog:
    """Return the log of a simulated company, which is ingested where there is none."""
    if (home / "simulator").is_dir():
        return EventLog.open(home)
    simulated = Company(customers=customers, seed=seed)
    return ingest_simulator(home, simulated, consent=False, futures=0, bulk=True).log


def one(spec: ModelSpec, log: EventLog, most_rows: int, how: Fitting) -> Measured:
    """Return one model, trained as ever, under the truth."""
    began = time.perf_counter()
    now = moment(log, None)
    spine, mature = training_spine(spec, log, now)
    few = min(most_rows, len(spine))
    drawn = np.random.default_rng(how.random_state).choice(len(spine), few, replace=False)
    drawn.sort()
    data = build(spec, log, now, rows=(spine.take(drawn), mature[drawn]))
    del spine, mature
    learned = learn(spec, data, how, lambda step: None)
    judged = data.take(learned.split.test)
    truth = truth_of(log, spec.name, judged.rows["row_id"].to_numpy())
    model = learned.evaluation.model
    rate = np.full(len(truth), learned.base_rate)
    best, champion, constant = (expected_loss(truth, p) for p in (truth, model.p, rate))
    distance = Distance(spec.name, len(truth), best, champion, constant)
    covered = coverage(truth, intervals(learned, how))
    return Measured(distance, covered, len(learned.split.train), time.perf_counter() - began)


def intervals(learned: Learned, how: Fitting) -> tuple[Floats, Floats]:
    """Return the ends of each judged row's own interval, as they would be published."""
    fitted = learned.evaluation.model.fitted
    table = intervals_of(learned.spec, learned.data, learned.split.train, fitted, how)
    return table.of(fitted.margins(learned.data.X.iloc[learned.split.test]))


def coverage(truth: Floats, ends: tuple[Floats, Floats]) -> float:
    """Return the share of true probabilities that lie in their intervals.

    Examples
    --------
    >>> coverage(np.array([0.1, 0.5]), (np.array([0.0, 0.1]), np.array([0.2, 0.4])))
    0.5
    """
    low, high = ends
    return float(((low <= truth) & (truth <= high)).mean())


def show(console: Console, found: dict[str, Any]) -> None:
    """Print a row a model, and the worst of them in one line."""
    table = Table(box=None, padding=(0, 1))
    table.add_column("model", no_wrap=True)
    for heading in ("learned from", "judged", "best", "model", "constant", "excess", "inside", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, each in found["models"].items():
        gap = each.distance
        losses = (f"{loss:.4f}" for loss in (gap.best, gap.champion, gap.constant))
        shares = (f"{gap.excess:.2%}", f"{each.coverage:.1%}")
        counts = f"{each.trained:,}", f"{gap.rows:,}"
        table.add_row(name, *counts, *losses, *shares, f"{each.seconds:.0f}")
    console.print(table)
    console.print(
        f"RESULT excess_log_loss={found['excess_log_loss']:.4f} "
        f"coverage_error={found['coverage_error']:.4f}",
        highlight=False,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--home", type=Path, help="where the company lies or will lie")
    parser.add_argument("--models", nargs="+", default=MODELS, help="default: %(default)s")
    parser.add_argument("--most-rows", type=int, default=MOST_ROWS, help="default: %(default)s")
    parser.add_argument("--backtests", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    asked = parser.parse_args(argv)

    def run() -> int:
        found = measure(
            asked.customers,
            asked.home,
            models=asked.models,
            most_rows=asked.most_rows,
            backtests=asked.backtests,
            seed=asked.seed,
            threads=asked.threads,
        )
        show(Console(width=110), found)
        return 0

    return command.run(run)


if __name__ == "__main__":
    sys.exit(main())
