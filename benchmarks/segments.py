"""How many customers keep their segment when it is learned again from a bootstrap of them.

    python -m benchmarks.segments

The Complete Journey and a simulated company are ingested into a temporary folder. Each bootstrap
is a whole retraining: scaling, number of segments, clusters, and matching to the first ones.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features import command
from features.log import EventLog
from models import catalog
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.published import PublishedSpec
from models.spec import ModelSpec
from training.dataset import build, moment
from training.segment_identity import matches, overlap
from training.segment_memory import NOTHING, Remembered
from training.segment_story import described, stability_words
from training.segmenting import Segmented, fit_segments
from training.stability import STABLE

SOURCES = {
    "The Complete Journey": ("complete-journey", "--impressions", "1000"),
    "simulated company": ("simulator", "--customers", "5000"),
}


@dataclass(frozen=True)
class Kept:
    """Shares of customers in the same segment id, one a bootstrap.

    Attributes
    ----------
    shares : list of float
    ids : int
        Bootstraps in which all segments were found again, and no other.
    said : list of bool
        Whether the retraining's own report says that the segmentation is unstable or not good.
    """

    shares: list[float]
    ids: int
    said: list[bool]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0 where each retraining keeps 90 % or says unstable, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segments", description=__doc__)
    parser.add_argument("--bootstraps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cold", action="store_true", help="as if the champion were not known")
    asked = parser.parse_args(argv)
    return command.run(lambda: _measure(asked))


def _measure(asked: argparse.Namespace) -> int:
    worst, missed = 1.0, 0
    for name, words in SOURCES.items():
        with tempfile.TemporaryDirectory() as home:
            ingested = [sys.executable, "-m", "features", "ingest", *words]
            environment = {**os.environ, "NEXTBEST_HOME": home}
            subprocess.run(ingested, env=environment, check=True, stdout=subprocess.DEVNULL)
            log = EventLog.open(Path(home))
            spec = catalog.spec("segments")
            X = build(spec, log, moment(log, None)).X
        began = time.perf_counter()
        first = fit_segments(spec, X, threads=asked.threads)
        seconds = time.perf_counter() - began
        choice = first.choice
        print(
            f"{name}: {len(X):,} customers, {choice.chosen} segments in {seconds:.0f} s; own "
            f"estimate {choice.at(choice.stability):.3f} [{choice.at(choice.low):.3f}, "
            f"{choice.at(choice.high):.3f}]",
            flush=True,
        )
        kept = retrained(spec, X, first, asked.bootstraps, asked.threads, known=not asked.cold)
        shares = np.array(kept.shares)
        silent = int(((shares < STABLE) & ~np.array(kept.said)).sum())
        worst, missed = min(worst, float(shares.mean())), missed + silent
        print(
            f"  kept over {len(shares)} bootstraps: mean {shares.mean():.3f}, lowest "
            f"{shares.min():.3f}; at least 0.9 in {(shares >= 0.9).sum()}; all segments found "
            f"again in {kept.ids}; {sum(kept.said)} reports say unstable; {silent} moved more and "
            "do not say so",
            flush=True,
        )
    print(f"RESULT kept_worst={worst:.3f} unsaid={missed}")
    return 0 if missed == 0 else 1


def retrained(
    spec: ModelSpec, X: pd.DataFrame, first: Segmented, times: int, threads: int, *, known: bool
) -> Kept:
    """Return how many customers keep their segment under whole retrainings on bootstraps.

    Parameters
    ----------
    known : bool
        Whether training knows the champion, as it does; without, ids are matched afterwards.
    """
    published = PublishedSpec.of(
        spec, horizon="", base_rate=None, currency="EUR", as_of=0, trained_at=0, code_version="",
        segments=described(spec, first, "EUR"),
    )  # fmt: skip
    encoded = first.encoder.transform(X)
    champion = Bundle.of(published, first.encoder, first.clusters, Calibrator.identity(), encoded)
    before = Remembered(champion, next_id=max(first.ids) + 1) if known else NOTHING
    shares, same, said = [], 0, []
    for number in range(times):
        rows = np.random.default_rng(number).integers(len(X), size=len(X))
        drawn = X.iloc[rows].reset_index(drop=True)
        again = fit_segments(
            spec, drawn, remembered=before, random_state=number + 1, threads=threads
        )
        now = again.clusters.assign(again.encoder.transform(X))
        counts = overlap(first.labels, now, len(first.ids), len(again.ids))
        pairs = (
            [(first.ids.index(i), n) for n, i in enumerate(again.ids) if i in first.ids]
            if known
            else [(old, new) for new, old in matches(counts).items()]
        )
        shares.append(float(sum(counts[old, new] for old, new in pairs) / len(X)))
        said.append(any("unstable" in w or "no good" in w for w in stability_words(again)))
        same += len(pairs) == len(first.ids) == len(again.ids)
    return Kept(shares, same, said)


if __name__ == "__main__":
    sys.exit(main())
