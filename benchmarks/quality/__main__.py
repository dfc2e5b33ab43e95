"""Quality beside other libraries on public tables: one line a contender, and last RESULT.

    python -m benchmarks.quality --environments .venv-peers [--repeats 1] [--budget 10]
        [--tables telco bank caravan] [--customers 0]

Each answer is appended to a file under NEXTBEST_HOME; the same command again goes on from there.
Of the company with known truth `--customers` says how large it is; 0 leaves it out.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.quality import contenders
from benchmarks.quality.cache import Answer, Cache, Question, version_of
from benchmarks.quality.contenders import OURS, PEERS, Terms
from benchmarks.quality.folds import FOLDS, folds_of
from benchmarks.quality.logs import LOGS, from_log
from benchmarks.quality.summary import Against, Judged, Scores, against, scores
from benchmarks.quality.tables import PUBLIC, BenchTable, public
from features import command
from features.settings import Settings

REPEATS, BUDGET, THREADS = 5, 60.0, 2
CUSTOMERS = 100_000
TABLES = [*PUBLIC, *LOGS]
ROOT = Path(__file__).parents[2]
CODE = [*ROOT.glob("models/*.py"), *ROOT.glob("training/*.py")]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0, or 2 after saying what is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--environments", type=Path, default=Path(".venv-peers"))
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=TABLES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--budget", type=float, default=BUDGET)
    parser.add_argument("--only", nargs="*", choices=(OURS, *PEERS), default=[OURS, *PEERS])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    given = parser.parse_args(argv)
    folder = Settings.from_environment().home / "benchmarks" / "quality"
    python = given.environments / "quality" / "bin" / "python"
    terms = Terms(given.budget, THREADS)

    def run() -> int:
        found = measure(folder, python, given.tables, given.repeats, terms, given.only)
        print(result(found, under_truth(given.customers, folder)))
        return 0

    return command.run(run)


def measure(
    folder: Path, python: Path, tables: list[str], repeats: int, terms: Terms, only: list[str]
) -> list[Against]:
    """Print every contender on every table; returns this project beside each table's best peer."""
    said = f"{repeats} x {FOLDS} folds, {terms.budget:g} s, {terms.threads} threads"
    less = "" if (repeats, terms.budget) == (REPEATS, BUDGET) else (
        f"; the full run is {REPEATS} x {FOLDS} folds of {BUDGET:g} s"
    )  # fmt: skip
    print(f"{said}{less}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    cache = Cache(folder / "answers.jsonl")
    found = []
    for name in tables:
        table = public(name, folder) if name in PUBLIC else from_log(name, folder)
        path = contenders.write(table, folder / name)
        judged = {who: answers(cache, table, path, python, who, repeats, terms) for who in only}
        figures = {who: scores(some) for who, some in judged.items()}
        for who, each in figures.items():
            show(name, who, each)
        if OURS in figures and len(figures) > 1:
            peers = {who: each for who, each in figures.items() if who != OURS}
            beside = against(figures[OURS], peers, 1 / (FOLDS - 1))
            found.append(beside)
            show_beside(name, beside)
    return found


def under_truth(customers: int, folder: Path) -> dict[str, float]:
    """Return how far models are from the best possible on a company whose truth is known."""
    if not customers:
        print("the company with known truth is left out: excess_log_loss=nan coverage_error=nan")
        return {}
    from benchmarks import truth

    found = truth.measure(customers, folder / f"truth-{customers}")
    return {name: found[name] for name in ("excess_log_loss", "coverage_error")}


def answers(
    cache: Cache, table: BenchTable, path: Path, python: Path, who: str, repeats: int, terms: Terms
) -> list[Judged]:
    """Return one contender's answers to every fold of a table."""
    code = CODE if who == OURS else [contenders.PROGRAM]
    version = version_of(code, terms=terms)
    judged = []
    for repeat in range(repeats):
        folds = folds_of(table.y, table.groups, repeat)
        for fold in range(FOLDS):
            test = folds == fold
            seed = repeat * FOLDS + fold

            def ask(test: np.ndarray = test, seed: int = seed) -> Answer:
                if who == OURS:
                    return contenders.ours(table, test, seed, terms)
                return contenders.peer(who, path, test, seed, terms, python)

            answer = cache.get(Question(table.name, repeat, fold, who, version), ask)
            judged.append(Judged(repeat, table.y[test], np.array(answer.p), answer.seconds))
    return judged


def show(table: str, who: str, each: Scores) -> None:
    """Print one contender's figures."""
    print(
        f"{table:<12} {who:<10} auc {each.auc.mean():.4f}  log loss {each.log_loss.mean():.5f}"
        f"  calibration {each.calibration:.4f}  median {each.seconds:.1f} s",
        flush=True,
    )


def show_beside(table: str, beside: Against) -> None:
    """Print this project beside the best peer."""
    print(
        f"{table:<12} beside {beside.best}: auc {beside.auc_gap:+.4f} "
        f"({beside.low:+.4f} to {beside.high:+.4f})  log loss x {beside.logloss_ratio:.4f}"
        f"  calibration {beside.ece_gap:+.4f}",
        flush=True,
    )


def result(found: list[Against], known: dict[str, float]) -> str:
    """Return the last line."""
    nan = [math.nan]
    gaps = [each.auc_gap for each in found] or nan
    figures = {
        "auc_gap_mean": sum(gaps) / len(gaps),
        "auc_gap_worst": min(gaps),
        "logloss_ratio_worst": max([each.logloss_ratio for each in found] or nan),
        "ece_gap_worst": max([each.ece_gap for each in found] or nan),
        "excess_log_loss": math.nan,
        "coverage_error": math.nan,
    }
    return "RESULT " + " ".join(f"{name}={value:.4f}" for name, value in (figures | known).items())


if __name__ == "__main__":
    sys.exit(main())
