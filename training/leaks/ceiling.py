"""One column that answers almost alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.finding import Finding, severity
from training.leaks.columns import Rows, Seen
from training.leaks.telling import group_auc, groups_of, rank_auc

CLOSE = 0.05
LEAST_KNOWN = 0.05
LEAST = 20
FEW = 12
AGREES = 0.6
PURE = 0.98


def too_telling(rows: Rows) -> Iterator[Finding]:
    """Yield columns whose AUC alone is above their ceiling, or close below it."""
    for column in rows.columns:
        value, how = _auc(column, rows)
        bound = rows.leaks.ceiling(column.name)
        if value < bound - CLOSE:
            continue
        yield Finding(
            column.name,
            "single-column AUC",
            severity(value, bound),
            f"Alone it puts {value:.1%} of the pairs of a yes and a no in order, {how} (AUC "
            f"{value:.3f}; {bound:g} is its ceiling).",
            "Find out when it is written. If after the answer, exclude it.",
            value,
        )


def almost_the_label(rows: Rows) -> Iterator[Finding]:
    """Yield stated columns of which one value nearly is the answer."""
    yes, no = float(rows.y.sum()), float((1 - rows.y).sum())
    for column in rows.columns:
        if not column.stated or min(yes, no) < LEAST:
            continue
        for value in _levels(column):
            here = column.values == value
            among = (float(rows.y[here].sum()), float((1 - rows.y[here]).sum()))
            shares = among[0] / yes, among[1] / no
            word = column.texts[int(value)] if column.texts else f"{value:g}"
            agrees = abs(shares[0] - shares[1]) >= AGREES
            pure = sum(among) >= LEAST and (
                (among[0] >= PURE * sum(among) and shares[0] >= 0.2 and yes / no < 2)
                or (among[1] >= 0.995 * sum(among) and shares[1] >= 0.5 and yes / no > 0.05)
            )
            if not (agrees or pure):
                continue
            yield Finding(
                column.name,
                "almost the label",
                severity(1.0, 1.0),
                f"The value {word!r} stands with {shares[0]:.1%} of the yes and {shares[1]:.1%} "
                f"of the no; of its {sum(among):,.0f} rows {among[0] / sum(among):.1%} are a yes.",
                "It looks like a copy of the answer, or like what is written when the answer is "
                "known. Exclude it, or take the value it had before.",
                abs(shares[0] - shares[1]),
            )
            break


def _auc(column: Seen, rows: Rows) -> tuple[float, str]:
    """The AUC of a column, and what of it tells."""
    known, y = column.known, rows.y
    by_group = group_auc(groups_of(column.values, is_text=bool(column.texts)), y, rows.fold)
    answers = y[known]
    few = min(answers.sum(), (1 - answers).sum()) < LEAST or known.mean() < LEAST_KNOWN
    if few or (column.texts and column.feature.dtype != "ordinal"):
        return by_group, "by the rates of its values"
    by_rank = rank_auc(column.values, y)
    if by_rank >= by_group:
        return by_rank, f"where it is known ({known.mean():.0%} of the rows)"
    return by_group, "by the rates of its values"


def _levels(column: Seen) -> list[float]:
    """The values that may be a label's: frequent texts, few numbers, or a number's commonest."""
    values, counts = np.unique(column.values[column.known], return_counts=True)
    if not column.texts and len(values) > FEW:
        frequent = counts >= 0.1 * len(column.values)
    else:
        frequent = counts >= LEAST
    order = np.argsort(-counts[frequent], kind="stable")[:50]
    return [float(value) for value in values[frequent][order]]
