"""Who is compared: this project's own fit, and libraries in an environment of their own."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.quality.cache import Answer
from benchmarks.quality.tables import BenchTable
from features.errors import NextbestError
from models import catalog
from models.spec import Baseline, Estimator, ModelSpec
from models.trees import boosted_trees
from training.encode import encoded
from training.fit import Fitting, fit_trees

OURS = "nextbest"
PEERS = ("flaml", "hist", "lightgbm", "catboost")
PROGRAM = Path(__file__).parent / "peers" / "contender.py"


class PeerError(NextbestError):
    """A library that ended without an answer."""


@dataclass(frozen=True)
class Terms:
    """What all contenders are given.

    Attributes
    ----------
    budget : float
        Seconds for those that search.
    threads : int
    """

    budget: float
    threads: int


def estimator(random_state: int, num_threads: int = 1) -> Estimator:
    """Return unfitted trees, the same for every table."""
    return boosted_trees(random_state, num_threads)


def spec_of(table: BenchTable) -> ModelSpec:
    """Return the catalogue's lead score over a table's own columns."""
    return replace(
        catalog.spec("lead_score"),
        features=table.features,
        estimator=estimator,
        baselines=(Baseline("constant rate", "constant"),),
    )


def ours(table: BenchTable, test: NDArray[np.bool_], seed: int, terms: Terms) -> Answer:
    """Return this project's answer to one fold; the encoder learns from the training rows too."""
    began = time.perf_counter()
    rows = table.X[~test]
    spec = spec_of(table)
    learnt = encoded(rows, spec.features, table.y[~test], table.groups[~test], seed)
    how = Fitting(random_state=seed, threads=terms.threads, budget=terms.budget)
    fitted = fit_trees(spec, learnt, None, how)
    took = time.perf_counter() - began
    return Answer(tuple(fitted.probabilities(table.X[test]).tolist()), took)


def peer(
    name: str, table: Path, test: NDArray[np.bool_], seed: int, terms: Terms, python: Path
) -> Answer:
    """Return a library's answer to one fold.

    Raises
    ------
    PeerError
        It ended without one; what it said stands above.
    """
    asked = {
        "contender": name,
        "folder": str(table),
        "test": np.flatnonzero(test).tolist(),
        "seed": seed,
        "budget": terms.budget,
        "threads": terms.threads,
    }
    done = subprocess.run(
        [str(python), str(PROGRAM)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        env={"OMP_NUM_THREADS": str(terms.threads), "PATH": "/usr/bin:/bin"},
    )
    if done.returncode:
        raise PeerError(
            f"{name} ended with {done.returncode} and said: {done.stderr[-2_000:]}",
            remedy="Renew its environment: rm -rf .venv-peers/quality, then make bench-quality.",
        )
    answer = json.loads(done.stdout.splitlines()[-1])
    return Answer(tuple(answer["p"]), answer["seconds"])


def write(table: BenchTable, folder: Path) -> Path:
    """Write a table for the peers as plain files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {f.name: "category" if f.dtype in ("category", "ordinal") else "number"
             for f in table.features}  # fmt: skip
    table.X.to_csv(folder / "X.csv", index=False)
    (folder / "types.json").write_text(json.dumps(kinds))
    answers = pd.DataFrame({"y": table.y, "customer": table.groups})
    answers.to_csv(folder / "answers.csv", index=False)
    return folder
