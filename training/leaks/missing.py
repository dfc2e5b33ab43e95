"""Columns that are filled for one answer more often than for the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.finding import Finding, severity
from training.leaks.columns import Rows
from training.leaks.telling import spread

WORTH_SAYING = 0.6
SURE = 5.0


def filled_for_one_answer(rows: Rows) -> Iterator[Finding]:
    """Yield stated columns of which being filled, whatever with, tells the answer."""
    yes, no = float(rows.y.sum()), float((1 - rows.y).sum())
    if not yes or not no:
        return
    for column in rows.columns:
        if not column.stated:
            continue
        shares = [float(np.mean(column.known[rows.y == answer])) for answer in (1, 0)]
        value = 0.5 + abs(shares[0] - shares[1]) / 2
        if value < WORTH_SAYING or value - 0.5 < SURE * spread(yes, no):
            continue
        yield Finding(
            column.name,
            "missingness",
            severity(value, rows.leaks.filled),
            f"It is filled for {shares[0]:.1%} of the yes and {shares[1]:.1%} of the no (AUC of "
            f"being filled {value:.3f}; {rows.leaks.filled:g} is the ceiling).",
            "It seems to be filled in while or after the answer is given. Exclude it, or take "
            "only what was filled in before the row's moment.",
            value,
        )
