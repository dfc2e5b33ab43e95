"""What so many answers are enough for: nothing yet, a scorecard, or the full model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.errors import NextbestError
from models.spec import ModelSpec
from training.candidates import Step, fit_baselines, training_table
from training.dataset import Dataset
from training.fit import Fitted, Fitting
from training.scorecard import fit_scorecard
from training.split import Split

LEAST = 40
"""Positives and negatives from which a scorecard is made."""


class TooLittleDataError(NextbestError):
    """Fewer rows or answers than a model can be made of."""


@dataclass(frozen=True)
class DataGrade:
    """What the answers are enough for.

    Attributes
    ----------
    mode : {"insufficient", "scorecard", "full"}
    until_next : str
        What is missing until the next grade; empty where there is none.
    """

    mode: Literal["insufficient", "scorecard", "full"]
    until_next: str


def grade_of(spec: ModelSpec, y: np.ndarray) -> DataGrade:
    """Return what training rows with these answers are enough for.

    The full model asks for the rows and positives of `spec.minimum`, and for as many negatives;
    a scorecard for 40 of each.

    Examples
    --------
    >>> from models.catalog import spec
    >>> few = grade_of(spec("lead_score"), np.repeat([0, 1], [300, 60]))
    >>> print(few.mode, few.until_next, sep=": ")
    scorecard: 640 more answers until the full model, 40 of them positive
    >>> print(grade_of(spec("lead_score"), np.repeat([0, 1], [300, 15])).until_next)
    25 more answers until a scorecard, 25 of them positive
    """
    rows, positives = len(y), int(y.sum())
    asked = spec.minimum.positives
    full = _missing(rows, positives, spec.minimum.rows, asked)
    if not full:
        return DataGrade("full", "")
    few = _missing(rows, positives, 2 * LEAST, LEAST)
    if few:
        return DataGrade("insufficient", few.format("a scorecard"))
    return DataGrade("scorecard", full.format("the full model"))


def check_grade(spec: ModelSpec, y: np.ndarray) -> None:
    """Refuse rows that are not enough for a scorecard.

    Raises
    ------
    TooLittleDataError
        Naming how many of which answer are missing.
    """
    grade = grade_of(spec, y)
    if grade.mode == "insufficient":
        raise TooLittleDataError(
            f"{spec.name!r} has {len(y):,} mature training rows with {int(y.sum()):,} positives; "
            f"a scorecard asks for {LEAST} positives and {LEAST} negatives: {grade.until_next}.",
            remedy="Ingest a longer history or more answers, or train with a later --as-of.",
        )


def check_minimum(spec: ModelSpec, rows: int) -> None:
    """Refuse to find segments in fewer rows than the spec asks for.

    Raises
    ------
    TooLittleDataError
    """
    if rows < spec.minimum.rows:
        raise TooLittleDataError(
            f"{spec.name!r} has {rows:,} rows; it asks for {spec.minimum.rows:,}.",
            remedy="Ingest a longer history, or train with a later --as-of.",
        )


def fit_few(
    spec: ModelSpec, data: Dataset, split: Split, how: Fitting, step: Step
) -> tuple[Fitted, ...]:
    """Return the scorecard and then the baselines, fitted on the split's training rows alone."""
    table = training_table(spec, data, split, how)
    step("scorecard")
    return (fit_scorecard(table, how.random_state), *fit_baselines(spec, table, how, step))


def _missing(rows: int, positives: int, asked_rows: int, asked: int) -> str:
    """What is missing of as many rows and of each answer, as a template; empty if nothing."""
    yes, no = max(0, asked - positives), max(0, asked - (rows - positives))
    more = max(asked_rows - rows, yes + no)
    if more <= 0:
        return ""
    of_them = " and ".join(
        f"{n:,} of them {name}" for n, name in ((yes, "positive"), (no, "negative")) if n
    )
    return f"{more:,} more answers until {{}}" + (f", {of_them}" if of_them else "")
