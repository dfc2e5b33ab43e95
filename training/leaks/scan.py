"""Every check on the training rows, in a few seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.finding import Finding
from models.spec import ModelSpec
from training.dataset import Dataset
from training.leaks.ceiling import almost_the_label, too_telling
from training.leaks.clocks import known_too_late
from training.leaks.columns import Rows
from training.leaks.missing import filled_for_one_answer
from training.leaks.numbering import ordered_ids
from training.leaks.target import target_encoded

MOST_ROWS = 50_000
CHECKS = (too_telling, almost_the_label, known_too_late, filled_for_one_answer, ordered_ids)


def scan(
    spec: ModelSpec,
    data: Dataset,
    train_rows: NDArray[np.int64],
    later_rows: NDArray[np.int64] | None = None,
    *,
    random_state: int = 0,
) -> tuple[Finding, ...]:
    """Return what looks like a leak in the training rows, the severe findings first.

    It is asked before training is believed: severe findings stop promotion, never training.

    Parameters
    ----------
    spec : ModelSpec
        Its `leaks` say what is tolerated.
    data : Dataset
        With an answer.
    train_rows : ndarray of int64
        Positions of the rows to learn from.
    later_rows : ndarray of int64, optional
        Positions of rows that came after, to see whether a column knows only its own.
    random_state : int
        Seed of the rows that are drawn where there are more than 50,000.

    Returns
    -------
    tuple of Finding
        At most one of a kind for each column.
    """
    rows = _rows(spec, data, train_rows, random_state)
    if rows is None:
        return ()
    later = None if later_rows is None else _rows(spec, data, later_rows, random_state)
    found = [finding for check in CHECKS for finding in check(rows)]
    found += target_encoded(rows, later)
    everyone = _rows(spec, data, np.arange(len(data)), random_state)
    if everyone is not None and len(data) > len(train_rows):
        # Means may have been taken over all rows there are, later ones included.
        known = {finding.column for finding in found if finding.kind == "target-encoded"}
        found += [each for each in target_encoded(everyone) if each.column not in known]
    judged = [spec.leaks.judged(each) for each in found]
    return tuple(sorted(judged, key=lambda each: (each.severity != "severe", each.column)))


def too_good(spec: ModelSpec, auc: float) -> tuple[Finding, ...]:
    """Return the finding that a whole model is too good for its field, if it is.

    Examples
    --------
    >>> from models.catalog import spec
    >>> too_good(spec("churn"), 0.86), too_good(spec("churn"), 0.99)[0].severity
    ((), 'severe')
    """
    bound = spec.gate.too_good
    if auc <= bound:
        return ()
    return (
        Finding(
            "",
            "too good for the field",
            "severe",
            f"The model's AUC on later rows is {auc:.3f}; above {bound:g} it is taken for a leak.",
            "Look for a feature that knows the answer; if there is none, raise "
            + ("[gate] too_good." if spec.leaks.in_file else "Gate(too_good=...)."),
            auc,
        ),
    )


def _rows(
    spec: ModelSpec, data: Dataset, places: NDArray[np.int64], random_state: int
) -> Rows | None:
    """Some of the rows; None where they hold one answer only."""
    if len(places) > MOST_ROWS:
        drawn = np.random.default_rng(random_state).choice(len(places), MOST_ROWS, replace=False)
        places = places[np.sort(drawn)]
    if len(np.unique(data.y.to_numpy()[places])) < 2:
        return None
    return Rows.of(spec.features, spec.leaks, data, places)
