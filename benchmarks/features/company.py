"""The events that are measured: seeded, of any size, written once and kept."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import bulk, part
from features.bulk import BulkWriter
from features.clock import parse_instant
from features.dictionary import Dictionary
from features.kernel import NULL
from features.log import EventLog
from features.source import Source
from features.window import DAY

NUMBA = "numba"
"""Beside the companies: the kernel's machine code, for all of them."""
DAYS = 730
START = parse_instant("2024-01-01T00:00:00Z")
END = START + DAYS * DAY
AS_OF = END - 20 * DAY + 41_234_567_891  # at no full hour, and with events after it
AT_ONCE = 1_000_000
LATE, LATEST = 0.03, 5 * DAY
SOURCE = Source("benchmark", "EUR", "UTC", "assumed", 2, frozen_at=None)
KINDS = ("order", "order_line", "visit", "email", "contact", "ticket", "return", "survey")
SHARES = (0.2, 0.2, 0.2, 0.15, 0.1, 0.05, 0.05, 0.05)
LEVELS = {
    "kind": list(KINDS),
    "channel": ["web", "store", "app"],
    "category": [f"category {n}" for n in range(50)],
    "campaign_id": [f"campaign {n}" for n in range(30)],
    "item": [f"item {n}" for n in range(5_000)],
}
OF = {
    "amount": ("order", "order_line", "return"),
    "quantity": ("order_line", "survey"),
    "channel": ("order", "order_line", "visit", "ticket"),
    "category": ("order_line", "return"),
    "item": ("order_line",),
    "campaign_id": ("email", "contact"),
}
"""The kinds of events that have a column."""


def company(
    folder: Path, events: int, customers: int, *, skewed: bool = False, seed: int = 1
) -> EventLog:
    """Return the log of a company, written if it is not there yet.

    Parameters
    ----------
    folder : Path
        Keeps the companies of all sizes.
    events, customers : int
    skewed : bool
        One customer in a hundred has half of all events.
    seed : int
    """
    shape = "skewed" if skewed else "uniform"
    name = f"{shape}-{events}-{customers}-{seed}"
    home = folder / f"{name}-{written_by()}"
    if not home.exists():
        for outdated in folder.glob(f"{name}-*"):
            shutil.rmtree(outdated)
        draft = home.with_suffix(".draft")
        words = {name: Dictionary(levels) for name, levels in LEVELS.items()}
        draft.mkdir(parents=True)
        with BulkWriter(draft, SOURCE, {}, words) as writer:
            for who, columns in parts(events, customers, skewed, seed):
                writer.add(who, columns)
            writer.finish()
        draft.rename(home)
    return EventLog.open(home)


def written_by() -> str:
    """Return what names the code that makes these files: other code, other files."""
    digest = hashlib.sha256()
    for module in (__file__, bulk.__file__, part.__file__):
        digest.update(Path(module).read_bytes())
    return digest.hexdigest()[:8]


def parts(
    events: int, customers: int, skewed: bool, seed: int
) -> Iterator[tuple[NDArray[np.int64], dict[str, NDArray[Any]]]]:
    """Yield customers' numbers and columns of events, some at a time."""
    for number, first in enumerate(range(0, events, AT_ONCE)):
        rng = np.random.default_rng([seed, number])
        rows = min(AT_ONCE, events - first)
        who = rng.integers(0, customers, rows)
        if skewed:
            few = max(customers // 100, 1)
            who = np.where(rng.random(rows) < 0.5, rng.integers(0, few, rows), who)
        yield who, columns(rng, rows)


def columns(rng: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    """Return the columns of events at any time of the two years.

    Most are recorded within a minute, some up to five days late. Only the kinds listed in `OF`
    have an amount, a category and so on.
    """
    kind = rng.choice(len(KINDS), rows, p=SHARES).astype(np.int32)
    occurred_at = START + rng.integers(0, DAYS * DAY, rows)
    late = rng.random(rows) < LATE
    delay = np.where(late, rng.integers(0, LATEST, rows), rng.integers(0, 60_000_000, rows))
    times = {"occurred_at": occurred_at, "recorded_at": occurred_at + delay}
    drawn: dict[str, NDArray[Any]] = {
        **times,
        "kind": kind,
        "amount": np.exp(rng.normal(8.2, 0.8, rows)).astype(np.int64) + 1,
        "quantity": rng.integers(1, 9, rows),
        "channel": rng.integers(0, len(LEVELS["channel"]), rows).astype(np.int32),
        # Some categories, items and campaigns are much more frequent than others.
        "category": (50 * rng.random(rows) ** 2).astype(np.int32),
        "item": (5_000 * rng.random(rows) ** 2).astype(np.int32),
        "campaign_id": (30 * rng.random(rows) ** 2).astype(np.int32),
    }
    for name, kinds in OF.items():
        has = np.isin(kind, [KINDS.index(one) for one in kinds])
        missing = -1 if name in LEVELS else NULL
        drawn[name] = np.where(has, drawn[name], missing)
    return drawn
